"""Commands that open the dock *Filter* with the filter that is typed in the palette."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_diffusion.filters import PeronaMalik, TotalVariation
from napari_diffusion.widgets.docks.dock_tabs import open_dock
from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.layers.unwrapped import unwrapped

if TYPE_CHECKING:
    import napari

    from napari_diffusion.filters import Filter


def open_perona_malik(viewer: napari.Viewer) -> None:
    """Open the dock *Filter* with anisotropic diffusion as Perona and Malik have defined it."""
    _open(viewer, PeronaMalik())


def open_total_variation(viewer: napari.Viewer) -> None:
    """Open the dock *Filter* with total variation."""
    _open(viewer, TotalVariation())


def _open(viewer: napari.Viewer, chosen: Filter) -> None:
    dock: Any = open_dock(unwrapped(viewer), "Filter", Box)
    dock.value = chosen
