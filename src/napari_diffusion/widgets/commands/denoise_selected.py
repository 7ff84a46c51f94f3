"""The command *Denoise selected layer*: the denoised image is a new layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.denoising.denoise import denoiser
from napari_diffusion.widgets.commands.command_work import start
from napari_diffusion.widgets.commands.selected_image import (
    saying_errors,
    selected_image,
    source_of_command,
)
from napari_diffusion.widgets.denoise.denoise_run import NoiseFound, denoising_work, result_name
from napari_diffusion.widgets.docks.dock import notify
from napari_diffusion.widgets.layers.unwrapped import unwrapped
from napari_diffusion.widgets.results.layer_sink import single_result
from napari_diffusion.widgets.run.found_message import caution_of, found_message
from napari_diffusion.widgets.run.run_request import StepReady

if TYPE_CHECKING:
    import napari
    import napari.layers

    from napari_diffusion.denoising.noise_report import NoiseReport
    from napari_diffusion.widgets.run.worker import News


def denoise_selected(viewer: napari.Viewer, layer: napari.layers.Layer | None = None) -> None:
    """Measure the noise of the selected image and remove it, in the background.

    Parameters
    ----------
    viewer : napari.Viewer
        Gets the new layer.
    layer : Layer, optional
        The image; that which is selected by default.
    """
    viewer = unwrapped(viewer)
    with saying_errors():
        image = selected_image(viewer, layer, "denoise it")
        run_source = source_of_command(viewer, image)
        job, layer_sink = single_result(viewer, run_source, denoiser(), result_name)
        reports: list[NoiseReport | None] = []

        def heard(news: News) -> None:
            match news:
                case NoiseFound(report):
                    reports.append(report)
                case StepReady(step, record, _):
                    layer_sink.show(step, record)

        def ended() -> None:
            layer_sink.finish()
            say_found(reports[-1], f"Removed from {image.name!r}.")

        start(f"Denoise {image.name!r}", denoising_work(job, layer_sink, False), heard, ended)


def say_found(report: NoiseReport | None, done: str) -> None:
    """Say what was found of the noise, and what speaks against it.

    The finding comes first: napari shows the beginning of a text until it is unfolded.
    """
    notify("info", f"{found_message(report).sentence}. {done}")
    if doubt := caution_of(report):
        notify("warning", doubt)
