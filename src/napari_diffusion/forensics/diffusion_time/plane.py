"""The part of a plane of which the diffusion time is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Of larger planes the middle is read.
_MOST = 1024

# Units in the range of values that are no whole numbers.
_UNITS = 2550


def middle_of(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the middle of a large plane, and a small one as it is."""
    y, x = (max(n - _MOST, 0) // 2 for n in plane.shape)
    return plane[y : y + _MOST, x : x + _MOST]


def part_read(shape: tuple[int, ...]) -> tuple[str, ...]:
    """Return a remark on the part of a large plane that is read; none for a small one."""
    if max(shape) <= _MOST:
        return ()
    return (f"Read from the middle, {min(shape[0], _MOST)} × {min(shape[1], _MOST)} pixels.",)


def is_whole(dtype: np.dtype[np.generic]) -> bool:
    """Say whether an image was rounded to whole numbers."""
    return bool(np.issubdtype(dtype, np.integer))


def unit_of(plane: NDArray[np.float64], *, whole: bool) -> float:
    """Return the difference of values below which nothing is told apart."""
    if whole:
        return 1.0
    low, high = np.quantile(plane, (0.001, 0.999))
    return float(max((high - low) / _UNITS, 1e-30))
