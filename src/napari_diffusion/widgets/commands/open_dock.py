"""Commands that open a dock under a name of the field, for those who type it in the palette."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.widgets.commands.selected_image import unwrapped

if TYPE_CHECKING:
    import napari

PLUGIN = "napari-diffusion"


def open_filter(viewer: napari.Viewer) -> None:
    """Open the dock *Filter*.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the dock opens.
    """
    unwrapped(viewer).window.add_plugin_dock_widget(PLUGIN, "Filter")
