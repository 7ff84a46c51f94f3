"""Which of the viewer's layers are images to start from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.no_data import is_present
from napari_diffusion.widgets.layers.channels import mismatch
from napari_diffusion.widgets.layers.layer_values import values
from napari_diffusion.widgets.layers.step_records import records_of

if TYPE_CHECKING:
    import napari
    from napari.layers import Image, Layer

# Up to this many pixels are searched for missing values while the window waits.
_MOST_PIXELS = 1 << 24


#: Marks the layer of a preview, which comes and goes.
PREVIEW = "napari_diffusion_preview"


def is_image(layer: Layer) -> bool:
    """Say whether a layer is an image that stays; labels, images to Python, are none."""
    from napari.layers import Image

    return isinstance(layer, Image) and not is_preview(layer)


def is_preview(layer: Layer) -> bool:
    """Say whether a layer is that of a preview."""
    return PREVIEW in getattr(layer, "metadata", {})


def is_step(layer: Layer) -> bool:
    """Say whether a layer holds steps of a run."""
    return bool(records_of(layer))


def is_hidden_ground_truth(layer: Layer) -> bool:
    """Say whether a layer is the ground truth of a pixel, which is there to compare with."""
    sample = layer.metadata.get("napari_diffusion_sample")
    return isinstance(sample, dict) and sample.get("role") == "truth" and not layer.visible


def shown_images(viewer: napari.Viewer) -> list[Image]:
    """Return the images that can be chosen: plain ones, the topmost first, then steps of runs."""
    images = [layer for layer in reversed(viewer.layers) if is_image(layer)]
    return sorted(images, key=lambda layer: bool(records_of(layer)))


def default_layer(shown: list[Image]) -> Image | None:
    """Return the layer to start with: a visible one first, never a hidden ground truth."""
    fit = [layer for layer in shown if not is_hidden_ground_truth(layer)]
    seen = [layer for layer in fit if layer.visible and not records_of(layer)]
    return next(iter([*seen, *fit]), None)


def selected_images(viewer: napari.Viewer) -> tuple[Image, ...]:
    """Return the images that are selected, in their order in the list, where they are several."""
    selection = viewer.layers.selection
    found = tuple(each for each in viewer.layers if each in selection and is_image(each))
    return found if len(found) > 1 else ()


def channel_group(viewer: napari.Viewer) -> tuple[Image, ...]:
    """Return the selected images where they can be channels of one image."""
    found = selected_images(viewer)
    return found if found and not mismatch(found) else ()


def count_holes(layers: tuple[Image, ...]) -> int | None:
    """Return how many values are missing: NaN, infinite, or a mark; None where it takes long."""
    count = 0
    for layer in layers:
        data: Any = values(layer)
        if data.dtype.kind != "f":
            continue
        if not isinstance(data, np.ndarray) or data.size > _MOST_PIXELS:
            return None
        count += int(data.size - np.count_nonzero(is_present(data)))
    return count
