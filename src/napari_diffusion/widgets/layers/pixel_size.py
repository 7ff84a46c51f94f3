"""The pixel size and the unit of a layer, as they are typed for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Image


def can_set_pixel_size(layer: Image) -> bool:
    """Say whether a layer's scale alone gives its pixel size: an affine could change it too."""
    matrix = layer.affine.linear_matrix
    return bool(np.array_equal(matrix, np.eye(len(matrix))))


def set_pixel_size(
    layer: Image, axes: str, along: str, spacing: tuple[float, ...], unit: str
) -> None:
    """Give a layer the pixel size that it has been found to have, and its unit.

    Parameters
    ----------
    layer : Image
        Its scale and units are set; its values stay.
    axes : str
        One letter per axis of its array.
    along : str
        The axes with a length.
    spacing : tuple of float
        Pixel size along each of them, greater than 0.
    unit : str
        Such as "µm"; "pixel" for none.

    Raises
    ------
    ValueError
        If the unit is not known to napari.
    """
    scale, units = np.array(layer.scale), [str(each) for each in layer.units]
    for axis, length in zip(along, spacing, strict=True):
        place = axes.index(axis)
        scale[place] = np.copysign(length, scale[place])
        units[place] = unit or "pixel"
    try:
        layer.units = tuple(units)
    except Exception as error:
        # pint has errors of many kinds for what is no unit.
        raise ValueError(f"unit must be a unit of length such as µm (got {unit!r}).") from error
    if not np.array_equal(scale, layer.scale):
        layer.scale = scale
