"""Colours with white noise."""

from __future__ import annotations

from typing import Any

import napari_diffusion as nd
from benchmarks.quality import peers
from benchmarks.quality.cases import SIGMAS, Denoiser, compared, table, white


def measured(seeds: int) -> dict[str, Any]:
    ways: dict[str, Denoiser] = {
        "denoise": lambda noisy, truth, sigma: nd.denoise(noisy, axes="yxc", rgb=True),
        "denoise fast": lambda noisy, truth, sigma: nd.denoise(
            noisy, axes="yxc", rgb=True, fast=True
        ),
    }
    if peers.here("bm3d"):
        ways["BM3D's colour form, given the true noise"] = peers.bm3d_rgb
    return compared(white(min(seeds, 1), colour=True), ways, frozenset())


def lines(found: dict[str, Any]) -> list[str]:
    return [
        "## Colours, white noise\n",
        f"Six images of 256² in red, green and blue, Gaussian noise of "
        f"{', '.join(map(str, SIGMAS))} of the range in each, one seed: {len(found['cases'])} "
        "cases.\n",
        *table(found, ("denoise", "denoise fast")),
        "",
    ]
