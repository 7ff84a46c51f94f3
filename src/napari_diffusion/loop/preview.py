"""A part of a run's result as soon as can be: its middle first where the whole takes a while."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_diffusion.core.grid import CANONICAL
from napari_diffusion.engine.threads import Stopped, StopToken
from napari_diffusion.engine.tiles import with_halo
from napari_diffusion.loop.loop import steps
from napari_diffusion.loop.run_state import reach_of
from napari_diffusion.loop.step import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_diffusion.core.image import Image
    from napari_diffusion.loop.recipe import Recipe

# Seconds within which something is to be seen.
QUICK = 0.12

# How much of a region's sides is shown before the whole of it.
FRACTIONS = (1 / 8, 1 / 4, 1 / 2)

# What comes before something better takes no more than this part of its time.
QUICKER = 0.4

# What lies this far around a part decides most of what a filter that sees everything does to it.
MARGIN = 32

Box = tuple[slice, ...]


class Part(NamedTuple):
    """A part of a step.

    Attributes
    ----------
    region : tuple of slice
        Where it lies, one slice per axis of the image.
    step : Step
        Holds the part's image.
    approximate : bool
        Whether the whole image's result may differ from it.
    is_last : bool
        Whether nothing better follows.
    """

    region: Box
    step: Step
    approximate: bool
    is_last: bool


class _Try(NamedTuple):
    core: Box
    window: Box
    approximate: bool

    @property
    def samples(self) -> int:
        return math.prod(part.stop - part.start for part in self.window)


class Preview:
    """Shows parts of what recipes make of one source, which is read and measured once.

    Parts are equal, to the bit, to the same parts of the whole image's result where every component
    of the recipe is local. Components that see all of the image get the part and a margin around
    it.

    Parameters
    ----------
    image : Image
        The source.
    """

    def __init__(self, image: Image) -> None:
        self.image = image
        self._resolved: dict[str, Recipe] = {}
        self._seconds = 0.0  # per pixel of the window

    def resolved(self, recipe: Recipe) -> Recipe:
        """Return a recipe resolved on the whole source; the numbers of one are found once."""
        if recipe.is_resolved:
            return recipe
        key = repr(recipe)
        if key not in self._resolved:
            self._resolved = {key: recipe.resolved_on(self.image)}
        return self._resolved[key]

    def is_local(self, recipe: Recipe) -> bool:
        """Say whether a part of a resolved recipe's result depends on what is near it alone."""
        components = [each for each in (recipe.noise, recipe.final_filter, *recipe.filters) if each]
        if recipe.noise is not None and not recipe.schedule.tabulated:
            return False
        return all(each.halo(self.image.grid) is not None for each in components)

    def parts(
        self, recipe: Recipe, region: Box, step: int | None = None, stop: StopToken | None = None
    ) -> Iterator[Part]:
        """Yield parts of a step, each better than the one before; the last is the whole region.

        Where that takes longer than a blink its middle comes first, then more and more of it; and
        where far more than the region must be computed for exact values, approximate ones come
        first.

        Parameters
        ----------
        recipe : Recipe
            With "auto" where it is to be measured.
        region : tuple of slice
            One slice per axis of the image.
        step : int, optional
            Which step; the last one without. Of no more steps than that are made.
        stop : StopToken, optional
            Once set, `Stopped` is raised within a tile.
        """
        recipe = shortened(self.resolved(recipe), step)
        tries = self._tries(recipe, region)
        if tries[-1].samples * self._seconds < 2 * QUICK:
            try:
                yield self._tried(recipe, tries, len(tries) - 1, _Deadline(stop, QUICK))
                return
            except Stopped:
                if stop is not None and stop.is_set():
                    raise
        place = 0
        while place < len(tries):
            yield self._tried(recipe, tries, place, stop)
            ahead = range(len(tries) - 1, place + 1, -1)
            quick = (i for i in ahead if tries[i].samples * self._seconds < QUICK)
            place = next(quick, place + 1)

    def _tried(self, recipe: Recipe, tries: list[_Try], place: int, stop: StopToken | None) -> Part:
        chosen, begin = tries[place], time.perf_counter()
        axes, inner = self.image.grid.axes, None
        source = self.image
        if chosen.approximate:
            source, inner = source.cut(chosen.window), _named(_inner(chosen), axes)
        region = _named(chosen.core, axes) if inner is None else None
        # Without a final filter the final step equals the one before.
        index = recipe.last_step
        made = steps(source, recipe, region=region, stop=stop)
        last = next(step for step in made if step.index == index)
        image = np.array(last.image if inner is None else last.image[inner])
        self._seconds = (time.perf_counter() - begin) / chosen.samples
        shown = Step(last.index, last.noise_scale, image, last.is_final)
        return Part(_named(chosen.core, axes), shown, chosen.approximate, place == len(tries) - 1)

    def _tries(self, recipe: Recipe, region: Box) -> list[_Try]:
        """Return what is shown one after the other, from the quickest to the best."""
        grid = self.image.grid
        whole = grid.canonical_slices(region)
        local = self.is_local(recipe)
        reach = reach_of(recipe, self.image)
        rough = tuple(min(r, MARGIN) if a in grid.along_axes else r for a, r in enumerate(reach))
        if not local:
            rough = tuple(MARGIN * (a in grid.along_axes) for a in range(5))
        rough = (rough[0], grid.shape[1], *rough[2:])
        found = []
        for fraction in (*FRACTIONS, 1.0):
            core = _middle(whole, fraction, grid.along_axes)
            window, _ = with_halo(core, rough, grid.shape)
            exact, _ = with_halo(core, reach, grid.shape)
            found.append(_Try(core, window, not local or window != exact))
        if local and found[-1].approximate:
            found.append(_Try(whole, exact, False))
        return _worthwhile(found)


def _worthwhile(tries: list[_Try]) -> list[_Try]:
    """Return the last try, and of those before it what is much quicker than what follows."""
    kept = tries[-1:]
    for each in reversed(tries[:-1]):
        if each.samples < QUICKER * kept[0].samples:
            kept.insert(0, each)
    return kept


class _Deadline:
    """A stop token that is set when time is up, too."""

    def __init__(self, stop: StopToken | None, seconds: float) -> None:
        self._stop = stop
        self._end = time.monotonic() + seconds

    def is_set(self) -> bool:
        return time.monotonic() > self._end or (self._stop is not None and self._stop.is_set())


def shortened(recipe: Recipe, step: int | None) -> Recipe:
    """Return a recipe that ends with a step; without one, with its last."""
    if step is None or step >= recipe.total_steps:
        return recipe
    return recipe.replaced(stop_at=step + 1, final_filter=None)


def limited(region: Box, axes: str, most: int) -> Box:
    """Return the middle of a region, of at most so many pixels along each axis but c."""
    return tuple(
        _in_the_middle(part, most) if axis != "c" else part
        for part, axis in zip(region, axes, strict=True)
    )


def _middle(box: Box, fraction: float, axes: tuple[int, ...]) -> Box:
    return tuple(
        _in_the_middle(part, max(math.ceil(fraction * (part.stop - part.start)), 1))
        if axis in axes
        else part
        for axis, part in enumerate(box)
    )


def _in_the_middle(part: slice, most: int) -> slice:
    size = part.stop - part.start
    kept = min(size, most)
    start = part.start + (size - kept) // 2
    return slice(start, start + kept)


def _inner(chosen: _Try) -> Box:
    """Return where a part lies in its window; channels are there as they were, alpha included."""
    inner = [
        slice(core.start - window.start, core.stop - window.start)
        for core, window in zip(chosen.core, chosen.window, strict=True)
    ]
    inner[1] = slice(None) if chosen.core[1] == chosen.window[1] else inner[1]
    return tuple(inner)


def _named(box: Box, axes: str) -> Box:
    """Return canonical slices as one for each of an image's own axes."""
    return tuple(box[CANONICAL.index(axis)] for axis in axes)
