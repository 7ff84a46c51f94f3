"""Volumes with white noise, of cubic and of stretched voxels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import napari_diffusion as nd
from benchmarks.quality import peers
from benchmarks.quality.cases import Case, Denoiser, compared, table
from napari_diffusion.samples.phantom import scene

if TYPE_CHECKING:
    from collections.abc import Iterator

# Spacings of the computed scene, and the part of it that is taken.
PARTS = {
    (1.0, 1.0, 1.0): (slice(0, 48), slice(10, 74), slice(14, 78)),
    (1.5, 0.5, 0.5): (slice(20, 52), slice(70, 154), slice(70, 154)),
}
SIGMAS = (0.08, 0.15)


def volumes(spacing: tuple[float, float, float], seeds: int) -> Iterator[Case]:
    truth = scene(spacing)[PARTS[spacing]]
    for sigma in SIGMAS:
        for seed in range(seeds):
            noise = np.random.default_rng(101 + seed).standard_normal(truth.shape)
            yield Case(f"{spacing}", sigma, truth, (truth + sigma * noise).astype(np.float32))


def measured(seeds: int) -> dict[str, Any]:
    return {
        ":".join(f"{length:g}" for length in spacing): compared(
            volumes(spacing, seeds), _ways(spacing), frozenset({"BM4D, given the true noise"})
        )
        for spacing in PARTS
    }


def _ways(spacing: tuple[float, float, float]) -> dict[str, Denoiser]:
    def ours(fast: bool) -> Denoiser:
        return lambda noisy, truth, sigma: nd.denoise(noisy, axes="zyx", spacing=spacing, fast=fast)

    ways = {
        "denoise": ours(False),
        "denoise fast": ours(True),
        "total variation of the volume, tuned": peers.total_variation,
    }
    if peers.here("bm4d"):
        ways["BM4D, given the true noise"] = peers.bm4d
    return ways


def lines(found: dict[str, Any]) -> list[str]:
    text = [
        "## Volumes, white noise\n",
        "Parts of a computed scene of membranes, filaments and blobs, Gaussian noise of "
        f"{' and '.join(map(str, SIGMAS))} where the scene is from 0.1 to 1. The scene is "
        "one, and the denoiser was tried on it while it was made, with other noise: no interval "
        "can be given.\n",
    ]
    for spacing, values in found.items():
        text += [
            f"Spacing {spacing}, {len(values['cases'])} cases:\n",
            *table(values, ("denoise", "denoise fast")),
            "",
        ]
    return text
