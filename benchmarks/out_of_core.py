"""Runs in tiles from file to file, beside the same runs in memory that write the same steps."""

from __future__ import annotations

import functools
import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import napari_diffusion as nd
from benchmarks.cases import Case, Setting, Side, example_image, name_of
from napari_diffusion.runs import run_file

if TYPE_CHECKING:
    from collections.abc import Iterator

UNIT = "voxel and step"

# Bytes for a pixel: less than a run in memory needs, and enough for two tiles of many halos.
_LITTLE = 26


def passes(setting: Setting) -> Iterator[Case]:
    """Perona–Malik with noise, every step kept, and the last alone; a tensor flow."""
    shape = setting.volumes[-1]
    edges = nd.filters.PeronaMalik(contrast=0.1, time=1.0)
    for kept, words in ((1, "every step kept"), (None, "the last step kept")):
        yield _case("passes", f"Perona–Malik and noise, {words}", shape, _recipe(edges), kept)
    if setting.size != "quick":
        long = (48, 10, 12) if setting.size == "tiny" else (640, 96, 96)
        tensors = nd.filters.EdgeEnhancing(contrast=0.1)
        if setting.size == "tiny":
            tensors = tensors.replaced(time=0.1, condition_limit=2.0)
        recipe = nd.Recipe(num_steps=1, noise=None, diffusion_filter=tensors)
        yield _case("passes", "Edge-enhancing diffusion", long, recipe, 1)


def _recipe(chosen: nd.filters.PeronaMalik) -> nd.Recipe:
    return nd.Recipe(num_steps=3, starting_noise_scale=0.02, diffusion_filter=chosen)


def _case(
    name: str, title: str, shape: tuple[int, ...], recipe: nd.Recipe, every: int | None
) -> Case:
    folder = Path(tempfile.mkdtemp(prefix="napari-diffusion-bench-"))
    source = folder / "source.npy"
    np.save(source, example_image(shape))
    work = float(math.prod(shape)) * recipe.total_steps
    limit = _LITTLE * math.prod(shape)
    sides = [
        Side(
            f"in {words}, from file to file",
            functools.partial(_run, source, recipe, every, most),
            work,
        )
        for words, most in (("tiles", limit), ("memory", None))
    ]
    return Case(name, f"{title}, {name_of(shape)}", UNIT, sides[0], (sides[1],))


def _run(source: Path, recipe: nd.Recipe, every: int | None, limit: int | None) -> None:
    target = source.with_name("steps.ome.zarr")
    run_file(source, target, recipe, keep_every=every, memory_limit=limit, overwrite=True)
