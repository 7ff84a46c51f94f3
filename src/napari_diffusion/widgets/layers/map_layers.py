"""Maps that studies and traces return, as layers with a colour bar on a fixed scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_diffusion.widgets.layers.layer_locks import hide, unlocked
from napari_diffusion.widgets.layers.step_records import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import napari
    from napari.layers import Image, Layer
    from numpy.typing import NDArray

    from napari_diffusion.core.results import ResultMap
    from napari_diffusion.widgets.layers.layer_style import LayerStyle
    from napari_diffusion.widgets.layers.step_layers import Place


def map_name(shown: str, unit: str) -> str:
    """Return what a map is called: its name with the unit."""
    return f"{shown} ({unit})" if unit else shown


def map_layer(
    shown: ResultMap,
    values: NDArray[Any],
    name: str,
    style: LayerStyle,
    record: Mapping[str, Any],
) -> Image:
    """Return the layer of a map, over the limits of the map, with its colour bar.

    Parameters
    ----------
    shown : ResultMap
        What is shown, and over which limits.
    values : ndarray
        Its values in the axes of the layer.
    name : str
        What the layer is called.
    style : LayerStyle
        Where the source lies; a map has its own looks.
    record : mapping
        Says what it is, with its findings and limits.
    """
    from napari.layers import Image

    low, high = shown.limits
    own = {
        "rgb": False,
        "blending": "translucent",
        "opacity": 1.0,
        "gamma": 1.0,
        "colormap": "coolwarm" if shown.diverging else "viridis",
        "contrast_limits": (low, high if high > low else low + 1.0),
    }
    layer = Image(values, name=name, metadata={KEY: record}, **{**style.arguments(), **own})
    layer.colorbar.visible = True
    return layer


def is_finding(layer: Layer) -> bool:
    """Say whether a layer is a map of a study or a trace."""
    kept = getattr(layer, "metadata", {}).get(KEY)
    return isinstance(kept, dict) and "findings" in kept


def is_map(layer: Layer) -> bool:
    """Say whether a layer is such a map, and no shapes."""
    from napari.layers import Image

    return isinstance(layer, Image) and is_finding(layer)


def show_maps(viewer: napari.Viewer, layers: Sequence[Layer], place: Place) -> None:
    """Insert maps, the first one on top and visible, in place of those that are seen."""
    # Of two maps that are seen, one hides the other, but not its colour bar.
    if layers:
        hide(each for each in viewer.layers if is_finding(each))
    for turn, layer in enumerate(layers):
        layer.visible = turn == 0
    # What is inserted last lies on top: the most important one.
    for layer in reversed(layers):
        place.insert(layer)


def remove_earlier(viewer: napari.Viewer, made: Callable[[Layer], bool]) -> None:
    """Remove the layers that were made before; one that the user has locked stays."""
    for layer in unlocked(each for each in viewer.layers if made(each)):
        viewer.layers.remove(layer)
