"""Frames of a camera that moves, with white noise."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

import napari_diffusion as nd
from benchmarks import images
from benchmarks.quality import earlier, peers
from benchmarks.quality.cases import Case, Denoiser, compared, table

if TYPE_CHECKING:
    from collections.abc import Iterator

SCENES = ("macaws", "street", "neuron", "particles", "histo", "head_ct")
SIGMAS = (0.08, 0.15)
FRAMES, SIDE = 10, 96

# Pixels from frame to frame along both axes.
_STEP = (1.3, 2.2)

_APART = "denoise, frame by frame"
_BM4D = "BM4D, given the true noise"


def _frames(name: str) -> Any:
    """Return what a moving frame sees of an image, between its pixels by cubic splines."""
    from scipy import ndimage

    whole = images.middle(name, 256)
    rows, columns = (np.arange(SIDE)[None, :] + step * np.arange(FRAMES)[:, None] + 40
                     for step in _STEP)  # fmt: skip
    seen = [
        ndimage.map_coordinates(whole, np.meshgrid(y, x, indexing="ij"), order=3, mode="mirror")
        for y, x in zip(rows, columns, strict=True)
    ]
    return np.array(seen)


def _cases() -> Iterator[Case]:
    for name in filter(images.is_here, SCENES):
        truth = _frames(name)
        for sigma in SIGMAS:
            noise = np.random.default_rng(300).standard_normal(truth.shape)
            yield Case(name, sigma, truth, (truth + sigma * noise).astype(np.float32))


def measured(seeds: int) -> dict[str, Any]:
    del seeds
    through: dict[str, Any] = {"axes": "tyx", "along": "tyx"}
    ours: Any = partial(nd.denoise, **through)
    ways: dict[str, Denoiser] = {
        "denoise": lambda noisy, truth, sigma: ours(noisy),
        "denoise fast": lambda noisy, truth, sigma: ours(noisy, fast=True),
        _APART: lambda noisy, truth, sigma: nd.denoise(noisy, axes="tyx"),
        earlier.NAME: lambda noisy, truth, sigma: earlier.denoise(noisy, **through),
    }
    slow = {_BM4D: peers.bm4d} if peers.here("bm4d") else {}
    return compared(_cases(), {**ways, **slow}, frozenset(), frozenset(slow))


def lines(found: dict[str, Any]) -> list[str]:
    return [
        "## Frames through time, white noise\n",
        f"{FRAMES} frames of {SIDE}² of a camera that moves by {_STEP[0]} and {_STEP[1]} pixels "
        f"from frame to frame over {len({name for name, _ in found['cases']})} images, Gaussian "
        f"noise of {' and '.join(map(str, SIGMAS))} of the range, {len(found['cases'])} cases, "
        'with `along="tyx"`. Nothing moves by itself.\n',
        *table(found, ("denoise", "denoise fast")),
        "",
    ]
