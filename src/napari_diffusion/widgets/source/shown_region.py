"""The part of a source that is on the canvas, no more of it than is computed soon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.loop.preview import limited
from napari_diffusion.widgets.layers.layer_axes import FURTHER
from napari_diffusion.widgets.source.run_source import visible_region

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

    from napari_diffusion.widgets.source.run_source import Region, RunSource

# Pixels along each axis that is shown, at most: in a plane and in space.
MOST = {2: 512, 3: 128}


def shown_region(run_source: RunSource, viewer: napari.Viewer) -> Region:
    """Return the part that is on the canvas, no more of it than is shown soon."""
    layer, many = run_source.layers[0], len(run_source.layers) > 1
    shape, letters = run_source.fold.shape[many:], run_source.fold.letters[many:]
    part = region_of_layer(viewer, layer, letters, shape)
    return (slice(0, len(run_source.layers)),) * many + part


def region_of_layer(
    viewer: napari.Viewer, layer: Image, letters: str, shape: tuple[int, ...]
) -> Region:
    """Return the part of a layer that is on the canvas, one slice per axis of its array."""
    part = visible_region(viewer, layer, letters, shape)
    if not np.any(layer.corner_pixels):
        # Nothing has been drawn yet.
        shown = [axis - (viewer.dims.ndim - layer.ndim) for axis in viewer.dims.displayed]
        part = tuple(slice(0, shape[a]) if a in shown else each for a, each in enumerate(part))
    # Channels, and images that are folded into t, are taken together.
    kept = "c" + FURTHER + "t" * (FURTHER in letters)
    axes = "".join("c" if letter in kept else letter for letter in letters)
    return limited(part, axes, MOST[viewer.dims.ndisplay])
