"""Colours with white noise."""

from __future__ import annotations

from functools import partial
from typing import Any

import napari_diffusion as nd
from benchmarks.quality import earlier, peers
from benchmarks.quality.cases import SIGMAS, Denoiser, compared, table, white

_OPTIONS: dict[str, Any] = {"axes": "yxc", "rgb": True}
_BM3D = "BM3D's colour form, given the true noise"


def measured(seeds: int) -> dict[str, Any]:
    ours: Any = partial(nd.denoise, **_OPTIONS)
    ways: dict[str, Denoiser] = {
        "denoise": lambda noisy, truth, sigma: ours(noisy),
        "denoise fast": lambda noisy, truth, sigma: ours(noisy, fast=True),
        earlier.NAME: lambda noisy, truth, sigma: earlier.denoise(noisy, **_OPTIONS),
    }
    slow = {_BM3D: peers.bm3d_rgb} if peers.here("bm3d") else {}
    cases = white(min(seeds, 1), colour=True)
    return compared(cases, {**ways, **slow}, frozenset(), frozenset(slow))


def lines(found: dict[str, Any]) -> list[str]:
    return [
        "## Colours, white noise\n",
        f"{len({name for name, _ in found['cases']})} images of 256² in red, green and blue, "
        f"Gaussian noise of {', '.join(map(str, SIGMAS))} of the range in each, one seed: "
        f"{len(found['cases'])} cases.\n",
        *table(found, ("denoise", "denoise fast")),
        "",
    ]
