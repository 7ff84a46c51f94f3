"""How much fine detail surrounds each pixel, octave by octave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Second differences of white noise have the standard deviation √6 σ along one axis, 6 σ along both.
_ONE, _BOTH = np.sqrt(6.0), 6.0

# Details count from this share of the usual detail on; the product of three must not vanish.
_OF_USUAL, _TINY = 0.05, 1e-90


def fine_detail(plane: NDArray[Any], octave: int) -> tuple[NDArray[Any], ...]:
    """Return absolute second differences along y, along x, and along y and x, in intensities.

    White noise has the same standard deviation in all three.

    Parameters
    ----------
    plane : (Y, X) array
    octave : int
        0 for neighbouring pixels; each octave more doubles the distance, after averaging over it.
    """
    from scipy import ndimage

    distance = 2**octave
    smooth = ndimage.uniform_filter(plane, distance) if octave else plane
    along_y = _second_difference(smooth, distance)
    along_x = _second_difference(smooth.T, distance).T
    along_both = _second_difference(along_x, distance)
    return np.abs(along_y) / _ONE, np.abs(along_x) / _ONE, np.abs(along_both) / _BOTH


def _second_difference(values: NDArray[Any], distance: int) -> NDArray[Any]:
    padded = np.pad(values, ((distance, distance), (0, 0)), mode="reflect")
    return padded[: -2 * distance] - 2 * values + padded[2 * distance :]


def log_level(
    details: Sequence[NDArray[Any]], least: float, window: int, every: int
) -> NDArray[Any]:
    """Return twice the mean logarithm of details in windows: the power that most pixels have.

    Details count from `least` on, and from a share of the usual detail of the plane.
    """
    product = np.ones_like(details[0])
    for each in details:
        product *= each + max(least, _OF_USUAL * float(np.median(each)), _TINY)
    return 2 / len(details) * window_mean(np.log(product), window, every)


def window_mean(values: NDArray[Any], window: int, every: int) -> NDArray[Any]:
    """Return means over windows whose centres are `every` pixels apart."""
    from scipy import ndimage

    start = every // 2
    return np.asarray(ndimage.uniform_filter(values, window)[start::every, start::every])


def around_pixels(values: NDArray[Any], shape: tuple[int, int], every: int) -> NDArray[np.float32]:
    """Return values between the centres of windows, as `window_mean` places them."""
    from scipy import ndimage

    start = every // 2
    y, x = (((np.arange(n) - start) / every).clip(0, m - 1)
            for n, m in zip(shape, values.shape, strict=True))  # fmt: skip
    rows = ndimage.map_coordinates(
        values, np.meshgrid(y, np.arange(values.shape[1]), indexing="ij"), order=1, mode="nearest"
    )
    low = np.floor(x).astype(int).clip(0, max(values.shape[1] - 2, 0))
    high = np.minimum(low + 1, values.shape[1] - 1)
    return np.asarray(rows[:, low] * (1 - (x - low)) + rows[:, high] * (x - low), np.float32)
