"""The cosine transforms of a row of windows of a plane, there and back.

Rows of windows are worked on together: what is done to one number of a window is done to that of
all windows of the row in one loop, so that it is vectorised whatever the size of the windows.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.engine.jit import inline_kernel, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@functools.cache
def cosines(size: int) -> NDArray[np.float64]:
    """Return the orthonormal cosine transform of `size` pixels as a matrix [k, j]."""
    k, j = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    matrix = np.cos(math.pi * (2 * j + 1) * k / (2 * size)) * math.sqrt(2 / size)
    matrix[0] = math.sqrt(1 / size)
    return np.asarray(matrix)


@inline_kernel
def _mix(c, rows, first, out):
    """Add the sum of four rows times four numbers."""
    c0, c1, c2, c3 = c[first], c[first + 1], c[first + 2], c[first + 3]
    r0, r1, r2, r3 = rows[first], rows[first + 1], rows[first + 2], rows[first + 3]
    for n in range(out.size):
        out[n] += c0 * r0[n] + c1 * r1[n] + c2 * r2[n] + c3 * r3[n]


@kernel
def mixed(matrix, rows, out):
    """Write matrix @ rows; the matrix has a multiple of four columns."""
    for k in range(matrix.shape[0]):
        for n in range(out.shape[1]):
            out[k, n] = 0
        for first in range(0, matrix.shape[1], 4):
            _mix(matrix[k], rows, first, out[k])


@kernel
def _folded(a, b, sums, differences):
    for n in range(sums.size):
        sums[n] = a[n] + b[n]
        differences[n] = a[n] - b[n]


@kernel
def transformed(image, top, even, odd, stride, down, folded, pieces, phases, c):
    """Write the transforms of a row of windows: c[parity of q, k, q // 2, n].

    Of the pixels j and size − 1 − j the sums make the even coefficients and the differences the
    odd ones. `down`, `folded`, `pieces` and `phases` are written on the way.
    """
    half, width = even.shape[0], image.shape[1]
    size = 2 * half
    for j in range(half):
        _folded(image[top + j], image[top + size - 1 - j], folded[0, j], folded[1, j])
    mixed(even, folded[0], down[0])
    mixed(odd, folded[1], down[1])
    for k in range(size):
        row = down[k % 2, k // 2]
        for phase in range(stride):
            part = phases[phase]
            for n in range((width - phase + stride - 1) // stride):
                part[n] = row[phase + stride * n]
        for j in range(half):
            i = size - 1 - j
            a, b = phases[j % stride, j // stride :], phases[i % stride, i // stride :]
            _folded(a, b, pieces[0, j], pieces[1, j])
        mixed(even, pieces[0], c[0, k])
        mixed(odd, pieces[1], c[1, k])


@kernel
def averaged(c, norm, even, odd, stride, across, pieces, down):
    """Write the sum of the windows of a row, weighted, over their overlaps: down[k, x]."""
    half, count, width = even.shape[0], norm.size, down.shape[2]
    size = 2 * half
    for k in range(size):
        for parity in range(2):
            for q in range(half):
                value = c[parity, k, q]
                for n in range(count):
                    value[n] *= norm[n]
        mixed(even, c[0, k], pieces[0])
        mixed(odd, c[1, k], pieces[1])
        for phase in range(stride):
            for n in range(across.shape[1]):
                across[phase, n] = 0
        for j in range(half):
            i = size - 1 - j
            a, b = across[j % stride, j // stride :], across[i % stride, i // stride :]
            sums, differences = pieces[0, j], pieces[1, j]
            for n in range(count):
                a[n] += sums[n] + differences[n]
            for n in range(count):
                b[n] += sums[n] - differences[n]
        row = down[k % 2, k // 2]
        for phase in range(stride):
            part = across[phase]
            for n in range((width - phase + stride - 1) // stride):
                row[phase + stride * n] = part[n]


def extent(origin: int, size: int, window: int, stride: int) -> tuple[int, int]:
    """Return the pixels before the block that its first window begins with, and those behind.

    The windows of the whole image begin at −(window − stride) + n · stride.
    """
    margin = window - stride
    before = margin - (-origin % stride)
    count = -(-(before + size + margin - window) // stride) + 1
    return before, (count - 1) * stride + window - before - size
