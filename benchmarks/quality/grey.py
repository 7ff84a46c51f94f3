"""Grey images with white noise."""

from __future__ import annotations

from typing import Any

import numpy as np

import napari_diffusion as nd
from benchmarks.quality import peers
from benchmarks.quality.cases import SIGMAS, Denoiser, compared, table, white

_BEST = "the best of those diffusions"


def measured(seeds: int) -> dict[str, Any]:
    ways: dict[str, Denoiser] = {
        "denoise": lambda noisy, truth, sigma: nd.denoise(noisy),
        "denoise fast": lambda noisy, truth, sigma: nd.denoise(noisy, fast=True),
        "total variation, tuned": peers.total_variation,
    }
    tuned = peers.diffusions()
    slow = {"BM3D, given the true noise": peers.bm3d} if peers.here("bm3d") else {}
    found = compared(white(seeds), {**ways, **slow, **tuned}, frozenset({*slow, *tuned}))
    if tuned:
        rows = np.array([found["decibels"][name] for name in tuned], float)
        best = rows.max(axis=0)
        found["decibels"][_BEST] = [None if np.isnan(value) else value for value in best]
        found["seconds"][_BEST] = sum(found["seconds"][name] for name in tuned)
    return found


def lines(found: dict[str, Any]) -> list[str]:
    cases = len(found["cases"])
    return [
        "## Grey images, white noise\n",
        f"Six images of 256², Gaussian noise of {', '.join(map(str, SIGMAS))} of the range, "
        f"{cases} cases. *Tuned* means: of all contrasts (weights) and numbers of iterations that "
        "were tried, the one nearest to the ground truth, chosen case by case. Those and BM3D run "
        "on the first seed.\n",
        *table(found, ("denoise", "denoise fast")),
        "",
    ]
