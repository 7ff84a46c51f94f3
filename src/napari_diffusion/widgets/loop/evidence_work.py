"""Measures what the values of a recipe can be chosen from, and fills in one of them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from napari_diffusion.analysis.parameter_sweep import parameter_names, with_values
from napari_diffusion.denoising.noise_report import noise_of
from napari_diffusion.engine.threads import Stopped
from napari_diffusion.widgets.run.read_layer import as_run_error, read_image, read_mask, with_mask
from napari_diffusion.widgets.run.run_request import EvidenceReady, Message, Resolved, RunError

if TYPE_CHECKING:
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import Work, Worker

_DIGITS = 3


def evidence_work(job: Job) -> Work:
    """Return the work that estimates every "auto" of a recipe, and alternatives to them.

    It posts `Resolved` and `EvidenceReady`.
    """

    def work(worker: Worker) -> None:
        from napari_diffusion.estimate import evidence

        source = read_image(job, with_mask(job, read_mask(job)), worker)
        worker.post(Message("Measuring the image …"))
        with contextlib.suppress(Stopped), as_run_error("recipe"):
            worker.post(Resolved(job.recipe.resolved_on(source)))
            smoothing = getattr(job.recipe.filters[0], "smoothing", 0.0)
            found = evidence(source, smoothing, stop=worker.stop)
            worker.post(EvidenceReady(found, noise_of(source)))

    return work


def with_evidence(recipe: Recipe, name: str, number: float) -> Recipe:
    """Return a recipe with a number of the evidence; `RunError` says why it has no use for it.

    A time is shared among the steps.
    """
    if name == "noise_scale":
        if recipe.noise is None:
            raise RunError("run", "The recipe has no noise: choose one to fill in a noise scale.")
        return recipe.replaced(starting_noise_scale=number)
    if name not in parameter_names(recipe):
        kind = recipe.filters[0].display_name
        raise RunError("run", f"{kind} has no {name} to fill in: choose a filter that has one.")
    shared = float(f"{number / recipe.num_steps:.{_DIGITS}g}") if name == "time" else number
    return with_values(recipe, {name: shared})
