"""A run of the loop on a snapshot of a layer, as the work of a thread."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from napari_diffusion.core.image import Image
from napari_diffusion.denoising.noise_report import noise_report
from napari_diffusion.denoising.report_text import report_record
from napari_diffusion.engine.threads import Stopped
from napari_diffusion.loop.loop import steps
from napari_diffusion.loop.step import Step
from napari_diffusion.records.provenance import content_hash, record
from napari_diffusion.widgets.run.compiling_note import warm
from napari_diffusion.widgets.run.noise_free_runs import NoiseFreeRuns
from napari_diffusion.widgets.run.read_layer import (
    as_run_error,
    mask_words,
    read_mask,
    read_start,
    with_mask,
)
from napari_diffusion.widgets.run.run_request import Message, Progress, Resolved, StepReady

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.widgets.layers.step_layers import LayerSink
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import Work, Worker


def loop_work(job: Job, layer_sink: LayerSink) -> Work:
    """Return the work of a run: it posts `Message`, `Resolved` and `StepReady`."""

    def work(worker: Worker) -> None:
        # A run that was asked to stop has come to its end.
        with contextlib.suppress(Stopped):
            _run(job, layer_sink, worker)

    return work


def _run(job: Job, layer_sink: Any, worker: Worker) -> None:
    layer_sink.mask = mask = read_mask(job)
    options = with_mask(job, mask)
    image, first_step, more = read_start(job, options, worker)
    warm(image, job, mask, worker)
    worker.post(Message("Measuring the image …"))
    with as_run_error("recipe"):
        source = Image.of(image, **options)
        recipe = job.recipe.resolved_on(source)
        report = noise_report(source, job.recipe, recipe)
    worker.post(Resolved(recipe))
    region = None if job.region is None else job.fold.region(job.region)
    more = {**job.more, **more, **mask_words(job, mask), **report_record(report)}
    # The hash of a large mask takes a while, and is the same for all steps.
    known = None if mask is None else {"sha256": content_hash(mask)}
    described = {**job.options, "mask": known}
    made = steps(
        source,
        recipe,
        region=region,
        first_step=first_step,
        noise_scale=job.noise_scale if first_step == job.first_step else None,
        stop=worker.stop,
    )
    quiet = None
    if job.noise_free_run:
        quiet = NoiseFreeRuns(source, recipe, job, mask, region=region, stop=worker.stop)
    with as_run_error("recipe"):
        for step in made:
            done = max(step.index + 1 - job.first_step, 0)
            if quiet is not None:
                quiet.advance()
            if step.index in job.kept:
                kept = record(recipe, step, described, job.source_name, first_step, **more)
                if quiet is not None:
                    kept |= quiet.measures(step)
                    layer_sink.keep_noise_free_run(
                        finished(quiet.step, job), quiet.record(kept, **more)
                    )
                shown = layer_sink.keep(finished(step, job))
                worker.post(StepReady(shown, kept, done), in_turn=layer_sink.in_turn)
            else:
                worker.post(Progress(done))
            worker.hold()


def finished(step: Step, job: Job) -> Step:
    """Return a step with the axes and the type that its layer has."""
    image: NDArray[Any] = job.fold.unfolded(step.image)
    if job.cast is not None:
        image = job.cast(image)
    return Step(step.index, step.noise_scale, image, step.is_final)
