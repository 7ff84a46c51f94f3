"""How large and how small values may be to be computed with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

#: Limits of the largest magnitude of a float64 image: variances of its variances are in range.
SMALLEST, LARGEST = 1e-70, 1e70

#: The least intensity per photon, far below the intensities of an image.
LEAST_GAIN = 1e-80


def limits_of(dtype: DTypeLike) -> tuple[float, float]:
    """Return the limits of the largest magnitude of an image of this type that is not all 0.

    Filters divide images by a power of two before they square float32, so that only sums need room.
    """
    if np.dtype(dtype) == np.float64:
        return SMALLEST, LARGEST
    return 0.0, float(np.finfo(np.float32).max) / 64


def check_magnitude(low: float, high: float, dtype: DTypeLike, *, part: bool = False) -> None:
    """Refuse an image whose values from `low` to `high` are beyond the limits of its type.

    Of a part of an image all values may be small.

    Raises
    ------
    ValueError
        If they are too large or too small.
    """
    largest, (smallest, most) = max(-low, high), limits_of(dtype)
    if largest > most:
        raise ValueError(
            f"Values from {low:g} to {high:g} are too large to compute with in {np.dtype(dtype)}: "
            "divide the image by a constant first."
        )
    if 0 < largest < smallest and not part:
        raise ValueError(
            f"Values from {low:g} to {high:g} are too small to compute with in {np.dtype(dtype)}: "
            "multiply the image by a constant first."
        )


def largest_magnitude(data: NDArray[Any]) -> float:
    """Return the largest magnitude in an image, NaN or infinity where one is in it.

    As whole numbers, the bits of values of one sign have the values' order, and those of NaN and
    infinity lie beyond. An image without negative values is read once.
    """
    unsigned, signed = (np.uint32, np.int32) if data.itemsize == 4 else (np.uint64, np.int64)
    sign = 1 << (8 * data.itemsize - 1)
    highest = int(data.view(unsigned).max())
    if highest >= sign:
        highest = max(highest - sign, int(data.view(signed).max()))
    return float(unsigned(highest).view(data.dtype))
