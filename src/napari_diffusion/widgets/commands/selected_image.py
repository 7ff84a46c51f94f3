"""The layer that a command works on, or one sentence why there is none."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from napari_diffusion.widgets.commands.asked_axes import typed_for
from napari_diffusion.widgets.docks.dock import notify
from napari_diffusion.widgets.layers.layer_axes import along_of, axes_of, spacing_of
from napari_diffusion.widgets.layers.source_layers import is_image
from napari_diffusion.widgets.layers.unwrapped import unwrapped
from napari_diffusion.widgets.run.run_request import RunError
from napari_diffusion.widgets.source.axes_form import Reading
from napari_diffusion.widgets.source.run_source import RunSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    import napari
    from napari.layers import Image, Layer


@contextlib.contextmanager
def saying_errors() -> Iterator[None]:
    """Say in a notification of napari what stands in the way of a command."""
    try:
        yield
    except RunError as error:
        notify("warning", str(error))


def selected_image(viewer: napari.Viewer, layer: Layer | None, wanted: str) -> Image:
    """Return the image to work on; `RunError` says in one sentence why there is none.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose active layer is taken where no layer is given.
    layer : Layer or None
        The layer that napari has injected, or a script has given.
    wanted : str
        What to select it for, such as "denoise it".
    """
    chosen = viewer.layers.selection.active if layer is None else layer
    chosen = unwrapped(chosen)
    if chosen is None:
        count = len(viewer.layers.selection)
        selected = f": {count} layers are selected" if count > 1 else ""
        raise RunError("source", f"Select one image layer to {wanted}{selected}.")
    if not is_image(chosen):
        raise RunError(
            "source",
            f"{chosen.name!r} is a {type(chosen).__name__} layer: select an image layer to "
            f"{wanted}.",
        )
    return chosen


def source_of_command(viewer: napari.Viewer, layer: Image) -> RunSource:
    """Return all of a layer as the source of a run, its axes read as the docks read them."""
    typed = typed_for(layer)
    axes = str(typed.get("axes", axes_of(layer)))
    along = str(typed.get("along", along_of(axes)))
    reading = Reading(
        axes=axes,
        along=along,
        spacing=spacing_of(layer, axes, along),
        joint_channels=bool(typed.get("joint_channels", True)),
        keep_holes=bool(typed.get("keep_holes", False)),
        region="whole",
    )
    try:
        return RunSource.of([layer], reading, viewer)
    except ValueError as error:
        raise RunError("source", str(error)) from None
