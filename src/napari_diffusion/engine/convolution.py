"""Convolution with a symmetric kernel along two axes in one sweep over the memory.

A tile is a column of rows, some vectors wide. Each of its rows is read once, convolved along x into
a window of rows, and the window across them into the output. Rows that lie a power of two apart
fall on the same lines of a cache, and reading all taps from where they stand in memory would miss
it every time; the window's rows lie side by side.

Every tap is added as ``total + w · ((a + b) − 2 v)``: a constant stays as it is to the bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.jit import exact_inline_kernel, exact_kernel
from napari_diffusion.engine.vector_lanes import (
    BYTES,
    add_rows,
    add_shifted,
    doubled,
    lanes,
    load,
    prefetch,
    store_sums,
    zeros,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Output rows made from one window, and how many rows ahead memory is asked for.
ROWS = 32
AHEAD = 4


@exact_inline_kernel
def mirrored(i, size):
    """Return the pixel that stands for index i beyond a border that mirrors between pixels."""
    if i < 0:
        i = -1 - i
    if i >= size:
        i = 2 * size - 1 - i
        if i < 0:
            # Where the kernel is longer than the image: mirrored again and again.
            i = (2 * size - 1 - i) % (2 * size)
            i = i if i < size else 2 * size - 1 - i
    return i


@exact_inline_kernel
def _along(source, at, weights, window, base, width):
    """Convolve the pixels from `at` on along their row, into the window."""
    n = lanes(window)
    for x in range(0, width, 4 * n):
        middle = load(source, at + x, n, 4)
        twos, sums = doubled(middle), zeros(middle)
        for tap in range(0, weights.size, n):
            above, below = load(source, at + x + tap, n, 5), load(source, at + x - tap - n, n, 5)
            sums = add_shifted(sums, twos, below, above, weights, tap, 0)
            if tap + 4 < weights.size:
                sums = add_shifted(sums, twos, below, above, weights, tap + 4, 4)
            if n > 8 and tap + 8 < weights.size:
                sums = add_shifted(sums, twos, below, above, weights, tap + 8, 8)
            if n > 8 and tap + 12 < weights.size:
                sums = add_shifted(sums, twos, below, above, weights, tap + 12, 12)
        store_sums(window, base + x, n, middle, sums)


@exact_inline_kernel
def _across(window, at, weights, width, out, base, pitch):
    """Convolve four rows of the window across the rows; neighbours are loaded once for all."""
    for x in range(0, width, lanes(window)):
        middle = load(window, at + x, width, 4)
        twos, sums = doubled(middle), zeros(middle)
        for tap in range(0, weights.size, 4):
            above = load(window, at + x + (tap + 1) * width, width, 7)
            below = load(window, at + x - (tap + 4) * width, width, 7)
            sums = add_rows(sums, twos, below, above, weights, tap)
        store_sums(out, base + x, pitch, middle, sums)


@exact_inline_kernel
def _padded(flat, start, size, first, last, padded):
    """Copy the pixels first … last − 1 of a row, its border mirrored."""
    left, right = max(first, 0), min(last, size)
    for x in range(first, left):
        padded[x - first] = flat[start + mirrored(x, size)]
    for x in range(left, right):
        padded[x - first] = flat[start + x]
    for x in range(right, last):
        padded[x - first] = flat[start + mirrored(x, size)]


@exact_kernel
def _convolve(
    flat, flat_out, shape, across, along, window, padded, results, plane, y0, y1, x0, width
):  # fmt: skip
    _, size, columns = shape
    reach, n = across.size, lanes(window)
    margin = (along.size + n - 1) // n * n
    inside = min(width, columns - x0)
    whole = x0 >= margin and x0 + width + margin <= columns
    for first in range(y0, y1, ROWS):
        begin = 0
        if first > y0:
            begin = 2 * reach
            for x in range(begin * width):
                window[x] = window[ROWS * width + x]
        for j in range(begin, min(ROWS, y1 - first) + 2 * reach):
            y = first - reach + j
            for x in range(0, width, n):
                prefetch(flat, (plane * size + min(y + AHEAD, size - 1)) * columns + x0 + x)
            start = (plane * size + mirrored(y, size)) * columns
            source, at = flat, start + x0
            if not whole:
                _padded(flat, start, columns, x0 - margin, x0 + width + margin, padded)
                source, at = padded, margin
            _along(source, at, along, window, j * width, width)
        for y in range(first, min(first + ROWS, y1), 4):
            base = (plane * size + y) * columns + x0
            direct = inside == width and y + 4 <= y1
            target, place, pitch = flat_out, base, columns
            if not direct:
                target, place, pitch = results, 0, width
            _across(window, (y - first + reach) * width, across, width, target, place, pitch)
            if not direct:
                for j in range(min(4, y1 - y)):
                    for x in range(inside):
                        flat_out[base + j * columns + x] = results[j * width + x]


def convolve(
    image: NDArray[Any],
    out: NDArray[Any],
    across: NDArray[Any],
    along: NDArray[Any],
    plane: int,
    y0: int,
    y1: int,
    x0: int,
    width: int,
) -> None:
    """Write one tile of the image convolved along its last two axes.

    Parameters
    ----------
    image, out : (planes, rows, columns) float32 or float64, C-contiguous
        `out` may not overlap `image`.
    across, along : 1D arrays of the image's type
        Weights at the distance 1, 2, …; filled up with zeros to a multiple of four.
    plane, y0, y1, x0 : int
        The tile: rows y0 … y1 − 1 of a plane, from the column x0 on.
    width : int
        Columns of the tile, a multiple of four vectors; those beyond the image are left out.
    """
    reach, n = across.size, BYTES // image.itemsize
    # Of the last four output rows up to three lie beyond the tile.
    window = _aligned((ROWS + 2 * reach + 3) * width, image.dtype)
    padded = np.zeros(width + 2 * ((along.size + n - 1) // n * n), image.dtype)
    results = _aligned(4 * width, image.dtype)
    _convolve(
        image.reshape(-1), out.reshape(-1), image.shape, across, along, window, padded, results,
        plane, y0, y1, x0, width,
    )  # fmt: skip


def _aligned(count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return zeros that begin with a line of the cache."""
    whole = np.zeros(count + BYTES // dtype.itemsize, dtype)
    skip = -whole.ctypes.data % BYTES // dtype.itemsize
    return whole[skip : skip + count]
