"""The command *Difference to source*: what a step, or a denoised image, has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_diffusion.widgets.commands.command_work import start
from napari_diffusion.widgets.commands.selected_image import (
    saying_errors,
    selected_image,
)
from napari_diffusion.widgets.layers.step_layers import Place
from napari_diffusion.widgets.layers.step_records import records_of
from napari_diffusion.widgets.layers.unwrapped import unwrapped
from napari_diffusion.widgets.results.chosen_step import shown_of
from napari_diffusion.widgets.results.difference import difference_layer, difference_of
from napari_diffusion.widgets.results.run_finder import RunFinder
from napari_diffusion.widgets.run.run_request import RunError

if TYPE_CHECKING:
    import napari
    import napari.layers
    from numpy.typing import NDArray

    from napari_diffusion.widgets.run.worker import News, Worker

_WANTED = "subtract its source"


def difference_to_source(viewer: napari.Viewer, layer: napari.layers.Layer | None = None) -> None:
    """Add a layer of the selected step minus its source, white where nothing was changed.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers are searched for the source.
    layer : Layer, optional
        A step or a denoised image; that which is selected by default.
    """
    viewer = unwrapped(viewer)
    with saying_errors():
        image = selected_image(viewer, layer, _WANTED)
        if not records_of(image):
            raise RunError(
                "steps",
                f"{image.name!r} is no result of napari-diffusion: select a step or a denoised "
                f"image to {_WANTED}.",
            )
        run = RunFinder(viewer).run_of(shown_of(image, viewer))
        source = run.source_data()
        if source is None or run.source is None:
            raise RunError(
                "steps",
                f"The source {run.record['source']!r} was removed or changed: open it again "
                "under that name.",
            )
        step, name = run.step, run.source.name

        def work(worker: Worker) -> None:
            worker.post(difference_of(step, source))

        def heard(news: News) -> None:
            values: NDArray[Any] = news
            Place(viewer, [step.layer]).insert(difference_layer(step, values, name))

        start(f"Difference of {image.name!r} to {name!r}", work, heard, lambda: None)
