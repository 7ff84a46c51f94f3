"""Sliding cosine windows: each is filtered by what a guide says of it, and all are averaged.

Rows of windows are worked on together: what is done to one number of a window is done to that of
all windows of the row in one loop, so that it is vectorised whatever the size of the windows.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.compiled import inline_kernel, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Coefficients larger than this over the noise are kept whole; their squares would overflow.
LARGEST = 1e15


@functools.cache
def cosines(size: int) -> NDArray[np.float64]:
    """Return the orthonormal cosine transform of `size` samples as a matrix [k, j]."""
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
def _mixed(matrix, rows, out):
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
def _transformed(image, top, even, odd, stride, down, folded, pieces, c):
    """Write the transforms of a row of windows: c[parity of q, k, q // 2, n].

    Of the samples j and size − 1 − j the sums make the even coefficients and the differences the
    odd ones.
    """
    half, width = even.shape[0], image.shape[1]
    size = 2 * half
    for j in range(half):
        _folded(image[top + j], image[top + size - 1 - j], folded[0, j], folded[1, j])
    _mixed(even, folded[0], down[0])
    _mixed(odd, folded[1], down[1])
    phases = np.empty((stride, width // stride + 1), image.dtype)
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
        _mixed(even, pieces[0], c[0, k])
        _mixed(odd, pieces[1], c[1, k])


@kernel
def _gain(c, guide, inverse, norm):
    """Multiply c by g = guide² / (guide² + σ²), and write 1 / Σ g² of each window."""
    one, largest = c.dtype.type(1), c.dtype.type(LARGEST)
    count = norm.size
    for n in range(count):
        norm[n] = one
    for parity in range(2):
        for k in range(c.shape[1]):
            for q in range(c.shape[2]):
                value, other = c[parity, k, q], guide[parity, k, q]
                if parity + k + q > 0:
                    for n in range(count):
                        r = min(abs(other[n]) * inverse, largest)
                        r = r * r
                        g = r / (r + one)
                        value[n] *= g
                        norm[n] += g * g
    for n in range(count):
        norm[n] = one / norm[n]


@kernel
def _averaged(c, norm, even, odd, stride, across, pieces, down):
    """Write the sum of the windows of a row, weighted, over their overlaps: down[k, x]."""
    half, count, width = even.shape[0], norm.size, down.shape[2]
    size = 2 * half
    for k in range(size):
        for parity in range(2):
            for q in range(half):
                value = c[parity, k, q]
                for n in range(count):
                    value[n] *= norm[n]
        _mixed(even, c[0, k], pieces[0])
        _mixed(odd, c[1, k], pieces[1])
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


@kernel
def react(pair, even, odd, back, inverse, stride, rows, out, weight):
    """Add the filtered windows of some rows of windows, and their weights.

    Parameters
    ----------
    pair : (2, H, W) float32 or float64
        What is filtered, and the guide that says how.
    even, odd : (P/2, P/2)
        Rows of even and odd k of the transform, for the first half of the samples.
    back : (2, P/2, P/2)
        The same, transposed.
    inverse : float
        1 / σ.
    stride : int
        Distance of the windows along both axes; the last of a row ends with the row.
    rows : (int, int)
        Rows of windows.
    out, weight : (H, W)
        Added to.
    """
    half, width, dtype = even.shape[0], pair.shape[2], pair.dtype
    size = 2 * half
    count = (width - size) // stride + 1
    folded, down = np.empty((2, half, width), dtype), np.empty((2, half, width), dtype)
    # Of their own width: a loop over part of a wider array is not vectorised.
    pieces = np.empty((2, half, count), dtype)
    c = np.empty((2, 2, size, half, count), dtype)
    norm, line = np.empty(count, dtype), np.empty(width, dtype)
    across = np.empty((stride, width // stride + 1), dtype)
    for row in range(rows[0], rows[1]):
        top = row * stride
        for i in range(2):
            _transformed(pair[i], top, even, odd, stride, down, folded, pieces, c[i])
        _gain(c[0], c[1], inverse, norm)
        for x in range(width):
            line[x] = 0
        for j in range(size):
            for n in range(count):
                line[j + stride * n] += norm[n]
        _averaged(c[0], norm, back[0], back[1], stride, across, pieces, down)
        _mixed(back[0], down[0], folded[0])
        _mixed(back[1], down[1], folded[1])
        for j in range(half):
            i = size - 1 - j
            sums, differences = folded[0, j], folded[1, j]
            upper, lower = out[top + j], out[top + i]
            for x in range(width):
                upper[x] += sums[x] + differences[x]
                lower[x] += sums[x] - differences[x]
        for j in range(size):
            total = weight[top + j]
            for x in range(width):
                total[x] += line[x]


def _extent(origin: int, size: int, window: int, stride: int) -> tuple[int, int]:
    """Return the samples before the block that its first window begins with, and those behind.

    The windows of the whole picture begin at −(window − stride) + n · stride.
    """
    margin = window - stride
    before = margin - (-origin % stride)
    count = -(-(before + size + margin - window) // stride) + 1
    return before, (count - 1) * stride + window - before - size


def guided(
    y: NDArray[Any],
    guide: NDArray[Any],
    origin: tuple[int, int],
    sigma: float,
    window: int,
    stride: int,
) -> NDArray[Any]:
    """Return a plane filtered by windows that a guide plane weighs; both begin at `origin`."""
    around = [_extent(o, n, window, stride) for o, n in zip(origin, y.shape, strict=True)]
    pair = np.stack([np.pad(each, around, "reflect") for each in (y, guide)])
    matrix = cosines(window).astype(y.dtype)[:, : window // 2]
    even, odd = np.ascontiguousarray(matrix[0::2]), np.ascontiguousarray(matrix[1::2])
    back = np.stack([even.T, odd.T])
    out, weight = np.zeros_like(pair[0]), np.zeros_like(pair[0])
    inverse = y.dtype.type(min(1 / sigma, 1e37))
    rows = (0, (pair.shape[1] - window) // stride + 1)
    react(pair, even, odd, back, inverse, stride, rows, out, weight)
    core = tuple(slice(b, b + n) for (b, _), n in zip(around, y.shape, strict=True))
    return np.asarray(out[core] / weight[core])
