"""Runs that restore an image: what they write has its size, and they need all of it in memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.core.grid import CANONICAL, SPATIAL
from napari_diffusion.io import memory

if TYPE_CHECKING:
    from napari_diffusion.core.grid import Grid
    from napari_diffusion.io import Source
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.runs.run_input import RunInput

# Arrays of float64 that conjugate gradients and operators hold of an image.
_ARRAYS = 14


def restored_source(read: RunInput, recipe: Recipe) -> Source:
    """Return the source with the shape and the pixel size of the steps of a recipe.

    Its values are zeros where these differ: it describes what is written.
    """
    if recipe.measurement is None:
        return read.source
    before = read.image.grid
    after = recipe.measurement.grid_of(before)
    if after.shape == before.shape:
        return read.source
    source, sizes = read.source, dict(zip(CANONICAL, after.shape, strict=True))
    ratios = _ratios(before, after)
    lengths = {axis: size / ratios.get(axis, 1) for axis, size in source.lengths.items()}
    # The first small pixel is centred in a corner of the first large one.
    half = {a: source.lengths.get(a, 1.0) * (1 - 1 / ratio) / 2 for a, ratio in ratios.items()}
    places = {axis: source.place.get(axis, 0.0) - shift for axis, shift in half.items() if shift}
    zero = np.zeros((), source.image.dtype)
    return source.replaced(
        image=np.broadcast_to(zero, tuple(sizes[axis] for axis in before.axes)),
        lengths=lengths,
        place={**source.place, **places},
        stored=None,
    )


def _ratios(before: Grid, after: Grid) -> dict[str, float]:
    """Return how many times as many pixels there are along each spatial axis."""
    shapes = zip(CANONICAL, before.shape, after.shape, strict=True)
    return {axis: new / old for axis, old, new in shapes if axis in SPATIAL}


def check_memory(read: RunInput, recipe: Recipe, in_parts: bool) -> None:
    """Refuse a run that restores an image which does not fit the memory.

    Raises
    ------
    ValueError
        With what is needed and what is free.
    """
    if recipe.measurement is None:
        return
    grid = recipe.measurement.grid_of(read.image.grid)
    needed = memory.working_memory(grid.shape, read.source.image.dtype)
    needed += _ARRAYS * 8 * math.prod(grid.shape)
    free = memory.free_memory()
    if in_parts or needed > free:
        name = recipe.measurement.display_name.lower()
        raise ValueError(
            f"The measurement “{name}” restores an image as a whole: it needs about "
            f"{memory.written_bytes(needed)} of memory, and {memory.written_bytes(free)} are free. "
            "Run it in this process on a part of the image that fits, or free memory."
        )
