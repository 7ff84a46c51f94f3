"""Counts photons, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_diffusion.engine.jit import exact_allocating_kernel, exact_inline_kernel
from napari_diffusion.noise.sampling.poisson import poisson_block
from napari_diffusion.noise.sampling.random_numbers import BLOCK, num_counters, weave, word_block


@exact_inline_kernel
def _rates(rates: Any, image: Any, gain: Any) -> None:
    for i in range(image.size):
        rates[i] = max(np.float64(image[i]), 0.0) / gain


@exact_inline_kernel
def _intensities(out: Any, counts: Any, gain: Any) -> None:
    for i in range(out.size):
        out[i] = counts[i] * gain


@exact_inline_kernel
def _copied(out: Any, image: Any) -> None:
    for i in range(out.size):
        out[i] = image[i]


@exact_allocating_kernel
def count_photons(
    image: Any,
    out: Any,
    gain: Any,
    keys: Any,
    z: Any,
    y0: Any,
    x0: Any,
    plane: Any,
    row_start: Any,
    row_stop: Any,
) -> None:
    """Write gain · k to `out`, k Poisson numbers of mean image / gain; a gain of 0 copies."""
    even, odd = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    words, scratch = np.empty(4 * BLOCK, np.uint32), np.empty((3, 4 * BLOCK), np.float32)
    rates = np.empty(4 * BLOCK)
    width = out.shape[2]
    for row in range(row_start, row_stop):
        if gain == 0:
            _copied(out[plane, row], image[plane, row])
            continue
        for start in range(-(x0 & 3), width, 4 * BLOCK):
            n = num_counters(start, width)
            y, key = y0 + row, keys[plane]
            word_block(even, odd, n, x0 + start, y, z[plane], 0, key)
            weave(words, even.view(np.uint32), odd.view(np.uint32), n)
            a, b = max(start, 0), min(start + 4 * n, width)
            _rates(rates[: b - a], image[plane, row, a:b], gain)
            own = words[a - start : b - start]
            poisson_block(rates, rates, own, b - a, x0 + a, y, z[plane], key, scratch)
            _intensities(out[plane, row, a:b], rates[: b - a], gain)
