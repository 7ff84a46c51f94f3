"""The difference of an image and the thumbnail that its file holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.forensics.base import planes_of
from napari_diffusion.forensics.jpeg.grey_levels import stacked
from napari_diffusion.forensics.reading import Number, TraceMap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image

# Shapes of which the ratio of the sides differs by no more are the same.
_SAME_SHAPE = 0.02
_LEAST = 8


def thumbnail_difference(
    image: Image, thumbnail: NDArray[np.float64]
) -> tuple[TraceMap, Number] | None:
    """Return thumbnail − image in the intensities of the image, and how well both agree.

    Mean and standard deviation of the thumbnail are those of the image first. None where the image
    is no single plane, or one of the two does not vary.
    """
    from skimage.transform import resize

    planes = [plane for _, plane in planes_of(image)]
    if len(planes) != 1:
        return None
    plane = planes[0]
    small = _without_bars(thumbnail, plane.shape[0] / plane.shape[1])
    if min(small.shape) < _LEAST or min(plane.shape) < _LEAST:
        return None
    shrunk = resize(plane, small.shape, order=1, anti_aliasing=True, preserve_range=True)
    spread, own = float(shrunk.std()), float(small.std())
    if min(spread, own) == 0:
        return None
    matched = (small - small.mean()) * (spread / own) + shrunk.mean()
    difference = matched - shrunk
    agreement = float(((small - small.mean()) * (shrunk - shrunk.mean())).mean() / (spread * own))
    values = resize(difference, plane.shape, order=1, preserve_range=True)
    limit = max(2 * spread, float(np.abs(difference).max()) / 2)
    shown = TraceMap(
        "thumbnail − image", stacked(image, [values]), "intensity", (-limit, limit), diverging=True
    )
    words = "near 1 where the thumbnail shows the same"
    return shown, Number("correlation of thumbnail and image", agreement, words=words)


def _without_bars(thumbnail: NDArray[np.float64], wanted: float) -> NDArray[np.float64]:
    """Return the middle of a thumbnail in the shape of the image: cameras fill it up with bars."""
    height, width = thumbnail.shape
    if abs(np.log(height / width / wanted)) <= _SAME_SHAPE:
        return thumbnail
    rows, columns = min(height, round(width * wanted)), min(width, round(height / wanted))
    top, left = (height - rows) // 2, (width - columns) // 2
    return thumbnail[top : top + rows, left : left + columns]
