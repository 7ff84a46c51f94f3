"""What is worth knowing of a source before a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.widgets.layers.channels import mismatch
from napari_diffusion.widgets.layers.mask import lies_elsewhere
from napari_diffusion.widgets.layers.source_layers import is_image, is_preview, selected_images

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari
    from napari.layers import Image, Layer


def hint(
    viewer: napari.Viewer,
    layers: tuple[Image, ...],
    mask: Layer | None,
    holes: int | None,
    kept: bool,
    can_be_mask: Callable[[Layer], bool],
) -> str:
    """Return one sentence on a source, the most important one; nothing where there is none.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose selected layers may not be what the user expects.
    layers : tuple of Image
        The source.
    mask : Layer or None
        The layer of its mask.
    holes : int or None
        How many values are missing, None where they were not counted.
    kept : bool
        Whether those are treated as missing.
    can_be_mask : callable
        Says of a layer that it could be the mask.
    """
    if not layers:
        return ""
    layer, active, many = layers[0], viewer.layers.selection.active, selected_images(viewer)
    if len(layers) > 1:
        return f"{len(layers)} layers as channels: {', '.join(each.name for each in layers)}."
    if many and many != layers and (reason := mismatch(many)):
        return reason
    others = active is not None and not is_image(active) and active is not mask
    if active is not None and others and not is_preview(active):
        kind = kind_of(active)
        cure = ", and it can be chosen as the mask under Advanced" * can_be_mask(active)
        return (
            f"Only images can be chosen: {active.name!r} is a {kind} layer{cure}; {layer.name!r} "
            "is used."
        )
    if mask is not None and lies_elsewhere(mask, layer):
        return f"The mask {mask.name!r} lies elsewhere than {layer.name!r}: pixels are matched."
    if layer.multiscale:
        return "Multiscale layer: the full resolution is used."
    if not holes:
        return ""
    return f"This image has {count_words(holes)}{', treated as missing' * kept}."


def count_words(holes: int) -> str:
    """Return how many values are missing, in words."""
    return f"{holes} missing value{'s' * (holes > 1)} (NaN, infinite or no data)"


def kind_of(layer: Layer) -> str:
    """Return what a layer is called in napari, such as "Labels"."""
    return type(layer).__name__
