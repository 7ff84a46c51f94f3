"""Magnitudes of complex numbers with normal noise in both parts, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_diffusion.engine.jit import exact_allocating_kernel, exact_inline_kernel
from napari_diffusion.noise.sampling.normal import normal_block
from napari_diffusion.noise.sampling.random_numbers import BLOCK, num_counters, word_block


@exact_inline_kernel
def _magnitudes(out: Any, image: Any, real: Any, imaginary: Any, sigma: Any, unit: Any) -> None:
    # Squares of float32 numbers stay within the range of float64, and those of others in `unit`s.
    scale, spread = 1 / unit, sigma / unit
    for i in range(out.size):
        a = np.float64(image[i]) * scale + spread * np.float64(real[i])
        b = spread * np.float64(imaginary[i])
        out[i] = np.sqrt(a * a + b * b) * unit


@exact_allocating_kernel
def take_magnitudes(
    image: Any,
    out: Any,
    sigma: Any,
    unit: Any,
    keys: Any,
    z: Any,
    y0: Any,
    x0: Any,
    plane: Any,
    row_start: Any,
    row_stop: Any,
) -> None:
    """Write √((image + σ n₁)² + (σ n₂)²) to `out`; `unit` is a power of two near image and σ."""
    even, odd = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    even32, odd32 = even.view(np.uint32), odd.view(np.uint32)
    normals = np.empty((2, 4 * BLOCK), np.float32)
    width = out.shape[2]
    for row in range(row_start, row_stop):
        for start in range(-(x0 & 3), width, 4 * BLOCK):
            n = num_counters(start, width)
            for part in range(2):
                word_block(even, odd, n, x0 + start, y0 + row, z[plane], part, keys[plane])
                normal_block(normals[part], even32, odd32, n)
            a, b = max(start, 0), min(start + 4 * n, width)
            first, last = a - start, b - start
            real, imaginary = normals[0, first:last], normals[1, first:last]
            _magnitudes(out[plane, row, a:b], image[plane, row, a:b], real, imaginary, sigma, unit)
