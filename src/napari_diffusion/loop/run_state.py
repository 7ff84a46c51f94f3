"""The state of a run: the image, its window in the whole, and the executor of the components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_diffusion.core.address import Address
from napari_diffusion.core.image import Image, is_dask
from napari_diffusion.core.noise_scale import check_scale_fits
from napari_diffusion.engine.executor import executor_for, measured
from napari_diffusion.engine.threads import StopToken, Threads, stoppable
from napari_diffusion.engine.tiles import window_of
from napari_diffusion.filters.denoisers.guided_filter import at_noise_scale
from napari_diffusion.loop.noise_scales import first_noise_scale
from napari_diffusion.loop.restoration import (
    check_whole,
    corrected_image,
    told_noise,
    with_measured,
)
from napari_diffusion.loop.reverse_step import Denoised, check_scales, with_less_noise
from napari_diffusion.measurements import Measured

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.core.image import Array
    from napari_diffusion.core.noise_scale import NoiseScale
    from napari_diffusion.domains import Domain
    from napari_diffusion.engine.executor import Executor
    from napari_diffusion.engine.histogram import Histogram
    from napari_diffusion.filters import Filter
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.noise import Noise

    #: Of all pixels, or of each channel.
    Counts = Histogram | tuple[Histogram, ...]


class Entered(NamedTuple):
    """Values within a step, as noise and filters take them.

    Attributes
    ----------
    values : array
        Stabilised if there is a domain.
    outside : array or None
        The original intensities, if a mask keeps some of them.
    """

    values: Array
    outside: Array | None


@dataclass(frozen=True, eq=False)
class RunState:
    """The resolved recipe, the window of the image it runs on, and the executor that runs it.

    Attributes
    ----------
    recipe : Recipe
        Resolved on the whole source.
    window : Image
        The part of the source that is computed: the requested region and the halo of all steps.
    shown : Image
        The part that is returned.
    inner : tuple of slice
        Where `shown` lies in `window`.
    executor : Executor
        Runs components in memory, or on the chunks of a dask array.
    first_step : int
        The step that the window is to go on with.
    begun : Denoised, optional
        What reverse updates left of the step before it.
    measured : Measured, optional
        What was measured of the image, which is then restored as a whole.
    """

    recipe: Recipe
    window: Image
    shown: Image
    inner: tuple[slice, ...]
    executor: Executor
    first_step: int = 0
    begun: Denoised | None = None
    measured: Measured | None = None

    @classmethod
    def of(
        cls,
        image: ArrayLike | Image,
        recipe: Recipe,
        region: tuple[slice, ...] | None,
        first_step: int,
        stop: StopToken | None,
        options: GridOptions,
        noisy: ArrayLike | Image | None = None,
    ) -> RunState:
        """Convert the image, resolve the recipe on all of it, and choose the window to compute."""
        _check_first_step(first_step, recipe)
        if first_step and not recipe.is_resolved:
            raise ValueError(
                f"first_step={first_step} needs a resolved recipe, since "
                f"{next(iter(recipe.autos().values()), None)!r} is measured on the "
                "source before step 0: use the recipe in the record of the step, or "
                "recipe.resolved(source)."
            )
        source, measured = Image.of(image, **options), None
        if recipe.measurement is not None:
            check_whole(source, region, first_step)
        with stoppable(stop):
            recipe = recipe.resolved_on(source)
        if recipe.measurement is not None:
            measured = Measured.of(recipe.measurement, source)
            source = measured.image(source)
        _check_room(recipe, source)
        # Filters raise now, not when their turn comes.
        reach = reach_of(recipe, source, first_step)
        parts = window_of(source, region, reach)
        begun = None
        _check_noisy(noisy, recipe, first_step)
        if noisy is not None:
            z = window_of(_alike(Image.of(noisy, **options), source), region, reach)[0]
            begun = Denoised(parts[0].data, z.data, first_noise_scale(recipe, first_step - 1))
        return cls(recipe, *parts, executor_for(source.data, stop), first_step, begun, measured)

    @property
    def start(self) -> Any:
        """The values of the window before the first step: mean intensities if there is a domain."""
        if self.begun is not None:
            return self.begun
        domain, values = self.recipe.working_domain, self.window.data
        if domain is None or self.first_step:
            return values
        stabilised = self.executor.mapped(domain.stabilise, values)
        return self._outside_kept(values, self.executor.mapped(domain.intensity, stabilised))

    def add_noise(
        self, values: Any, noise: Noise | None, noise_scale: NoiseScale, step: int
    ) -> Any:
        """Return the values with the noise of one step added, for `apply_filter`.

        Without noise they do not change. In reverse updates the noise of the step before is left
        in part, and that of the source is the noise of step 0, unless the source was measured.
        """
        begins = self.recipe.update == "reverse" and step == 0 and self.measured is None
        if noise is None or not _any(noise_scale) or begins:
            return values
        check_scale_fits(noise_scale, self.window)
        used = noise_scale
        entered = self.entered(values)
        if isinstance(values, Denoised):
            less, noise_scale = with_less_noise(entered.values, *values[1:], noise_scale)
            entered = Entered(less, entered.outside)
        image, address = self.window.with_data(entered.values), Address(self.recipe.seed, step)
        noisy: Any = self.executor.add_noise(image, noise, noise_scale, address)
        if self.measured is not None and self.measured.keeps_part:
            told = told_noise(at_noise_scale(self.recipe.filter_at(step), used), used)
            still = self.window.with_data(np.zeros_like(noisy))
            own: Any = self.executor.add_noise(still, noise, told, address)
            noisy = with_measured(noisy, own, told, self.measured)
        return Entered(noisy, entered.outside)

    def apply_filter(
        self, values: Any, chosen: Filter | None, noise_scale: NoiseScale | None = None
    ) -> tuple[Any, NoiseScale | None]:
        """Return the filtered values, and how much was removed if the schedule needs it.

        Without a filter the values do not change. A diffusion filter is told the noise scale of
        its step. In a domain the filtered values are intensities again, so that the image of a
        step holds all that the next one needs, but for the noisy image of reverse updates.
        """
        if chosen is None:
            return values, None
        if noise_scale is not None:
            chosen = at_noise_scale(chosen, noise_scale)
        entered = self.entered(values)
        filtered = self._filtered(entered.values, chosen)
        if noise_scale is not None and self.recipe.update == "reverse":
            filtered = self._corrected(chosen, entered.values, filtered, noise_scale)
            return Denoised(self.left(entered, filtered), entered.values, noise_scale), None
        removed: NoiseScale | None = None
        if not self.recipe.schedule.tabulated:
            quiet = self.recipe.noise is None
            removed = 0.0 if quiet else removed_scale(self.removed(entered.values, filtered))
        return self.left(entered, filtered), removed

    def _filtered(self, values: Array, chosen: Filter) -> Any:
        return self.executor.apply_filter(self.window.with_data(values), chosen)

    def _corrected(self, chosen: Filter, noisy: Any, filtered: Any, noise_scale: NoiseScale) -> Any:
        """Return what a filter made of a noisy image, corrected by what was measured."""
        if self.measured is None:
            return filtered
        return corrected_image(
            lambda values: self._filtered(values, chosen),
            noisy,
            filtered,
            told_noise(chosen, noise_scale),
            self.measured,
            self.recipe.rounds,
        )

    def left(self, entered: Entered, filtered: Array) -> Array:
        """Return the intensities of filtered values: the image of a step."""
        domain = self.recipe.working_domain
        if domain is None:
            return filtered
        intensities = self.executor.mapped(domain.intensity, filtered)
        return self._outside_kept(entered.outside, intensities)

    def entered(self, values: Array | Entered | Denoised) -> Entered:
        """Return the values for noise and filters: stabilised if there is a domain."""
        if isinstance(values, Entered):
            return values
        if isinstance(values, Denoised):
            values = values.image
        domain = self.recipe.working_domain
        if domain is None:
            return Entered(values, None)
        stabilised = self.executor.mapped(domain.restabilise, values)
        return Entered(stabilised, None if self.window.mask is None else values)

    def _outside_kept(self, before: Array | None, after: Array) -> Array:
        mask = self.window.mask
        if mask is None or before is None:
            return after
        if is_dask(after):
            import dask.array as da

            return da.where(mask, after, before)
        return np.where(mask, after, before)

    def removed(self, before: Array, after: Array) -> Counts:
        """Count the differences, for each channel if each has its noise scale."""
        image = Image(abs(before - after), self.window.grid, self.window.mask)
        if not isinstance(self.recipe.starting_noise_scale, tuple):
            return _counts(image)
        whole = tuple(slice(0, size) for size in before.shape)
        return tuple(
            _counts(image.cut((whole[0], slice(c, c + 1), *whole[2:])))
            for c in range(len(self.recipe.starting_noise_scale))
        )

    def image(self, values: Any) -> NDArray[Any]:
        """Return the requested part as a new array with the axes of the source."""
        values = values.image if isinstance(values, Denoised) else values
        return self.shown.restored(values[self.inner])

    def noisy(self, values: Any) -> NDArray[Any] | None:
        """Return the requested part of the noisy image of reverse updates, None without one."""
        return self.image(values.noisy) if isinstance(values, Denoised) else None


def _check_first_step(first_step: int, recipe: Recipe) -> None:
    whole = hasattr(first_step, "__index__") and not isinstance(first_step, bool)
    if not whole or not 0 <= first_step <= recipe.total_steps:
        raise ValueError(
            f"first_step must be a whole number from 0 to {recipe.total_steps}, the steps of the "
            f"recipe (got {first_step!r})."
        )


def _check_noisy(noisy: object, recipe: Recipe, first_step: int) -> None:
    """Raise for a run without the noisy image that it goes on from, or with one too many."""
    needed = recipe.update == "reverse" and first_step > 0
    if noisy is not None and not needed:
        raise ValueError(
            'noisy is the noisy image that a later step of update="reverse" goes on from (got '
            f"first_step={first_step} and update={recipe.update!r}): leave it out."
        )
    if needed and noisy is None and first_step < recipe.total_steps:
        raise ValueError(
            f'first_step={first_step} with update="reverse" needs the noisy image of the step '
            "before, and its image alone cannot be continued: pass noisy, Step.noisy of that step, "
            "or start again from the source."
        )


def _alike(noisy: Image, image: Image) -> Image:
    if noisy.grid != image.grid or noisy.data.dtype != image.data.dtype:
        raise ValueError(
            f"noisy must have the shape and type of the image, {image.grid.shape} in "
            f"{image.data.dtype} (got {noisy.grid.shape} in {noisy.data.dtype})."
        )
    return noisy


def _check_room(recipe: Recipe, image: Image) -> None:
    """Raise for noise so large that adding it could overflow."""
    start = recipe.starting_noise_scale
    if recipe.update == "reverse":
        assert start is not None
        assert not isinstance(start, str)
        check_scales(recipe.schedule, start, recipe.num_steps)
    for scale in start if isinstance(start, tuple) else (start,):
        assert scale is not None
        assert not isinstance(scale, str)
        largest = recipe.schedule.largest_scale(scale, recipe.num_steps)
        check_scale_fits(largest, image)
        if recipe.working_domain is not None:
            _check_stabilised(recipe.working_domain, largest, image)


def _check_stabilised(domain: Domain, scale: float, image: Image) -> None:
    """Raise for noise in stabilised units that corresponds to intensities close to overflow."""
    room = float(np.finfo(image.data.dtype).max) / 64
    probe = np.full((1,) * 5, 8 * scale)
    # Deviations of 8 standard deviations do not occur, and beyond float64 nothing fits.
    with np.errstate(over="ignore"):
        largest = float(domain.intensity(probe, Threads(count=1)).max())
    if not largest <= room:
        raise ValueError(
            f"noise_scale={scale:g} is in stabilised units of {type(domain).__name__} and "
            "corresponds to intensities too large to compute with: use a smaller value."
        )


def _any(noise_scale: NoiseScale) -> bool:
    return any(noise_scale) if isinstance(noise_scale, tuple) else bool(noise_scale)


def removed_scale(counts: Counts) -> NoiseScale:
    """Return the root mean square of counted differences, per channel if they are."""
    if isinstance(counts, tuple):
        return tuple(each.root_mean_square() for each in counts)
    return counts.root_mean_square()


def _counts(image: Image) -> Histogram:
    # Counts, so that neither chunks nor their order can change a bit of what follows from them.
    return measured(image, lambda block: block.values, (0,) * 5)


def reach_of(recipe: Recipe, image: Image, first_step: int = 0) -> tuple[int, ...]:
    """Return the halo of all steps: the sum of their halos, or the whole image."""
    grid, noise = image.grid, recipe.noise
    count = max(recipe.total_steps - first_step, 0)
    series = recipe.filters[first_step:] or recipe.filters[-1:]
    used: list[tuple[Noise | Filter | None, int]] = [(recipe.final_filter, 1), (noise, count)]
    used += [(each, 1) for each in series[:count]]
    used.append((series[-1], max(count - len(series), 0)))
    for chosen in (recipe.final_filter, *series):
        if chosen is not None:
            chosen.check(grid)
    reach = [0] * 5
    for component, times in used:
        halo = (0,) * 5 if component is None else component.halo(grid)
        # A component without a halo needs the whole image, and so does the window.
        halo = grid.shape if halo is None else halo
        reach = [a + times * b for a, b in zip(reach, halo, strict=True)]
    if noise is not None and not recipe.schedule.tabulated:
        # The removed noise is measured over the whole image.
        return grid.shape
    # Channels may share their edges, or have one parameter each: the window keeps them all.
    reach[1] = grid.shape[1]
    return tuple(reach)
