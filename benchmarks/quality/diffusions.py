"""The diffusion filters of other packages, tuned with the ground truth at hand."""

from __future__ import annotations

from typing import Any

import numpy as np

import napari_diffusion as nd
from benchmarks.quality import peers
from benchmarks.quality.cases import DIFFUSED, SIGMAS, Denoiser, compared, table, white

_BEST = "the best of those diffusions"


def measured(seeds: int) -> dict[str, Any]:
    ways: dict[str, Denoiser] = {
        "denoise": lambda noisy, truth, sigma: nd.denoise(noisy),
        "denoise fast": lambda noisy, truth, sigma: nd.denoise(noisy, fast=True),
    }
    tuned = {"total variation, tuned": peers.total_variation, **peers.diffusions()}
    names = frozenset(tuned)
    found = compared(white(min(seeds, 1), of=DIFFUSED), {**ways, **tuned}, names, names)
    best = np.array([found["decibels"][name] for name in tuned], float).max(axis=0)
    found["decibels"][_BEST] = best.tolist()
    found["seconds"][_BEST] = sum(found["seconds"][name] for name in tuned)
    return found


def lines(found: dict[str, Any]) -> list[str]:
    return [
        "## Other diffusion filters\n",
        f"{len({name for name, _ in found['cases']})} of those images, Gaussian noise of "
        f"{', '.join(map(str, SIGMAS))} of the range, {len(found['cases'])} cases. *Tuned* means: "
        "of all contrasts (weights) and numbers of iterations that were tried, the one nearest to "
        "the ground truth, chosen case by case.\n",
        *table(found, ("denoise", "denoise fast")),
        "",
    ]
