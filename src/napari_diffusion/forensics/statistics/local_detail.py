"""How much fine detail surrounds each pixel, octave by octave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Second differences of white noise have a standard deviation of √6 σ.
_NORM = np.sqrt(6.0)


def fine_detail(plane: NDArray[Any], octave: int) -> NDArray[Any]:
    """Return the smaller of the second differences along y and along x, in intensities.

    An edge along an axis has none along that axis, so that noise beside edges is still read.

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
    return np.minimum(np.abs(along_y), np.abs(along_x)) / _NORM


def _second_difference(values: NDArray[Any], distance: int) -> NDArray[Any]:
    padded = np.pad(values, ((distance, distance), (0, 0)), mode="reflect")
    return padded[: -2 * distance] - 2 * values + padded[2 * distance :]


def log_level(detail: NDArray[Any], floor: float, window: int, every: int) -> NDArray[Any]:
    """Return twice the mean logarithm of detail in windows: the power that most pixels have."""
    return 2 * window_mean(np.log(detail + floor), window, every)


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
