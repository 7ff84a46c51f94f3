"""A run on an image larger than memory: pass after pass over a store, each tile written once."""

from __future__ import annotations

import dataclasses
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_diffusion.core.image import mask_axes
from napari_diffusion.io.full_disk import full_disk_named
from napari_diffusion.io.layout import Layout
from napari_diffusion.loop.noise_scales import first_noise_scale, update_noise_scale
from napari_diffusion.loop.run_state import removed_scale
from napari_diffusion.loop.step import Step
from napari_diffusion.records.provenance import plain
from napari_diffusion.runs.passes.kept_state import KeptState, keep, kept_state
from napari_diffusion.runs.passes.pass_array import PassArray
from napari_diffusion.runs.passes.stored_image import NamedValues, StoredImage
from napari_diffusion.runs.passes.tile_task import NoisyImages, TileMade, TileTask

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from napari_diffusion.core.noise_scale import NoiseScale
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.loop.run_state import Counts
    from napari_diffusion.runs.passes.pass_plan import PassPlan
    from napari_diffusion.runs.passes.pass_sequence import Pass
    from napari_diffusion.runs.passes.workers import Workers
    from napari_diffusion.runs.run_input import RunInput

    #: Called with how many tiles are done, of how many, and what they are.
    Progress = Callable[[int, int, str], object]


@dataclass(frozen=True, eq=False)
class State:
    """What a pass left: the image, and the noise scale of the step that is under way or next.

    Attributes
    ----------
    done : int
        How many passes were made.
    image : StoredImage
        What the last one made, or the source.
    noise_scale : float or tuple of float
        Of the next pass.
    used : float or tuple of float
        Of the last one.
    """

    done: int
    image: StoredImage
    noise_scale: NoiseScale
    used: NoiseScale = 0.0


@dataclass(eq=False)
class PassRun:
    """A run in passes.

    Parameters
    ----------
    read : RunInput
        The source.
    recipe : Recipe
        Resolved.
    plan : PassPlan
        The passes and tiles.
    folder : path
        For what passes make, on a disk with room for the image twice; what is whole there is kept.
    workers : Workers
        Who makes the tiles.
    linked : collection of int
        The steps whose arrays will be kept: they are compressed.
    progress : callable, optional
        Called when a tile is done.
    """

    read: RunInput
    recipe: Recipe
    plan: PassPlan
    folder: Path
    workers: Workers
    linked: Collection[int] = ()
    progress: Progress | None = None
    skipped: int = 0
    made: int = 0

    def steps(self, begin: State | None = None, stop: StopToken | None = None) -> Iterator[Step]:
        """Yield the steps, their images as lazy arrays in the order of the source's axes.

        The arrays are removed when the next step is whole; see `array`.

        Parameters
        ----------
        begin : State, optional
            Where to go on, unless an earlier run of the same plan went further; see `after`.
        stop : StopToken, optional
            Once set, `Stopped` is raised after the tiles at work.
        """
        self.folder.mkdir(exist_ok=True)
        standing = self.standing()
        ahead = standing is not None and (begin is None or begin.done < standing.done)
        self._state = (standing if ahead else begin) or self.start()
        self._keep()
        if ahead and self.plan.passes[self._state.done - 1].is_last:
            yield self._step()
        for number in range(self._state.done, len(self.plan.passes)):
            with full_disk_named(self.folder):
                self._make(number, stop)
            if self.plan.passes[number].is_last:
                yield self._step()

    def start(self) -> State:
        """Return the state before the first pass."""
        source = self.read.source
        values = NamedValues(
            source.image if source.stored is None else source.stored, source.axes or ""
        )
        image = dataclasses.replace(self._image(values), mask=self._mask())
        return State(0, image, first_noise_scale(self.recipe, 0))

    def standing(self) -> State | None:
        """Return the last whole state of an earlier run of the same plan; None without one."""
        kept = kept_state(self.folder)
        if kept is None or not kept["done"]:
            return None
        array, noisy = self._array(kept["done"] - 1), self._noisy_array(kept["done"] - 1)
        if not array.path.exists() or not (noisy is None or noisy.path.exists()):
            return None
        scales = _scale(kept["noise_scale"]), _scale(kept["used"])
        return State(kept["done"], self._of_array(array), *scales)

    def after(self, step: int, image: Any, noise_scale: NoiseScale | None) -> State:
        """Return the state after a step whose image, in the order of the source, is there.

        `noise_scale` is that of the next step, if the schedule measured it.
        """
        done = sum(each.step <= step for each in self.plan.passes)
        values = self._image(NamedValues(image, self.read.source.axes or ""))
        scale = first_noise_scale(self.recipe, step + 1, noise_scale)
        return State(done, dataclasses.replace(values, mask=self._mask()), scale)

    @property
    def array(self) -> PassArray:
        """The array of the step that was yielded last."""
        return self._array(self._state.done - 1)

    def remove(self) -> None:
        """Remove what passes left."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make(self, number: int, stop: StopToken | None) -> None:
        """Make a pass; what the one before made is removed when this one is whole."""
        each, before = self.plan.passes[number], self._state
        target = self._array(number)
        resumed = target.path.exists()
        kept = each.is_last and each.step in self.linked
        dtype = self.read.computing_type
        target.create(self.plan.tiling, self._channels, dtype, compressed=kept)
        noisy = self._noisy_images(number, before)
        if noisy is not None:
            noisy.target.create(self.plan.tiling, self._channels, dtype)
        task = TileTask(
            self.recipe, each, before.noise_scale, before.image, target, resumed,
            self.workers.threads, noisy,
        )  # fmt: skip
        removed: Counts | None = None
        total = self.plan.tiling.count * len(self.plan.passes)
        done = number * self.plan.tiling.count
        for tile in self.workers.results(task, self.plan.tiling.cores(), stop):
            removed = _added(removed, tile)
            self.skipped, self.made = self.skipped + tile.skipped, self.made + (not tile.skipped)
            done += 1
            if self.progress is not None:
                self.progress(done, total, "tile")
        target.sync()
        if noisy is not None:
            noisy.target.sync()
        scale = self._next_scale(each, before.noise_scale, removed)
        self._state = State(number + 1, self._of_array(target), scale, before.noise_scale)
        self._keep()
        for array in (self._array(number - 1), self._noisy_array(number - 1)) if number else ():
            if array is not None:
                array.remove()

    def _keep(self) -> None:
        """Note where the run stands, for one that goes on."""
        state = self._state
        scales = [plain(each) for each in (state.noise_scale, state.used)]
        kept = KeptState(
            done=state.done, noise_scale=scales[0], used=scales[1], plan=self.plan.kept()
        )
        keep(self.folder, kept)

    def _next_scale(self, each: Pass, scale: NoiseScale, removed: Counts | None) -> NoiseScale:
        if not each.is_last or each.step >= self.recipe.total_steps:
            return scale
        schedule = self.recipe.schedule
        taken = None if schedule.tabulated else 0.0 if removed is None else removed_scale(removed)
        return update_noise_scale(scale, schedule, each.step, self.recipe.num_steps, taken)

    def _step(self) -> Step:
        """Return the step that the last pass ended."""
        each = self.plan.passes[self._state.done - 1]
        image = _lazy(self._state.image.stored, self._layout)
        if each.step == self.recipe.total_steps:
            return Step(each.step, 0.0, image, is_final=True)
        state, noisy = self._state, None
        array = self._noisy_array(state.done - 1)
        if array is not None and each.step == self.recipe.total_steps - 1:
            noisy = _lazy(NamedValues(array.opened(), array.axes), self._layout)
        return Step(each.step, state.used, image, False, state.noise_scale, noisy)

    @property
    def _layout(self) -> Layout:
        return Layout.of(self.read.source.axes or "")

    @property
    def _channels(self) -> int:
        source = self.read.source
        axes = source.axes or ""
        return source.image.shape[axes.index("c")] if "c" in axes else 1

    def _array(self, number: int) -> PassArray:
        each = self.plan.passes[number]
        return PassArray(self.folder / f"{each.step:06}-{each.stop}", self._layout.axes)

    def _noisy_array(self, number: int) -> PassArray | None:
        """Return the array of the noisy image of a pass, None without reverse updates."""
        each = self.plan.passes[number]
        if self.recipe.update != "reverse" or each.step == self.recipe.total_steps:
            return None
        return PassArray(self.folder / f"{each.step:06}-noisy", self._layout.axes)

    def _noisy_images(self, number: int, before: State) -> NoisyImages | None:
        target = self._noisy_array(number)
        if target is None:
            return None
        array = self._noisy_array(number - 1) if number else None
        image = None if array is None else self._of_array(array)
        return NoisyImages(target, image, before.used)

    def _of_array(self, array: PassArray) -> StoredImage:
        image = self._image(NamedValues(array.opened(), array.axes))
        return dataclasses.replace(image, mask=self._mask())

    def _image(self, values: NamedValues) -> StoredImage:
        grid = self.read.image.grid
        missing = self.read.options.get("missing", "refuse") if grid.masked else "refuse"
        return StoredImage(values, grid, None, missing)

    def _mask(self) -> NamedValues | None:
        mask: Any = self.read.options.get("mask")
        if mask is None:
            return None
        axes = mask_axes(mask.shape, self.read.image.grid)
        return NamedValues(mask if self.read.stored_mask is None else self.read.stored_mask, axes)


def _scale(kept: float | list[float]) -> NoiseScale:
    return tuple(kept) if isinstance(kept, list) else kept


def _added(total: Counts | None, tile: TileMade) -> Counts | None:
    if tile.removed is None or total is None:
        return tile.removed if total is None else total
    if isinstance(total, tuple):
        assert isinstance(tile.removed, tuple)
        return tuple(a.joined(b) for a, b in zip(total, tile.removed, strict=True))
    assert not isinstance(tile.removed, tuple)
    return total.joined(tile.removed)


def _lazy(values: NamedValues, layout: Layout) -> Any:
    """Return an array as dask's, in the order of the source's axes."""
    import dask.array as da

    array = values.values
    lazy = da.from_array(array, chunks=array.chunks, name=False)
    return layout.given_back(lazy)
