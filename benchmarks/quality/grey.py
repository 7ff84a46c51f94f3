"""Grey images with white noise."""

from __future__ import annotations

from typing import Any

import napari_diffusion as nd
from benchmarks.quality import earlier, peers
from benchmarks.quality.cases import SIGMAS, Denoiser, compared, table, white
from napari_diffusion.filters import LearnedDiffusion

_GIVEN = "denoise, given the true noise"
_LEARNED = "LearnedDiffusion, given the true noise"
_BM3D = "BM3D, given the true noise"


def measured(seeds: int) -> dict[str, Any]:
    ways: dict[str, Denoiser] = {
        "denoise": lambda noisy, truth, sigma: nd.denoise(noisy),
        "denoise fast": lambda noisy, truth, sigma: nd.denoise(noisy, fast=True),
        _GIVEN: lambda noisy, truth, sigma: nd.denoise(noisy, noise_sigma=sigma),
        _LEARNED: lambda noisy, truth, sigma: LearnedDiffusion(noise_sigma=sigma)(noisy),
        earlier.NAME: lambda noisy, truth, sigma: earlier.denoise(noisy),
        f"{earlier.NAME}, given the true noise": lambda noisy, truth, sigma: earlier.denoise(
            noisy, sigma
        ),
    }
    slow = {_BM3D: peers.bm3d} if peers.here("bm3d") else {}
    return compared(white(min(seeds, 1)), {**ways, **slow}, frozenset(), frozenset(slow))


def lines(found: dict[str, Any]) -> list[str]:
    names = {name for name, _ in found["cases"]}
    return [
        "## Grey images, white noise\n",
        f"{len(names)} images of at most 256² that many packages ship, Gaussian noise of "
        f"{', '.join(map(str, SIGMAS))} of the range, one seed: {len(found['cases'])} cases. "
        "*denoise* measures the noise, that of the images themselves too.\n",
        *table(found, ("denoise", _GIVEN, _LEARNED)),
        "",
    ]
