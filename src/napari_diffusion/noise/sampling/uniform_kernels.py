"""Noise made from one addressed word a pixel: uniform numbers, outliers, rounding with dither.

No arithmetic here is left to the compiler's choice, so that processors of different makes agree to
the bit; see `_random`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from napari_diffusion.engine.jit import exact_allocating_kernel
from napari_diffusion.noise.sampling.random_numbers import BLOCK, num_counters, weave, word_block

# How a word becomes a number from −1 to 1, symmetric about 0.
_HALF_RANGE, _CENTRE = np.float32(2.0**-31), np.float32(2.0**-32)

# From here on every float64 is whole.
_WHOLE = 2.0**52


@njit(forceinline=True)
def _add_uniform(out: Any, image: Any, half_width: Any, words: Any) -> None:
    for i in range(out.size):
        v = np.float32(np.int32(words[i])) * _HALF_RANGE + _CENTRE
        out[i] = image[i] + half_width * v


@exact_allocating_kernel
def add_uniform(
    image: Any,
    out: Any,
    half_width: Any,
    keys: Any,
    z: Any,
    y0: Any,
    x0: Any,
    plane: Any,
    row_start: Any,
    row_stop: Any,
) -> None:
    """Write image + v to `out`, v uniform within ± `half_width`; see `planes.made_by`."""
    even, odd = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    words = np.empty(4 * BLOCK, np.uint32)
    own_width = out.dtype.type(half_width)
    width = out.shape[2]
    for row in range(row_start, row_stop):
        for start in range(-(x0 & 3), width, 4 * BLOCK):
            n = num_counters(start, width)
            word_block(even, odd, n, x0 + start, y0 + row, z[plane], 0, keys[plane])
            weave(words, even.view(np.uint32), odd.view(np.uint32), n)
            a, b = max(start, 0), min(start + 4 * n, width)
            target, source = out[plane, row, a:b], image[plane, row, a:b]
            _add_uniform(target, source, own_width, words[a - start : b - start])


@njit(forceinline=True)
def _replace(out: Any, image: Any, low: Any, high: Any, first: Any, second: Any, w: Any) -> None:
    for i in range(out.size):
        word = np.int64(w[i])
        kept = low if word < second else image[i]
        out[i] = high if word < first else kept


@exact_allocating_kernel
def replace_some(
    image: Any,
    out: Any,
    low: Any,
    high: Any,
    num_high: Any,
    num_either: Any,
    keys: Any,
    z: Any,
    y0: Any,
    x0: Any,
    plane: Any,
    row_start: Any,
    row_stop: Any,
) -> None:
    """Write the image to `out` with some pixels high or low; see `planes.made_by`.

    Of the 2³² words so many make a pixel high, and so many make it either.
    """
    even, odd = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    words = np.empty(4 * BLOCK, np.uint32)
    own_low, own_high = out.dtype.type(low), out.dtype.type(high)
    width = out.shape[2]
    for row in range(row_start, row_stop):
        for start in range(-(x0 & 3), width, 4 * BLOCK):
            n = num_counters(start, width)
            word_block(even, odd, n, x0 + start, y0 + row, z[plane], 0, keys[plane])
            weave(words, even.view(np.uint32), odd.view(np.uint32), n)
            a, b = max(start, 0), min(start + 4 * n, width)
            target, source = out[plane, row, a:b], image[plane, row, a:b]
            _replace(
                target,
                source,
                own_low,
                own_high,
                num_high,
                num_either,
                words[a - start : b - start],
            )


@njit(forceinline=True)
def _round(out: Any, image: Any, step: Any, before: Any, after: Any, words: Any) -> None:
    for i in range(out.size):
        value = np.float64(image[i])
        v = (np.float64(np.int32(words[i])) + 0.5) * 2.0**-32
        quotient = value / step
        level = np.floor(quotient + before * v + 0.5) - after * v
        out[i] = step * level if abs(quotient) < _WHOLE else value


@exact_allocating_kernel
def round_off(
    image: Any,
    out: Any,
    step: Any,
    before: Any,
    after: Any,
    keys: Any,
    z: Any,
    y0: Any,
    x0: Any,
    plane: Any,
    row_start: Any,
    row_stop: Any,
) -> None:
    """Write the image to `out`, rounded to multiples of a step; see `planes.made_by`.

    `before` and `after` say how much of a uniform number from −½ to ½ steps is added before the
    rounding and taken away after it.
    """
    even, odd = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    words = np.empty(4 * BLOCK, np.uint32)
    width = out.shape[2]
    for row in range(row_start, row_stop):
        for start in range(-(x0 & 3), width, 4 * BLOCK):
            n = num_counters(start, width)
            word_block(even, odd, n, x0 + start, y0 + row, z[plane], 0, keys[plane])
            weave(words, even.view(np.uint32), odd.view(np.uint32), n)
            a, b = max(start, 0), min(start + 4 * n, width)
            target, source = out[plane, row, a:b], image[plane, row, a:b]
            _round(target, source, step, before, after, words[a - start : b - start])
