"""The work on one tile in one pass: read it with its halo, filter it, write it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.engine.block import Block
from napari_diffusion.engine.in_memory import InMemory
from napari_diffusion.engine.threads import Threads
from napari_diffusion.engine.tiles import with_halo
from napari_diffusion.filters.denoisers.guided_filter import at_noise_scale
from napari_diffusion.io.layout import Layout
from napari_diffusion.loop.reverse_step import Denoised
from napari_diffusion.loop.run_state import Entered, RunState

if TYPE_CHECKING:
    from napari_diffusion.core.image import Array, Image
    from napari_diffusion.core.noise_scale import NoiseScale
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.loop.run_state import Counts
    from napari_diffusion.runs.passes.pass_array import PassArray
    from napari_diffusion.runs.passes.pass_sequence import Pass
    from napari_diffusion.runs.passes.stored_image import StoredImage

Box = tuple[slice, ...]


@dataclass(frozen=True)
class TileMade:
    """What became of a tile.

    Attributes
    ----------
    core : tuple of slice
        Where it lies.
    skipped : bool
        Whether it was there, and whole.
    removed : Histogram, tuple of Histogram or None
        How much the filter removed, if the schedule needs it.
    """

    core: Box
    skipped: bool = False
    removed: Counts | None = None


@dataclass(frozen=True, eq=False)
class NoisyImages:
    """The noisy images of a step of reverse updates.

    Attributes
    ----------
    target : PassArray
        Where that of this step goes.
    before : StoredImage or None
        That of the step before; None for the first one.
    noise_scale : float or tuple of float
        Of the step before.
    """

    target: PassArray
    before: StoredImage | None
    noise_scale: NoiseScale

    def begun(self, window: Image, box: Box) -> Denoised | None:
        """Return what the step before left of a part, whose image is in the window."""
        if self.before is None:
            return None
        return Denoised(window.data, self.before.part(box).data, self.noise_scale)


@dataclass(frozen=True, eq=False)
class TileTask:
    """A pass, as far as a tile needs to know it; it can be sent to other processes.

    Attributes
    ----------
    recipe : Recipe
        Resolved.
    of : Pass
        Which pass.
    noise_scale : float or tuple of float
        Of the step.
    source : StoredImage
        What the pass before made, or the source of the run.
    target : PassArray
        What this one makes.
    resumed : bool
        Whether tiles may be there already.
    threads : int
        How many threads share the work on a tile.
    noisy : NoisyImages, optional
        Of a step of reverse updates.
    """

    recipe: Recipe
    of: Pass
    noise_scale: NoiseScale
    source: StoredImage
    target: PassArray
    resumed: bool = False
    threads: int = 1
    noisy: NoisyImages | None = None

    def __call__(self, core: Box) -> TileMade:
        """Make one tile."""
        import zarr

        # Each thread that decodes keeps memory of its own, and tiles share the processors anyway.
        with zarr.config.set({"async.concurrency": 2, "threading.max_workers": 2}):
            return self._made(core)

    def _made(self, core: Box) -> TileMade:
        # The noise that it removed is not in a tile that is there.
        if self.resumed and self.recipe.schedule.tabulated and self._is_whole(core):
            return TileMade(core, skipped=True)
        grid = self.source.grid
        outer, inner = with_halo(core, self.of.halo(self.recipe, grid), grid.shape)
        window = self.source.part(outer)
        shown = window.cut(inner)
        executor = InMemory(Threads(count=self.threads))
        begun = None if self.noisy is None else self.noisy.begun(window, outer)
        state = RunState(self.recipe, window, window, inner, executor, self.of.step, begun)
        before = self._begun(state)
        filtered = self._filtered(before.values, window, executor, core)
        ended = RunState(self.recipe, shown, shown, inner, executor, self.of.step)
        outside = None if before.outside is None else before.outside[inner]
        entered = Entered(before.values[inner], outside)
        removed = None
        if not self.recipe.schedule.tabulated and self.of.is_first and self.recipe.noise:
            removed = ended.removed(entered.values, filtered)
        values = ended.left(entered, filtered) if self.of.is_last else filtered
        layout = Layout(grid.axes, self.target.axes)
        if self.noisy is not None:
            self.noisy.target.write(core, layout.arranged(shown.restored(entered.values)))
        self.target.write(core, layout.arranged(shown.restored(values)))
        return TileMade(core, removed=removed)

    def _is_whole(self, core: Box) -> bool:
        noisy = self.noisy is None or self.noisy.target.is_whole(core)
        return noisy and self.target.is_whole(core)

    def _begun(self, state: RunState) -> Entered:
        """Return the values that the filter takes: with noise if the pass begins a step."""
        if not self.of.is_first:
            return Entered(state.window.data, None)
        values = state.start
        if self.of.step < self.recipe.total_steps:
            noise = self.recipe.noise
            values = state.add_noise(values, noise, self.noise_scale, self.of.step)
        return state.entered(values)

    def _filtered(self, values: Array, window: Image, executor: InMemory, core: Box) -> Array:
        chosen = self.of.filter(self.recipe)
        if self.of.step < self.recipe.total_steps:
            chosen = at_noise_scale(chosen, self.noise_scale)
        block = Block(np.ascontiguousarray(values), window.grid, window.mask, executor.threads)
        return block.core_filtered(chosen, core, self.of.start, self.of.stop)
