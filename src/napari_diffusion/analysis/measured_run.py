"""An image that a recipe is tried on, and the part of it that is measured."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_diffusion.core.grid import CANONICAL
from napari_diffusion.loop.loop import steps
from napari_diffusion.metrics import View

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.loop.recipe import Recipe

# Of larger images a part of so many pixels in the middle is measured.
SAMPLES = 1 << 19


@dataclass(frozen=True, eq=False)
class MeasuredRun:
    """An image that a recipe runs on, and the part of it that is measured.

    Attributes
    ----------
    image : Image
        The source.
    recipe : Recipe
        Resolved; every run has the same parameters.
    core : tuple of slice
        The part that is measured, canonical.
    stop : StopToken or None
        Polled between tiles.
    known : dict
        Results of metrics that are the same for every step.
    """

    image: Image
    recipe: Recipe
    core: tuple[slice, ...]
    stop: StopToken | None
    known: dict[Hashable, Any] = field(default_factory=dict)

    @property
    def source(self) -> NDArray[Any]:
        """The part that is measured of the source."""
        return self.image.data[self.core]

    def images(self, values: NDArray[Any]) -> Iterator[NDArray[Any]]:
        """Yield the part that is measured of each step, canonical, the final filter's last."""
        known = self.image.known if values is self.image.data else {}
        image = dataclasses.replace(self.image, data=values, alpha=None, holes=None, known=known)
        named = dict(zip(CANONICAL, self.core, strict=True))
        region = tuple(named[axis] for axis in image.grid.axes)
        for step in steps(image, self.recipe, region=region, stop=self.stop):
            if not (step.is_final and self.recipe.final_filter is None):
                yield image.grid.canonical(step.image)

    def with_recipe(self, recipe: Recipe) -> MeasuredRun:
        """Return this run with another resolved recipe."""
        return dataclasses.replace(self, recipe=recipe)

    def view(self, image: NDArray[Any]) -> View:
        """Return what metrics see of a step of this image."""
        mask, grid = self.image.mask, self.image.grid
        return View(
            source=self.source,
            image=image,
            grid=grid.at([part.start for part in self.core]),
            mask=None if mask is None else mask[self.core],
            known=self.known,
        )


def middle_of(image: Image) -> Iterator[Image]:
    """Yield each channel of the middle, from the corner of an 8 × 8 block on, as JPEG has them."""
    part = image.grid.canonical_slices(middle(image))
    starts = [each.start - each.start % 8 * (axis > 2) for axis, each in enumerate(part)]
    cut = image.cut([slice(start, each.stop) for start, each in zip(starts, part, strict=True)])
    for channel in cut.channels():
        grid = dataclasses.replace(channel.grid, shape=channel.data.shape, origin=(0,) * 5)
        yield dataclasses.replace(channel, grid=grid)


def middle(image: Image) -> tuple[slice, ...]:
    """Return the middle part of an image, at most SAMPLES pixels, as slices of its own axes."""
    grid = image.grid
    sizes = dict(enumerate(grid.shape))
    left = max(SAMPLES // math.prod(n for a, n in sizes.items() if a == 1), 1)
    for rank, axis in enumerate(sorted((0, 2, 3, 4), key=lambda a: grid.shape[a])):
        sizes[axis] = min(grid.shape[axis], max(round(left ** (1 / (4 - rank))), 1))
        left = max(left // sizes[axis], 1)
    named = dict(zip(CANONICAL, sizes.items(), strict=True))
    found = []
    for name in grid.axes:
        axis, size = named[name]
        whole = grid.shape[axis]
        start = (whole - size) // 2
        found.append(slice(None) if name == "c" else slice(start, start + size))
    return tuple(found)
