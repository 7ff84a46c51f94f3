"""The minimum and the maximum of an image, and whether they can be computed with."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.core.image import is_dask
from napari_diffusion.core.no_data import marks_of
from napari_diffusion.core.value_limits import check_magnitude

if TYPE_CHECKING:
    from napari_diffusion.core.image import Image


def extremes_of(image: Image) -> tuple[float, float]:
    """Return the lowest and the highest value of all pixels inside the mask."""
    data, mask = image.data, image.mask
    if is_dask(data):
        import dask.array as da

        inside = True if mask is None else mask
        low, high = (da.where(inside, data, far) for far in (math.inf, -math.inf))
        low, high = da.compute(low.min(), high.max())
    else:
        inside = data if mask is None else data[mask]
        low, high = (inside.min(), inside.max()) if inside.size else (math.inf, -math.inf)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(
            f"The image has NaN or infinite values (minimum {low}, maximum {high}): use a mask "
            "without them."
        )
    return float(low), float(high)


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
