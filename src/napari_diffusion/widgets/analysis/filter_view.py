"""*Show what the filter sees*: the edges, the conductance and the flux of a filter as layers."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.core.image import Image as Source
from napari_diffusion.engine.threads import Stopped
from napari_diffusion.loop.recipe_inspection import inspect_part
from napari_diffusion.widgets.analysis.filter_maps import LayerFrame, filter_maps
from napari_diffusion.widgets.analysis.filter_view_layers import FilterViewLayers
from napari_diffusion.widgets.layers.channels import joined
from napari_diffusion.widgets.layers.layer_axes import unit_of
from napari_diffusion.widgets.layers.layer_style import LayerStyle
from napari_diffusion.widgets.layers.step_records import is_stack
from napari_diffusion.widgets.results.continued_run import channels_of
from napari_diffusion.widgets.results.step_source import rerun_job
from napari_diffusion.widgets.run import memory
from napari_diffusion.widgets.run.read_layer import as_run_error, read_image, read_mask, with_mask
from napari_diffusion.widgets.run.run_request import Message, SeedDone
from napari_diffusion.widgets.source.shown_region import region_of_layer, shown_region

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

    from napari_diffusion.filters.flows.inspection import Inspection
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.widgets.analysis.filter_maps import ViewArrows, ViewMap
    from napari_diffusion.widgets.layers.channels import SourceArray
    from napari_diffusion.widgets.results.chosen_step import ChosenStep
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.runner import Runner
    from napari_diffusion.widgets.run.worker import Work, Worker
    from napari_diffusion.widgets.source.run_source import Region, RunSource


@dataclass(frozen=True, eq=False)
class FilterView:
    """What is looked at, through which filter; computed in any thread, shown in the window's.

    Attributes
    ----------
    job : Job
        The source and the recipe. Its region is where the step lies that is looked at, if at all.
    layer : Image
        The layer that is looked at: the source or a step.
    style : LayerStyle
        Where that layer lies.
    region : tuple of slice
        The part that is looked at, one slice per axis of what is looked at.
    frame : LayerFrame
        How arrays lie in the layer.
    data : array or None
        The step, in the axes of the source; None for the source itself.
    """

    job: Job
    layer: Image
    style: LayerStyle
    region: Region
    frame: LayerFrame
    data: SourceArray | None = None

    @classmethod
    def of_source(cls, run_source: RunSource, recipe: Recipe, viewer: napari.Viewer) -> FilterView:
        """Look at the visible part of a source; ValueError says why none of it is visible."""
        job = replace(run_source.job(recipe, 1, memory.free_memory()), region=None)
        layer, many = run_source.layers[0], len(run_source.layers) > 1
        region = shown_region(run_source, viewer)
        start = tuple(int(part.start) for part in region[many:][: layer.ndim])
        style = LayerStyle.of(layer).moved(start)
        return cls(job, layer, style, region, _frame(job, layer, viewer, many))

    @classmethod
    def of_step(cls, step: ChosenStep, viewer: napari.Viewer) -> FilterView:
        """Look at the visible part of a step, with the parameters found on its source.

        `RunError` says what is missing: the source, or other channels of the step.
        """
        job, layer = rerun_job(step, viewer), step.layer
        many, stacked = "channel" in step.record, is_stack(layer)
        data = joined([each.data for each in channels_of(step, viewer)])
        letters, shape = job.fold.letters[many:], tuple(data.shape)[many:]
        if stacked:
            letters, shape = f"s{letters}", (len(layer.data), *shape)
        with as_run_error("steps"):
            region = region_of_layer(viewer, layer, letters, shape)[stacked:]
        start = tuple(int(part.start) for part in region[: layer.ndim - stacked])
        region = (slice(0, data.shape[0]),) * many + region
        style = step.style.moved(start)
        return cls(job, layer, style, region, _frame(job, layer, viewer, many, stacked), data)

    def compute(self, worker: Worker) -> tuple[Inspection, list[ViewMap | ViewArrows]]:
        """Measure what is "auto" on the source, and look; TypeError and ValueError say why not."""
        job, mask = self.job, read_mask(self.job)
        source = read_image(job, with_mask(job, mask), worker)
        worker.post(Message("Looking at the image as the filter does …"))
        shown = None if self.data is None else self._step_in(source)
        grid = source.grid if shown is None else shown.grid
        core = grid.canonical_slices(self._colours(job.fold.region(self.region)))
        part = inspect_part(source, job.recipe, core, shown)
        return part.inspection, filter_maps(part, self.frame)

    def _step_in(self, source: Source) -> Source:
        """Return the step at its place in the source."""
        job, options = self.job, {**self.job.options, "missing": "ignore"}
        values = Source.of(job.fold.folded(np.asarray(self.data)), **options).data
        if job.region is None:
            return source.with_data(values)
        box = source.grid.canonical_slices(self._colours(job.fold.region(job.region)))
        return source.apart(box).with_data(values)

    def _colours(self, region: Region) -> Region:
        """Return a region without alpha, which filters do not see."""
        axes, rgb = self.job.fold.axes, self.job.options.get("rgb")
        return tuple(
            slice(0, 3) if rgb and axis == "c" else part
            for axis, part in zip(axes, region, strict=True)
        )


def _frame(
    job: Job, layer: Image, viewer: napari.Viewer, many: bool, stacked: bool = False
) -> LayerFrame:
    first = viewer.dims.ndim - layer.ndim + stacked
    shown = tuple(axis - first for axis in viewer.dims.displayed if axis >= first)
    one_map = many or bool(job.options.get("rgb"))
    letters = "s" * stacked + job.fold.letters[many:]
    return LayerFrame(job.fold, one_map, shown, unit_of(layer, letters, job.options["along"]))


def filter_view_work(view: FilterView) -> Work:
    """Return the work of looking: it posts `Message` and `SeedDone`."""

    def work(worker: Worker) -> None:
        with contextlib.suppress(Stopped), as_run_error("recipe"):
            worker.post(SeedDone(view.compute(worker), 1))

    return work


def show_filter_view(view: FilterView, runner: Runner, viewer: napari.Viewer) -> None:
    """Start looking in a thread; what is found becomes layers above the one that is looked at.

    `view` is `FilterView.of_source` in a dock with a recipe, `FilterView.of_step` for a step of a
    run. Layers of an earlier look at the same layer make room, unless they were locked or renamed.
    """
    sink = FilterViewLayers(view.layer, view.style, viewer)
    title = f"What the filter sees in {view.layer.name!r}"
    runner.start(filter_view_work(view), sink, 0, "", sink.summary, title)
