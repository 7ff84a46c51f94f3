"""What a camera reads out: photons counted and perhaps multiplied, and read noise, row by row.

The numbers of a pixel come from different attempts of its counter: its photons from 0 on, their
multiplication from MULTIPLIED on, its read noise from READ.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.jit import (
    exact_allocating_kernel,
    exact_inline_kernel,
    exact_inner_kernel,
    exact_kernel,
)
from napari_diffusion.noise.sampling.gamma import PIECES, SERIES, from_table, pieces, place
from napari_diffusion.noise.sampling.normal import normal_block
from napari_diffusion.noise.sampling.poisson import poisson_block
from napari_diffusion.noise.sampling.quantile import (
    is_inner,
    long_word_at,
    normal_quantile,
    normal_quantile_at,
)
from napari_diffusion.noise.sampling.random_numbers import BLOCK, num_counters, weave, word_block

if TYPE_CHECKING:
    from numpy.typing import NDArray

MULTIPLIED = 1 << 16
READ = 2 << 16

# Up to so many electrons the gamma quantile is tabulated.
_TABULATED = 32
_FIRST, _SECOND, _THIRD = (np.array(each[::-1]) for each in SERIES)


def no_tables() -> NDArray[np.float32]:
    """Return what says that electrons are not multiplied."""
    return np.zeros((0, 0, 4), np.float32)


@functools.cache
def tables() -> NDArray[np.float32]:
    """Return the pieces of the gamma quantile for 0 … 32 electrons."""
    found = [pieces(float(count)) for count in range(1, _TABULATED + 1)]
    return np.stack([np.zeros((PIECES, 4), np.float32), *found])


@exact_inline_kernel
def _series(coefficients: Any, r: Any) -> Any:
    total = 0.0
    for c in coefficients:
        total = total * r + c
    return total


@exact_kernel
def multiplied(count: Any, z: Any, table: Any) -> Any:
    """Return the gamma number of shape `count` and scale 1 at the normal quantile z."""
    if count == 0:
        return 0.0
    if count <= _TABULATED:
        row, t = place(np.float32(z))
        f = np.float64(from_table(table[int(count)], row, t))
    else:
        r = np.float64(z) / math.sqrt(count)
        second = _series(_SECOND, r) + _series(_THIRD, r) / count
        f = 1.0 + (r * _series(_FIRST, r) + second / count)
    return count * (f * f * f)


@exact_inner_kernel
def _multiply(
    counts: Any, words: Any, n: Any, table: Any, x: Any, y: Any, z: Any, key: Any
) -> None:
    for i in range(n):
        if is_inner(words[i]):
            counts[i] = multiplied(counts[i], np.float64(normal_quantile(words[i])), table)
        else:
            k0, k1 = np.uint64(key[0]), np.uint64(key[1])
            quantile = normal_quantile_at(long_word_at(x + i, y, z, MULTIPLIED, k0, k1))
            counts[i] = multiplied(counts[i], quantile, table)


@exact_inline_kernel
def _row(values: Any, sensor: Any, row: Any, first: Any, n: Any, times: Any) -> None:
    """Write what a map, or a single number, says of some pixels of a row."""
    mapped = sensor.size > 1
    own = sensor[row if mapped else 0]
    for i in range(n):
        values[i] = times * own[first + i if mapped else 0]


@exact_inline_kernel
def _rates(rates: Any, image: Any, gains: Any, offsets: Any) -> None:
    for i in range(image.size):
        rates[i] = max(np.float64(image[i]) - offsets[i], 0.0) / gains[i]


@exact_inline_kernel
def _read_out(
    out: Any, image: Any, counts: Any, gains: Any, offsets: Any, reads: Any, normals: Any
) -> None:
    for i in range(out.size):
        dark = min(np.float64(image[i]), offsets[i])
        out[i] = dark + gains[i] * counts[i] + reads[i] * np.float64(normals[i])


@exact_allocating_kernel
def expose(
    image: Any,
    out: Any,
    gain: Any,
    offset: Any,
    read_noise: Any,
    factor: Any,
    table: Any,
    keys: Any,
    z: Any,
    y0: Any,
    x0: Any,
    plane: Any,
    row_start: Any,
    row_stop: Any,
) -> None:
    """Write offset + gain · k + read noise to `out`; a factor of 0 copies.

    Parameters
    ----------
    gain, offset, read_noise : ndarray of float64
        Of one number, or of the shape of a plane.
    factor : float
        Of gain and read variance.
    table : ndarray
        From `tables`, where electrons are multiplied, or `no_tables`.
    """
    even, odd = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    even32, odd32 = even.view(np.uint32), odd.view(np.uint32)
    words, scratch = np.empty(4 * BLOCK, np.uint32), np.empty((3, 4 * BLOCK), np.float32)
    normals, sensor = np.zeros(4 * BLOCK, np.float32), np.empty((4, 4 * BLOCK))
    gains, offsets, reads, counts = sensor[0], sensor[1], sensor[2], sensor[3]
    width, key = out.shape[2], keys[plane]
    for row in range(row_start, row_stop):
        y = y0 + row
        for start in range(-(x0 & 3), width, 4 * BLOCK):
            n = num_counters(start, width)
            a, b = max(start, 0), min(start + 4 * n, width)
            first, m, x = a - start, b - a, x0 + a
            if factor == 0:
                for i in range(a, b):
                    out[plane, row, i] = image[plane, row, i]
                continue
            _row(gains, gain, row, a, m, factor)
            _row(offsets, offset, row, a, m, 1.0)
            _row(reads, read_noise, row, a, m, math.sqrt(factor))
            _rates(counts, image[plane, row, a:b], gains, offsets)
            word_block(even, odd, n, x0 + start, y, z[plane], 0, key)
            weave(words, even32, odd32, n)
            poisson_block(counts, counts, words[first:], m, x, y, z[plane], key, scratch)
            if table.shape[0] > 0:
                word_block(even, odd, n, x0 + start, y, z[plane], MULTIPLIED, key)
                weave(words, even32, odd32, n)
                _multiply(counts, words[first:], m, table, x, y, z[plane], key)
            word_block(even, odd, n, x0 + start, y, z[plane], READ, key)
            normal_block(normals, even32, odd32, n)
            target, source = out[plane, row, a:b], image[plane, row, a:b]
            _read_out(target, source, counts, gains, offsets, reads, normals[first:])
