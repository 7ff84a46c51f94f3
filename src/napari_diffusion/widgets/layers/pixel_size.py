"""The pixel size and the unit of a layer, as they are typed for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.core.grid import SPATIAL
from napari_diffusion.core.units import METRES, PIXEL, unit_name
from napari_diffusion.widgets.layers.layer_locks import is_locked

if TYPE_CHECKING:
    from napari.layers import Image


def fixed_because(layer: Image) -> str:
    """Return why a layer's pixel size cannot be set, nothing where it can."""
    if is_locked(layer):
        return f"{layer.name!r} is locked: unlock the layer to change its pixel size."
    matrix = layer.affine.linear_matrix
    if not np.array_equal(matrix, np.eye(len(matrix))):
        return f"{layer.name!r} has an affine transform, which sets its pixel size."
    return ""


def checked_unit(unit: str) -> str:
    """Return the full name of a unit of length that files have too; "pixel" stands for none.

    Raises
    ------
    ValueError
        If it is another unit, or none.
    """
    name = unit_name(unit)
    if name != PIXEL and name not in METRES:
        raise ValueError(f"Unit must be a unit of length such as µm, or pixel (got {unit!r}).")
    return name


def set_pixel_size(
    layer: Image, axes: str, along: str, spacing: tuple[float, ...], unit: str
) -> None:
    """Give a layer a pixel size and its unit.

    Parameters
    ----------
    layer : Image
        Its scale and units are set; its values stay.
    axes : str
        One letter per axis of its array.
    along : str
        The axes with a length.
    spacing : tuple of float
        Pixel size along each of them, greater than 0; of a time axis in its own unit.
    unit : str
        Such as "µm"; "pixel" for none.
    """
    scale, units = np.array(layer.scale), [str(each) for each in layer.units]
    for axis, length in zip(along, spacing, strict=True):
        place = axes.index(axis)
        scale[place] = np.copysign(length, scale[place])
        if axis in SPATIAL:
            units[place] = checked_unit(unit)
    # A reader of the layer would see the new unit with the old numbers in between.
    with layer.events.scale.blocker():
        layer.scale = scale
    layer.units = tuple(units)
    layer.events.scale()
