"""The plane of an image of which the diffusion time is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.forensics.base import planes_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image

# Of larger planes the middle is read.
_MOST = 1024

# Units in the range of values that are no whole numbers.
_UNITS = 2550


def middle_plane(image: Image) -> NDArray[np.float64]:
    """Return the middle one of all planes, of a large one the middle."""
    planes = list(planes_of(image))
    plane = planes[len(planes) // 2][1]
    y, x = (max(n - _MOST, 0) // 2 for n in plane.shape)
    return plane[y : y + _MOST, x : x + _MOST]


def is_whole(dtype: np.dtype[np.generic]) -> bool:
    """Say whether an image was rounded to whole numbers."""
    return bool(np.issubdtype(dtype, np.integer))


def unit_of(plane: NDArray[np.float64], *, whole: bool) -> float:
    """Return the difference of values below which nothing is told apart."""
    if whole:
        return 1.0
    low, high = np.quantile(plane, (0.001, 0.999))
    return float(max((high - low) / _UNITS, 1e-30))
