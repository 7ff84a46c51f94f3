"""`LearnedDiffusion` beside BM3D, both told the noise of the image."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

import napari_diffusion as nd
from benchmarks import peers
from benchmarks.cases import Case, Setting, Side, copying, example_image, here, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

# Of the range; and the side of a square on which BM3D takes seconds, not minutes.
SIGMA, SIDE = 0.1, 256


def denoising(setting: Setting) -> Iterator[Case]:
    shape = tuple(min(n, SIDE) for n in setting.plane)
    noise = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    image = example_image(shape) + np.float32(SIGMA) * noise
    chosen = nd.filters.LearnedDiffusion(noise_sigma=SIGMA)
    haar = nd.filters.HaarDiffusion(noise_sigma=SIGMA, weights=(0.3, 0.5))
    yield Case(
        "learned-diffusion",
        f"Denoising, {name_of(shape)}",
        "pixel",
        Side("LearnedDiffusion", lambda: chosen(image), image.size),
        (
            *here(setting, (peers.BM3D, functools.partial(_bm3d, image))),
            Side("HaarDiffusion", lambda: haar(image), image.size, own=True),
            copying(image),
        ),
    )


def _bm3d(image: Any) -> Side:
    doubled = image.astype(float)
    denoised = peers.BM3D.loaded.bm3d
    return Side("BM3D", lambda: denoised(doubled, SIGMA), image.size, "another method")
