"""The passes of a run: each makes a step, or a part of one, of the whole image."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_diffusion.core.grid import per_axis

if TYPE_CHECKING:
    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.filters import Filter
    from napari_diffusion.loop.recipe import Recipe


@dataclass(frozen=True)
class Pass:
    """A pass over the image: it reads each tile with its halo, and writes the tile.

    Attributes
    ----------
    step : int
        The step of the loop; that after the last is the final filter.
    start, stop : int
        Which parts of the step's filter are applied; the first part comes after the noise.
    count : int
        How many parts the filter has.
    """

    step: int
    start: int
    stop: int
    count: int

    @property
    def is_first(self) -> bool:
        """Whether the pass begins a step, and so adds its noise."""
        return self.start == 0

    @property
    def is_last(self) -> bool:
        """Whether the pass ends a step: what it makes is the step's image."""
        return self.stop == self.count

    def filter(self, recipe: Recipe) -> Filter:
        """Return the filter of the step."""
        if self.step < recipe.total_steps:
            return recipe.filter_at(self.step)
        assert recipe.final_filter is not None
        return recipe.final_filter

    def halo(self, recipe: Recipe, grid: Grid) -> Shape:
        """Return how far a tile's result reaches; whole axes where it depends on all pixels."""
        reach = whole_axes(self.filter(recipe).part_halo(grid, self.start, self.stop), grid)
        if self.is_first and self.step < recipe.total_steps and recipe.noise is not None:
            noise = whole_axes(recipe.noise.halo(grid), grid)
            reach = per_axis(a + b for a, b in zip(reach, noise, strict=True))
        return per_axis(min(n, size) for n, size in zip(reach, grid.shape, strict=True))


def whole_axes(halo: Shape | None, grid: Grid) -> Shape:
    """Return a halo; the whole length of the axes acted along for what has none."""
    if halo is not None:
        return halo
    return per_axis(n if axis in grid.along_axes else 0 for axis, n in enumerate(grid.shape))


def passes_of(recipe: Recipe, grid: Grid, most: int) -> tuple[Pass, ...]:
    """Return the passes of a run.

    Parameters
    ----------
    recipe : Recipe
        Resolved.
    grid : Grid
        Of the whole image.
    most : int
        How many passes a step may take.
    """
    steps = range(recipe.total_steps + (recipe.final_filter is not None))
    return tuple(
        each for step in steps for each in _of_step(recipe, grid, step, _most(recipe, grid, most))
    )


def most_parts(recipe: Recipe, grid: Grid) -> int:
    """Return how many passes a step can take: that of its filter which has most parts."""
    every = (*recipe.filters, *filter(None, (recipe.final_filter,)))
    return _most(recipe, grid, max(each.part_count(grid) for each in every))


def _most(recipe: Recipe, grid: Grid, most: int) -> int:
    # The noise that a step removed is counted, pixels outside a mask keep their intensities, and
    # reverse updates go on from the noisy image: all need the beginning of the step.
    masked = recipe.domain is not None and grid.masked
    whole = not recipe.schedule.tabulated or masked or recipe.update == "reverse"
    return 1 if whole else most


def _of_step(recipe: Recipe, grid: Grid, step: int, most: int) -> list[Pass]:
    count = Pass(step, 0, 0, 0).filter(recipe).part_count(grid)
    passes = min(most, count)
    edges = [math.ceil(count * i / passes) for i in range(passes + 1)]
    return [Pass(step, a, b, count) for a, b in itertools.pairwise(edges)]
