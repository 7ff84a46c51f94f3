"""Shapes as areas of an image's own pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Image, Shapes
    from numpy.typing import NDArray

# Corners that stand for an ellipse.
_ROUND = 128

# Less than this part of a pixel counts as no extent.
_FLAT = 1e-3


@dataclass(frozen=True, eq=False)
class Areas:
    """The areas of shapes in the pixels of an image.

    Attributes
    ----------
    corners : tuple of ndarray
        For each area, one row per corner and one column per axis of the image.
    name : str
        Name of the layer of shapes.
    """

    corners: tuple[NDArray[Any], ...]
    name: str

    def inside(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """Return the pixels whose centre lies in one of the areas.

        An area lies in one plane and holds for all planes, frames and channels.
        """
        from skimage.draw import polygon2mask

        inside = np.zeros(shape, bool)
        for number, corners in enumerate(self.corners):
            extent = np.ptp(corners, axis=0)
            flat = tuple(int(axis) for axis in np.flatnonzero(extent > _FLAT))
            if len(flat) > 2:
                raise ValueError(
                    f"Shape {number} of {self.name!r} is not aligned with the image axes: "
                    "draw it in a plane of the image."
                )
            if len(flat) < 2:
                continue
            sizes = tuple(shape[axis] for axis in flat)
            area = polygon2mask(sizes, corners[:, flat])
            inside |= np.expand_dims(area, [a for a in range(len(shape)) if a not in flat])
        return inside


def outlines(layer: Shapes) -> list[NDArray[Any]]:
    """Return the corners of the polygons, rectangles and ellipses of a layer."""
    found = []
    for kind, corners in zip(layer.shape_type, layer.data, strict=True):
        if kind in ("polygon", "rectangle"):
            found.append(np.array(corners, float))
        elif kind == "ellipse":
            found.append(_ellipse(np.array(corners, float)))
    return found


def drawn(layer: Shapes, source: Image) -> Areas:
    """Return the areas of a layer of shapes in the pixels of a source, as they are now."""
    matrix, origin = _to_pixels(layer, source)
    return Areas(tuple(corners @ matrix.T + origin for corners in outlines(layer)), layer.name)


def _ellipse(box: NDArray[Any]) -> NDArray[Any]:
    """Return points on the ellipse that touches the four sides of a box."""
    angle = np.linspace(0, 2 * np.pi, _ROUND, endpoint=False)[:, None]
    centre, one, other = (box[0] + box[2]) / 2, (box[1] - box[0]) / 2, (box[3] - box[0]) / 2
    return np.asarray(centre + np.cos(angle) * one + np.sin(angle) * other)


def _to_pixels(layer: Shapes, source: Image) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the affine map from a layer's coordinates to the pixels of a source."""

    def mapped(at: NDArray[Any]) -> NDArray[Any]:
        world = np.array(layer.data_to_world(at), float)
        # The axes of layers belong together from the last one on.
        padded = np.concatenate([np.zeros(max(source.ndim - len(world), 0)), world])
        return np.array(source.world_to_data(padded[-source.ndim :]), float)

    origin = mapped(np.zeros(layer.ndim))
    columns = [mapped(unit) - origin for unit in np.eye(layer.ndim)]
    return np.stack(columns, axis=1), origin
