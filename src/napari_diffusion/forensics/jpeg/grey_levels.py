"""The 8-bit values that every JPEG has, and maps of planes in the axes of an image."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image

# The largest grey level of an 8-bit image.
_LARGEST = 255.0

# Steps between the values of an image: whole numbers, or whole numbers of 255; how near they lie.
_UNITS = (1.0, 1.0 / _LARGEST)
_NEAR = 2e-3

# Values, evenly over an image, that are looked at for their unit.
_LOOKED_AT = 1 << 20

# Pixels are repeated where this share of pairs is equal, and so much less between the pairs.
_EQUAL, _LESS = 0.97, 0.1


def unit_of(image: Image) -> float | None:
    """Return the step between the values of an 8-bit image: 1 or 1/255; None for other images."""
    values = image.data.ravel()
    values = values[:: max(1, values.size // _LOOKED_AT)]
    for unit in _UNITS:
        levels = values / unit
        inside = levels.min() >= -_NEAR and levels.max() <= _LARGEST + _NEAR
        # An image of 0 and 1 has both units.
        if inside and np.abs(levels - np.rint(levels)).max() < _NEAR and levels.max() > 1:
            return unit
    return None


def why_no_blocks(image: Image, fewest: int) -> str:
    """Return why no blocks can be read in an image, in a sentence; empty where they can.

    Parameters
    ----------
    image : Image
    fewest : int
        Pixels needed along y and along x.
    """
    least = min(image.grid.shape[-2:])
    if least < fewest:
        return f"It needs {fewest} pixels along y and x (got {least})."
    if unit_of(image) is None:
        return "Its values are not those of an 8-bit image, and every common JPEG has 8 bits."
    if any(_has_pairs(np.swapaxes(image.data, -1, axis)) for axis in (-2, -1)):
        return "Every second pixel repeats the one before it, which leaves the traces of blocks."
    return ""


def _has_pairs(values: NDArray[Any]) -> bool:
    # Enlarged by 2, pairs of pixels are equal, and the pixels between two pairs are not.
    equal = values[..., 1:] == values[..., :-1]
    shares = float(equal[..., ::2].mean()), float(equal[..., 1::2].mean())
    return max(shares) > _EQUAL and min(shares) < max(shares) - _LESS


def stacked(image: Image, planes: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
    """Return maps of all planes, in their order, in the axes of an image, without c for RGB."""
    grid = image.grid
    if grid.rgb:
        shape = (grid.shape[0], 1, *grid.shape[2:])
        grid = dataclasses.replace(grid, axes=grid.axes.replace("c", ""), shape=shape, rgb=False)
    values = np.asarray(planes, np.float32).reshape(grid.shape)
    return np.ascontiguousarray(grid.restored(values))
