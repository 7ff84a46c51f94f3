"""Polygons around the parts of a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Pixels by which a polygon may miss the edge of a mask.
_TOLERANCE = 0.8


def outlines(mask: NDArray[np.bool_], least: int, most: int = 8) -> list[NDArray[np.float64]]:
    """Return polygons, y and x in pixels, around the largest parts of a mask, the largest first.

    Parts of less than `least` pixels are left out. Holes are not shown.
    """
    from scipy import ndimage

    label, _ = ndimage.label(mask, np.ones((3, 3)))
    sizes = np.bincount(label.ravel())
    sizes[0] = 0
    order = np.argsort(sizes)[::-1][:most]
    boxes = ndimage.find_objects(label)
    return [
        _outline(label[boxes[each - 1]] == each, boxes[each - 1])
        for each in order
        if sizes[each] >= max(least, 1)
    ]


def _outline(part: NDArray[np.bool_], box: tuple[slice, ...]) -> NDArray[np.float64]:
    from skimage import measure

    lines: list[NDArray[Any]] = measure.find_contours(np.pad(part, 1).astype(float), 0.5)
    around = max(lines, key=len) - 1 + [box[0].start, box[1].start]
    return np.asarray(measure.approximate_polygon(around, _TOLERANCE)[:-1], np.float64)
