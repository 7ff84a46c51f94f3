"""An image is denoised, as the work of a thread: the result, what was found, the stages."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_diffusion.denoising.noise_report import noise_report
from napari_diffusion.denoising.report_text import report_record
from napari_diffusion.denoising.stages import stages
from napari_diffusion.engine.threads import Stopped, stoppable
from napari_diffusion.loop.loop import run
from napari_diffusion.loop.step import Step
from napari_diffusion.records.provenance import PROCESSED, SCHEMA, record
from napari_diffusion.widgets.run.compiling_note import warm
from napari_diffusion.widgets.run.loop_run import finished
from napari_diffusion.widgets.run.read_layer import as_run_error, read_image, read_mask, with_mask
from napari_diffusion.widgets.run.run_request import Message, StepReady

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image
    from napari_diffusion.denoising.noise_report import NoiseReport
    from napari_diffusion.denoising.stages import Stage
    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.widgets.layers.layer_style import LayerStyle
    from napari_diffusion.widgets.layers.step_layers import LayerSink
    from napari_diffusion.widgets.layers.step_records import Entries
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import Work, Worker

# What a map of weights is shown from and to.
_WEIGHTS = (-0.25, 1.0)


class NoiseFound(NamedTuple):
    """What was found of the noise, None where it was typed."""

    report: NoiseReport | None


class StageReady(NamedTuple):
    """A stage of the result, as its layer has it."""

    source: str
    stage: Stage
    image: NDArray[Any]
    weights: NDArray[Any]

    def layers(self, style: LayerStyle) -> Iterator[tuple[str, NDArray[Any], Entries, LayerStyle]]:
        """Yield name, values, record and style of the stage and of its weights, both hidden."""
        processed = f"{PROCESSED} a stage of {self.source!r} denoised, {self.stage.name}."
        kept = {"schema": SCHEMA, "stage": self.stage.name, "weight": self.stage.weight}
        words = f"stage {self.stage.name} · weight {self.stage.weight:.2f} · {self.source}"
        yield words, self.image, {**kept, "processed": processed}, style.hidden()
        shown = {**style.shown, "rgb": False, "colormap": "viridis", "contrast_limits": _WEIGHTS}
        processed = f"The weights of a stage of {self.source!r} denoised, {self.stage.name}."
        map_style = replace(style, shown=shown).hidden()
        name = f"stage {self.stage.name} · weights · {self.source}"
        yield name, self.weights, {**kept, "processed": processed}, map_style


def denoising_work(job: Job, layer_sink: LayerSink, staged: bool) -> Work:
    """Return the work of denoising, which posts what it finds and makes."""

    def work(worker: Worker) -> None:
        with contextlib.suppress(Stopped):
            _denoise(job, layer_sink, staged, worker)

    return work


def noise_work(job: Job) -> Work:
    """Return the work of measuring the noise as denoising does, which posts `NoiseFound`."""

    def work(worker: Worker) -> None:
        with contextlib.suppress(Stopped):
            mask = read_mask(job)
            _measured(read_image(job, with_mask(job, mask), worker), job, worker)

    return work


def result_name(step: Step, kept: StepRecord) -> str:
    """Return what the result is called, before its source."""
    del step, kept
    return "denoised"


def _denoise(job: Job, layer_sink: LayerSink, staged: bool, worker: Worker) -> None:
    layer_sink.mask = mask = read_mask(job)
    source = read_image(job, with_mask(job, mask), worker)
    warm(source.data, job, mask, worker)
    recipe, report = _measured(source, job, worker)
    worker.post(Message("Denoising …"))
    with as_run_error("run"):
        region = None if job.region is None else job.fold.region(job.region)
        image_made = run(source, recipe, region=region, stop=worker.stop).image
    # Without a final filter the last step is that of the filter.
    step = Step(0, 0.0, image_made, False)
    more = {**job.more, **report_record(report)}
    kept = record(recipe, step, job.options, job.source_name, **more)
    worker.post(
        StepReady(layer_sink.keep(finished(step, job)), kept, 1), in_turn=layer_sink.in_turn
    )
    if staged:
        _post_stages(job, source, recipe, worker)


def _measured(source: Image, job: Job, worker: Worker) -> tuple[Recipe, NoiseReport | None]:
    """Return the recipe with the noise that was measured, and all that was found."""
    worker.post(Message("Measuring the noise …"))
    with as_run_error("run"), stoppable(worker.stop):
        recipe = job.recipe.resolved_on(source)
        report = noise_report(source, job.recipe, recipe)
    worker.post(NoiseFound(report))
    return recipe, report


def _post_stages(job: Job, image: Image, recipe: Recipe, worker: Worker) -> None:
    worker.post(Message("Computing the stages …"))
    for stage in stages(image, recipe, stop=worker.stop):
        shown = job.fold.unfolded(stage.image)
        weights = job.fold.unfolded(stage.weights)
        if job.region is not None:
            shown, weights = shown[job.region], weights[job.region]
        if job.options["rgb"]:
            weights = weights[..., 0]
        if job.cast is not None:
            shown = job.cast(shown)
        worker.post(StageReady(job.source_name, stage, shown, weights), in_turn=True)
