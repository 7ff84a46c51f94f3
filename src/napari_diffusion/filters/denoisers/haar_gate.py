"""Where the gate of `HaarDiffusion` opens: how large a difference must be to be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.filters.denoisers.largest_factor import largest_factor

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

# A coefficient this many standard deviations of its noise large is half kept by the gate.
GATE = 3.0


def scales(levels: list[dict[int, int]], sigma: float, dtype: DTypeLike) -> list[float]:
    """Return 1 / (3 s) per level, finite in the type of an image."""
    sizes, s = [], sigma
    for distances in levels:
        s /= 2 ** (len(distances) / 2)
        sizes.append(min(1 / (GATE * s), largest_factor(dtype)))
    return sizes


def scale_map(variance: NDArray[np.float64], sigma: float, dtype: DTypeLike) -> NDArray[Any]:
    """Return 1 / (3 s) for differences of which each has its own variance, in units of sigma²."""
    with np.errstate(divide="ignore"):
        sizes = 1 / (GATE * sigma * np.sqrt(variance))
    return np.minimum(sizes, largest_factor(dtype)).astype(dtype)


def variance_of_level(
    variance: NDArray[np.float64], distances: dict[int, int]
) -> NDArray[np.float64]:
    """Return the variance of the half sums and half differences of pixels, from that of pixels.

    The pixels of a difference do not share noise, for the distances double from level to level.
    """
    for axis, distance in distances.items():
        count = variance.shape[axis] - distance
        low, high = (
            variance[(slice(None),) * axis + (slice(first, first + count),)]
            for first in (0, distance)
        )
        variance = (low + high) / 4
    return variance
