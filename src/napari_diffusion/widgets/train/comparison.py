"""The source denoised by the weights that training started from, and by its own: a layer each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from napari_diffusion.filters import LearnedDiffusion
from napari_diffusion.loop.recipe import Recipe
from napari_diffusion.widgets.layers.step_records import records_of
from napari_diffusion.widgets.results.layer_sink import single_result
from napari_diffusion.widgets.run.loop_run import loop_work

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

    from napari_diffusion.core.noise_scale import NoiseScale
    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.loop.step import Step
    from napari_diffusion.widgets.layers.step_layers import LayerSink
    from napari_diffusion.widgets.run.worker import Work, Worker
    from napari_diffusion.widgets.source.run_source import RunSource

_FILTER = LearnedDiffusion.__name__


def comparison(
    viewer: napari.Viewer,
    source: RunSource,
    start: str,
    own: str,
    noise_sigma: NoiseScale | Literal["auto"],
) -> tuple[Work, LayerSink]:
    """Return the work of denoising twice, and where the layers go; `RunError` says what it lacks.

    Parameters
    ----------
    viewer : napari.Viewer
        Gets the layers, that of the own weights on top.
    source : RunSource
        What is denoised.
    start, own : str
        The names of the weights.
    noise_sigma : float, tuple of float or "auto"
        The noise; "auto" measures it, and stabilises photon noise as training does.
    """
    domain: Literal["auto"] | None = "auto" if noise_sigma == "auto" else None
    filters = [LearnedDiffusion(noise_sigma, weights) for weights in (start, own)]
    recipes = [
        Recipe(num_steps=1, noise=None, diffusion_filter=each, domain=domain) for each in filters
    ]

    def titled(step: Step, record: StepRecord) -> str:
        del step
        by = record["recipe"]["diffusion_filter"]["weights"]
        return f"{'own' if by == own else 'start'} weights"

    job, layer_sink = single_result(viewer, source, recipes[0], titled)

    def work(worker: Worker) -> None:
        for recipe in recipes:
            loop_work(replace(job, recipe=recipe), layer_sink)(worker)

    return work, layer_sink


def is_compared(layer: Image) -> bool:
    """Say whether a layer was denoised by learned weights, which is there to look at."""
    made = (record.get("recipe", {}).get("diffusion_filter") for record in records_of(layer))
    return any(isinstance(each, dict) and each.get("type") == _FILTER for each in made)
