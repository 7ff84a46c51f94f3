"""Multiplies an image by gamma numbers, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_diffusion.engine.jit import exact_allocating_kernel, exact_inline_kernel
from napari_diffusion.noise.sampling.gamma import LARGE, gamma_block, times_cubed
from napari_diffusion.noise.sampling.random_numbers import BLOCK, num_counters, weave, word_block


@exact_inline_kernel
def _times_f(out: Any, image: Any, found: Any) -> None:
    for i in range(out.size):
        f = out.dtype.type(found[i])
        out[i] = image[i] * (f * f * f)


@exact_inline_kernel
def _times_e(out: Any, image: Any, found: Any) -> None:
    for i in range(out.size):
        out[i] = times_cubed(image[i], out.dtype.type(found[i]))


@exact_allocating_kernel
def multiply(
    image: Any,
    out: Any,
    looks: Any,
    table: Any,
    smooth: Any,
    keys: Any,
    z: Any,
    y0: Any,
    x0: Any,
    plane: Any,
    row_start: Any,
    row_stop: Any,
) -> None:
    """Write image · g to `out`, g gamma numbers of shape `looks` and mean 1; see `gamma_block`."""
    even, odd = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    words, found = np.empty(4 * BLOCK, np.uint32), np.empty(4 * BLOCK, np.float32)
    width = out.shape[2]
    for row in range(row_start, row_stop):
        for start in range(-(x0 & 3), width, 4 * BLOCK):
            n = num_counters(start, width)
            y, key = y0 + row, keys[plane]
            word_block(even, odd, n, x0 + start, y, z[plane], 0, key)
            weave(words, even.view(np.uint32), odd.view(np.uint32), n)
            a, b = max(start, 0), min(start + 4 * n, width)
            own = words[a - start : b - start]
            x = x0 + a
            gamma_block(found, own, b - a, looks, table, smooth, x, y, z[plane], 0, key)
            if looks < LARGE:
                _times_f(out[plane, row, a:b], image[plane, row, a:b], found[: b - a])
            else:
                _times_e(out[plane, row, a:b], image[plane, row, a:b], found[: b - a])
