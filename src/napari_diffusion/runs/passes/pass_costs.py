"""What a pass costs: measured on a few pixels, so that passes are chosen and times foreseen."""

from __future__ import annotations

import dataclasses
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.core.address import Address
from napari_diffusion.core.grid import per_axis
from napari_diffusion.core.image import Image
from napari_diffusion.engine.in_memory import InMemory
from napari_diffusion.engine.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari_diffusion.core.grid import Grid
    from napari_diffusion.filters import Filter
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.runs.passes.pass_sequence import Pass

# Pixels along an axis of what is measured, in images of one, two and three or more such axes.
_SIDES = {1: 1 << 16, 2: 256, 3: 40}

# Seconds to read or write a pixel on a disk of some hundred MB/s, decoded or encoded.
_MOVED = 8e-9

# Seconds to add noise to a pixel, and to filter it, where neither can be measured.
_GUESS = 1e-8


@dataclass(frozen=True)
class Costs:
    """Seconds that one thread takes for a pixel.

    Attributes
    ----------
    noise : float
        To add noise.
    filters : mapping
        To apply the filter of a step, by the filter.
    recipe : Recipe
        What is run.
    moved : float
        To read or write.
    """

    noise: float
    filters: Mapping[Filter, float]
    recipe: Recipe
    moved: float = _MOVED

    @classmethod
    def of(cls, recipe: Recipe, grid: Grid) -> Costs:
        """Measure a resolved recipe on a few pixels of noise."""
        image = _few_pixels(grid)
        run = InMemory(Threads(count=1))
        every = {*recipe.filters, *filter(None, (recipe.final_filter,))}
        noise, size = 0.0, image.data.size
        if recipe.noise is not None:
            noise = _seconds(run.add_noise, image, recipe.noise, 1.0, Address(0))
        filters = {each: _seconds(run.apply_filter, image, each) / size for each in every}
        return cls(noise / size, filters, recipe)

    @classmethod
    def unknown(cls, recipe: Recipe) -> Costs:
        """Return costs with which plans can be made, but not compared."""
        every = {*recipe.filters, *filter(None, (recipe.final_filter,))}
        return cls(0.0, dict.fromkeys(every, 0.0), recipe)

    def of_pass(self, each: Pass) -> float:
        """Return the seconds of a pass for a pixel."""
        noisy = each.is_first and each.step < self.recipe.total_steps
        share = (each.stop - each.start) / each.count
        return self.filters[each.filter(self.recipe)] * share + self.noise * noisy


def _few_pixels(grid: Grid) -> Image:
    side = _SIDES[min(len(grid.along_axes), 3)]
    shape = per_axis(
        min(n, side if axis in grid.along_axes else n if axis == 1 else 1)
        for axis, n in enumerate(grid.shape)
    )
    values = np.random.default_rng(0).normal(100, 1, shape).astype(np.float32)
    few = dataclasses.replace(grid, shape=shape, masked=False)
    return Image(values, few)


def _seconds(work: Callable[..., object], *given: object) -> float:
    """Return how long something takes the second time, when it is compiled."""
    try:
        work(*given)
        begin = time.perf_counter()
        work(*given)
    except (ValueError, TypeError):  # of noise that does not fit these pixels
        return _GUESS * math.prod((_SIDES[2],) * 2)
    return time.perf_counter() - begin
