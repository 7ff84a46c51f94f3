"""Thumbnails of layers that are inserted hidden: napari draws those of visible ones alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.image import is_dask

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari.components import Dims
    from napari.layers import Image
    from numpy.typing import NDArray

# Pixels along a side of napari's thumbnails.
_SIDE = 32


def draw_thumbnails(layers: Iterable[Image], dims: Dims) -> None:
    """Draw what hidden layers would show, as napari does once they are shown.

    Parameters
    ----------
    layers : iterable of Image
        Layers that have been inserted; what is visible, or lazy, is left as it is.
    dims : Dims
        The viewer's sliders.
    """
    for layer in layers:
        if not layer.visible and not layer.multiscale and not is_dask(layer.data):
            plane = _small(_shown(layer, dims), layer.rgb)
            layer.thumbnail = _colours(plane, layer)


def _shown(layer: Image, dims: Dims) -> NDArray[Any]:
    """Return what the sliders show of a layer, the brightest voxels of a volume in 3D."""
    offset = dims.ndim - layer.ndim
    displayed = [axis - offset for axis in dims.displayed if axis >= offset]
    at = np.rint(layer.world_to_data(dims.point)).astype(int)
    index = tuple(
        slice(None) if axis in displayed else min(max(int(at[axis]), 0), layer.data.shape[axis] - 1)
        for axis in range(layer.ndim)
    )
    plane = np.asarray(layer.data[index])
    colours = [len(displayed)] if layer.rgb else []
    plane = plane.transpose([*np.argsort(np.argsort(displayed)), *colours])
    return plane.max(axis=0) if len(displayed) == 3 else plane


def _small(plane: NDArray[Any], rgb: bool) -> NDArray[Any]:
    from scipy import ndimage

    plane = plane.astype(np.float32) if plane.dtype.kind in "fb" else plane
    extent = np.array(plane.shape[:2])
    wanted = np.clip((_SIDE / extent).min() * extent, 1, _SIDE)
    zoom = (*(wanted / extent), *([1.0] if rgb else []))
    small: NDArray[Any] = ndimage.zoom(plane, zoom, prefilter=False, order=0)
    return small


def _colours(small: NDArray[Any], layer: Image) -> NDArray[Any]:
    if layer.rgb:
        full = 255 if small.dtype == np.uint8 else 1.0
        if small.shape[-1] == 3:
            alpha = np.full((*small.shape[:2], 1), full, small.dtype)
            small = np.concatenate([small, alpha], axis=-1)
        small[..., 3] = (small[..., 3] * layer.opacity).astype(small.dtype)
        return small
    low, high = layer.contrast_limits
    share = (np.clip(small, low, high) - low) / ((high - low) or 1.0)
    mapped = layer.colormap.map((share**layer.gamma).ravel()).reshape((*small.shape, 4))
    mapped[..., 3] *= layer.opacity
    return np.asarray(mapped)
