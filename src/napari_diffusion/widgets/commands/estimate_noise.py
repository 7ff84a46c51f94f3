"""The command *Estimate noise*: what *Denoise* would find of the selected image, and no layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.denoising.denoise import denoiser
from napari_diffusion.widgets.commands.command_work import start
from napari_diffusion.widgets.commands.denoise_selected import say_found
from napari_diffusion.widgets.commands.selected_image import (
    saying_errors,
    selected_image,
    source_of_command,
)
from napari_diffusion.widgets.denoise.denoise_run import NoiseFound, noise_work
from napari_diffusion.widgets.layers.unwrapped import unwrapped
from napari_diffusion.widgets.run import memory
from napari_diffusion.widgets.run.memory_check import check_memory

if TYPE_CHECKING:
    import napari
    import napari.layers

    from napari_diffusion.denoising.noise_report import NoiseReport
    from napari_diffusion.widgets.run.worker import News


def estimate_noise(viewer: napari.Viewer, layer: napari.layers.Layer | None = None) -> None:
    """Measure the noise of the selected image in the background, and say what was found.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose selected layer is taken.
    layer : Layer, optional
        The image; that which is selected by default.
    """
    viewer = unwrapped(viewer)
    with saying_errors():
        image = selected_image(viewer, layer, "measure its noise")
        job = source_of_command(viewer, image).job(denoiser(), 1, memory.free_memory())
        check_memory(job, "layers")
        reports: list[NoiseReport | None] = []

        def heard(news: News) -> None:
            match news:
                case NoiseFound(report):
                    reports.append(report)

        def ended() -> None:
            say_found(reports[-1], f"Measured on {image.name!r}.")

        start(f"Estimate the noise of {image.name!r}", noise_work(job), heard, ended)
