"""Cosine transforms of 8 × 8 windows: how lively each one is, and what it holds at its finest."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.jit import inner_kernel, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE = 8

# Windows begin at every fourth pixel of the whole image, along both axes.
STRIDE = 4

# How many coefficients have 0 < k + q < 8, 4 ≤ k + q < 8, and k + q ≥ 10.
LIVELY, MIDDLE, FINE = 35, 26, 15

# cos(k π / 16) / 2 for k = 0 … 7: the orthonormal transform of 8 pixels is made of them.
_C = tuple(0.5 * math.cos(k * math.pi / 16) for k in range(SIZE))


@inner_kernel
def _transform(a, out, count):
    """Write the transforms of 8 rows, a[j, n] being pixel j of window n, into out[k, n]."""
    c1, c2, c3, c5, c6, c7 = _C[1], _C[2], _C[3], _C[5], _C[6], _C[7]
    flat = 0.25 * np.sqrt(2.0)
    for n in range(count):
        s0, s1, s2, s3 = a[0, n] + a[7, n], a[1, n] + a[6, n], a[2, n] + a[5, n], a[3, n] + a[4, n]
        d0, d1, d2, d3 = a[0, n] - a[7, n], a[1, n] - a[6, n], a[2, n] - a[5, n], a[3, n] - a[4, n]
        # Sums and differences first: of a constant or a slope nothing is left to the bit.
        e0, e1, f0, f1 = s0 + s3, s1 + s2, s0 - s3, s1 - s2
        out[0, n] = flat * (e0 + e1)
        out[4, n] = flat * (e0 - e1)
        out[2, n] = c2 * f0 + c6 * f1
        out[6, n] = c6 * f0 - c2 * f1
        out[1, n] = c1 * d0 + c3 * d1 + c5 * d2 + c7 * d3
        out[3, n] = c3 * d0 - c7 * d1 - c1 * d2 - c5 * d3
        out[5, n] = c5 * d0 - c1 * d1 + c7 * d2 + c3 * d3
        out[7, n] = c7 * d0 - c5 * d1 + c3 * d2 - c1 * d3


def window_energies(
    plane: NDArray[Any],
    mask: NDArray[np.bool_] | None,
    y0: int,
    x0: int,
    lively: NDArray[np.float64],
    middle: NDArray[np.float64],
    fine: NDArray[np.float64],
) -> None:
    """Write mean squares of the coefficients of the windows of a plane.

    Parameters
    ----------
    plane : (Y, X) float32 or float64
        Pixels.
    mask : (Y, X) bool or None
        Windows with a pixel outside are left out.
    y0, x0 : int
        Where the plane begins in the whole image, modulo STRIDE.
    lively, middle, fine : (Y, X) float64
        Root of the mean square over 0 < k + q < 8, over 4 ≤ k + q < 8 and over k + q ≥ 10, written
        at the first pixel of each window; elsewhere untouched, and so for windows without any
        variation: they were clipped, or are a border.
    """
    width = plane.shape[1]
    count = max((width - SIZE - (STRIDE - x0) % STRIDE) // STRIDE + 1, 0)
    rooms = [np.empty((SIZE, n)) for n in (width, width, count, count)]
    energy = np.empty((2 * SIZE, count))
    _window_energies(plane, mask, y0, x0, lively, middle, fine, *rooms, energy)


@kernel
def _window_energies(
    plane, mask, y0, x0, lively, middle, fine, column, down, across, coefficients, energy
):  # fmt: skip
    height, width = plane.shape
    first, count = (STRIDE - x0) % STRIDE, energy.shape[1]
    for y in range((STRIDE - y0) % STRIDE, height - SIZE + 1, STRIDE):
        for j in range(SIZE):
            for x in range(width):
                column[j, x] = plane[y + j, x]
        _transform(column, down, width)
        for k in range(2 * SIZE):
            for n in range(count):
                energy[k, n] = 0.0
        for k in range(SIZE):
            for j in range(SIZE):
                for n in range(count):
                    across[j, n] = down[k, first + STRIDE * n + j]
            _transform(across, coefficients, count)
            for q in range(SIZE):
                for n in range(count):
                    energy[k + q, n] += coefficients[q, n] * coefficients[q, n]
        for n in range(count):
            x = first + STRIDE * n
            low = energy[1, n] + energy[2, n] + energy[3, n]
            mid = energy[4, n] + energy[5, n] + energy[6, n] + energy[7, n]
            whole = low + mid > 0.0
            if mask is not None:
                for j in range(SIZE):
                    for i in range(SIZE):
                        whole = whole and mask[y + j, x + i]
            if whole:
                high = energy[10, n] + energy[11, n] + energy[12, n] + energy[13, n] + energy[14, n]
                lively[y, x] = np.sqrt((low + mid) / LIVELY)
                middle[y, x] = np.sqrt(mid / MIDDLE)
                fine[y, x] = np.sqrt(high / FINE)
