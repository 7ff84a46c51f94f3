"""Volumes with white noise, of cubic and of stretched voxels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import napari_diffusion as nd
from benchmarks import images
from benchmarks.quality import earlier, peers
from benchmarks.quality.cases import Case, Denoiser, compared, table
from napari_diffusion.samples import scene

if TYPE_CHECKING:
    from collections.abc import Iterator

# Spacings of the computed scene, and the part of it that is taken.
PARTS = {
    (1.0, 1.0, 1.0): (slice(0, 48), slice(10, 74), slice(14, 78)),
    (1.5, 0.5, 0.5): (slice(20, 52), slice(70, 154), slice(70, 154)),
}
SIGMAS = (0.08, 0.15)


REAL = "a head"

_BM4D = "BM4D, given the true noise"


def volumes(truth: Any, name: str, seeds: int) -> Iterator[Case]:
    for sigma in SIGMAS:
        for seed in range(seeds):
            noise = np.random.default_rng(101 + seed).standard_normal(truth.shape)
            yield Case(name, sigma, truth, (truth + sigma * noise).astype(np.float32))


def head() -> tuple[Any, tuple[float, float, float]]:
    """Return a magnetic resonance volume that ships with nibabel, from 0 to 1, and its spacing."""
    import nibabel

    values = np.asarray(images.load("example4d")[..., 0], np.float64).T
    header = nibabel.load(images.file_of("example4d")).header
    x, y, z = (float(length) for length in header.get_zooms()[:3])
    return values / np.quantile(values, 0.999), (z, y, x)


def measured(seeds: int) -> dict[str, Any]:
    parts: dict[str, tuple[Any, tuple[float, float, float]]] = {
        ":".join(f"{length:g}" for length in spacing): (scene(spacing)[part], spacing)
        for spacing, part in PARTS.items()
    }
    if images.is_here("example4d"):
        parts[REAL] = head()
    return {
        name: compared(
            volumes(truth, name, min(seeds, 1)), _ways(spacing), frozenset(), frozenset({_BM4D})
        )
        for name, (truth, spacing) in parts.items()
    }


def _ways(spacing: tuple[float, float, float]) -> dict[str, Denoiser]:
    def ours(fast: bool) -> Denoiser:
        return lambda noisy, truth, sigma: nd.denoise(noisy, axes="zyx", spacing=spacing, fast=fast)

    ways = {
        "denoise": ours(False),
        "denoise fast": ours(True),
        earlier.NAME: lambda noisy, truth, sigma: earlier.denoise(
            noisy, axes="zyx", spacing=spacing
        ),
    }
    if peers.here("bm4d"):
        ways[_BM4D] = peers.bm4d
    return ways


def lines(found: dict[str, Any]) -> list[str]:
    text = [
        "## Volumes, white noise\n",
        "Parts of a computed scene of membranes, filaments and blobs, Gaussian noise of "
        f"{' and '.join(map(str, SIGMAS))} where the scene is from 0.1 to 1. The scene is "
        "one, and the denoiser was tried on it while it was made, with other noise: no interval "
        "can be given.\n",
    ]
    for name, values in found.items():
        what = f"Spacing {name}"
        if name == REAL:
            what = "A head in a magnetic resonance scanner (nibabel's example4d, 2.2 × 2 × 2 mm), "
            what += "whose own noise counts as part of the ground truth; it was held out"
        text += [
            f"{what}, {len(values['cases'])} cases:\n",
            *table(values, ("denoise", "denoise fast")),
            "",
        ]
    return text
