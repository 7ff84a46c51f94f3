"""Convolution with a symmetric kernel along two axes in one sweep over the memory.

A tile is a column of rows, some vectors wide. Each of its rows is read once, convolved along x into
a window of rows, and the window across them into the output. Rows that lie a power of two apart
fall on the same lines of a cache, and reading all taps from where they stand in memory would miss
it every time; the window's rows lie side by side.

Every tap is added as ``total + w · ((a + b) − 2 v)``: a constant stays as it is to the bit.
"""

from __future__ import annotations

import numpy as np

from napari_diffusion.compiled import exact_inline_kernel, exact_kernel
from napari_diffusion.filters._vector import (
    add_shifted,
    add_taps,
    lanes,
    load,
    plus,
    prefetch,
    spread,
    store,
    zero,
)

# Output rows made from one window, and how many rows ahead memory is asked for.
ROWS = 32
AHEAD = 4


@exact_inline_kernel
def mirrored(i, size):
    """Return the sample that stands for index i beyond a border that mirrors between samples."""
    if i < 0:
        i = -1 - i
    if i >= size:
        i = 2 * size - 1 - i
        if i < 0:
            # Where the kernel is longer than the picture: mirrored again and again.
            i = (2 * size - 1 - i) % (2 * size)
            i = i if i < size else 2 * size - 1 - i
    return i


@exact_inline_kernel
def _aligned(count, like):
    """Return zeros that begin with a line of the cache."""
    whole = np.zeros(count + 64 // like.itemsize, like.dtype)
    skip = (-whole.ctypes.data % 64) // like.itemsize
    return whole[skip : skip + count]


@exact_inline_kernel
def _along(source, at, weights, window, base, width):
    """Convolve the samples from `at` on along their row, into the window."""
    n = lanes(window)
    for x in range(0, width, 4 * n):
        p = at + x
        v0, v1, v2, v3 = load(source, p), load(source, p + n), load(source, p + 2 * n), zero(window)
        v3 = load(source, p + 3 * n)
        twos = (plus(v0, v0), plus(v1, v1), plus(v2, v2), plus(v3, v3))
        sums = (zero(window), zero(window), zero(window), zero(window))
        for tap in range(0, weights.size, n):
            high, low = p + tap, p - tap - n
            above = (
                load(source, high),
                load(source, high + n),
                load(source, high + 2 * n),
                load(source, high + 3 * n),
                load(source, high + 4 * n),
            )
            below = (
                load(source, low),
                load(source, low + n),
                load(source, low + 2 * n),
                load(source, low + 3 * n),
                load(source, low + 4 * n),
            )
            sums = add_shifted(sums, twos, below, above, weights, tap, 0)
            if tap + 4 < weights.size:
                sums = add_shifted(sums, twos, below, above, weights, tap + 4, 4)
            if n > 8 and tap + 8 < weights.size:
                sums = add_shifted(sums, twos, below, above, weights, tap + 8, 8)
            if n > 8 and tap + 12 < weights.size:
                sums = add_shifted(sums, twos, below, above, weights, tap + 12, 12)
        q = base + x
        store(window, q, plus(v0, sums[0]))
        store(window, q + n, plus(v1, sums[1]))
        store(window, q + 2 * n, plus(v2, sums[2]))
        store(window, q + 3 * n, plus(v3, sums[3]))


@exact_inline_kernel
def _row(flat, start, size, x0, padded, weights, window, base, width):
    """Convolve a part of a row along x, its border mirrored."""
    n = lanes(window)
    reach = (weights.size + n - 1) // n * n
    if x0 >= reach and x0 + width + reach <= size:
        _along(flat, start + x0, weights, window, base, width)
        return
    first, last = x0 - reach, x0 + width + reach
    left, right = max(first, 0), min(last, size)
    for x in range(first, left):
        padded[x - first] = flat[start + mirrored(x, size)]
    for x in range(left, right):
        padded[x - first] = flat[start + x]
    for x in range(right, last):
        padded[x - first] = flat[start + mirrored(x, size)]
    _along(padded, reach, weights, window, base, width)


@exact_inline_kernel
def _four(sums, w, a0, a1, a2, a3, b0, b1, b2, b3, twos):
    return (
        add_taps(sums[0], w, a0, b0, twos[0]),
        add_taps(sums[1], w, a1, b1, twos[1]),
        add_taps(sums[2], w, a2, b2, twos[2]),
        add_taps(sums[3], w, a3, b3, twos[3]),
    )


@exact_inline_kernel
def _across(window, row, weights, width, out, base, pitch):
    """Convolve four rows of the window across the rows; neighbours are loaded once for all."""
    p = width
    for x in range(0, width, lanes(window)):
        at = row * p + x
        v0, v1, v2 = load(window, at), load(window, at + p), load(window, at + 2 * p)
        v3 = load(window, at + 3 * p)
        twos = (plus(v0, v0), plus(v1, v1), plus(v2, v2), plus(v3, v3))
        sums = (zero(window), zero(window), zero(window), zero(window))
        for tap in range(0, weights.size, 4):
            a, b = at + (tap + 1) * p, at - (tap + 4) * p
            a0, a1, a2 = load(window, a), load(window, a + p), load(window, a + 2 * p)
            a3, a4 = load(window, a + 3 * p), load(window, a + 4 * p)
            a5, a6 = load(window, a + 5 * p), load(window, a + 6 * p)
            b0, b1, b2 = load(window, b), load(window, b + p), load(window, b + 2 * p)
            b3, b4 = load(window, b + 3 * p), load(window, b + 4 * p)
            b5, b6 = load(window, b + 5 * p), load(window, b + 6 * p)
            sums = _four(sums, spread(weights, tap), a0, a1, a2, a3, b3, b4, b5, b6, twos)
            sums = _four(sums, spread(weights, tap + 1), a1, a2, a3, a4, b2, b3, b4, b5, twos)
            sums = _four(sums, spread(weights, tap + 2), a2, a3, a4, a5, b1, b2, b3, b4, twos)
            sums = _four(sums, spread(weights, tap + 3), a3, a4, a5, a6, b0, b1, b2, b3, twos)
        q = base + x
        store(out, q, plus(v0, sums[0]))
        store(out, q + pitch, plus(v1, sums[1]))
        store(out, q + 2 * pitch, plus(v2, sums[2]))
        store(out, q + 3 * pitch, plus(v3, sums[3]))


@exact_kernel
def convolve(image, out, across, along, plane, y0, y1, x0, width):
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
    _, size, columns = image.shape
    flat, flat_out = image.reshape(-1), out.reshape(-1)
    reach, n = across.size, lanes(image)
    # Of the last four output rows up to three lie beyond the tile.
    window = _aligned((ROWS + 2 * reach + 3) * width, image)
    padded = _aligned(width + 2 * (along.size + n), image)
    results = _aligned(4 * width, image)
    inside = min(width, columns - x0)
    for first in range(y0, y1, ROWS):
        begin = 0
        if first > y0:
            begin = 2 * reach
            for x in range(0, begin * width, n):
                store(window, x, load(window, ROWS * width + x))
        for j in range(begin, min(ROWS, y1 - first) + 2 * reach):
            y = first - reach + j
            for x in range(0, width, n):
                prefetch(flat, (plane * size + min(y + AHEAD, size - 1)) * columns + x0 + x)
            start = (plane * size + mirrored(y, size)) * columns
            _row(flat, start, columns, x0, padded, along, window, j * width, width)
        for y in range(first, min(first + ROWS, y1), 4):
            base = (plane * size + y) * columns + x0
            if inside == width and y + 4 <= y1:
                _across(window, y - first + reach, across, width, flat_out, base, columns)
                continue
            _across(window, y - first + reach, across, width, results, 0, width)
            for j in range(min(4, y1 - y)):
                for x in range(inside):
                    flat_out[base + j * columns + x] = results[j * width + x]
