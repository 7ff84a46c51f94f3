"""The minimum and the maximum of an image, and whether they can be computed with."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.image import is_dask
from napari_diffusion.core.no_data import marks_of
from napari_diffusion.core.value_limits import check_magnitude
from napari_diffusion.engine.counting import Measurement, inside, intensities
from napari_diffusion.engine.executor import tallied

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image


def extremes_of(image: Image) -> tuple[float, float]:
    """Return the lowest and the highest value of all pixels inside the mask."""
    if is_dask(image.data):
        found = tallied(Measurement(image, intensities, (0,) * 5, _Extremes, inside))
    else:
        found = _Extremes()
        found.add(inside(image.data, image.mask))
    low, high = found.low, found.high
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(
            f"The image has NaN or infinite values (minimum {low}, maximum {high}): use a mask "
            "without them."
        )
    return float(low), float(high)


class _Extremes:
    """Keeps the lowest and the highest of numbers."""

    def __init__(self) -> None:
        self.low, self.high = math.inf, -math.inf

    def add(self, values: NDArray[Any]) -> None:
        """Look at some more."""
        if values.size:
            self.low = min(self.low, float(values.min()))
            self.high = max(self.high, float(values.max()))


def check_range(image: Image) -> None:
    """Refuse a dask array whose values are too large or too small; others are checked when read.

    Raises
    ------
    ValueError
        It says how large they are, and how to go on.
    """
    if not is_dask(image.data) or image.data.dtype != np.float64:
        return
    if "extremes" not in image.known:
        try:
            image.known["extremes"] = extremes_of(image)
        except ValueError:
            # What is missing is counted, and refused, chunk by chunk.
            return
    low, high = image.known["extremes"]
    if low <= high and max(-low, high) not in marks_of(image.data.dtype):
        check_magnitude(low, high, image.data.dtype)
