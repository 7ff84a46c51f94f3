"""Detection of photon-counting images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image

# Pixels looked at along t, c, z, y and x, evenly over each.
_SAMPLES = (4, 8, 4, 256, 256)

# Values that are so many steps of a number apart can be told from any others.
_MOST = 4096

# Steps from the least value to the largest, beyond which float32 has no whole numbers of them.
_FARTHEST = 1e5

# How far from a whole number of steps a value may lie.
_OFF = 0.01

# How far the variance, and how far the median of its parts, may be from one step times the mean.
_WHOLE, _PART = 0.07, 0.08

# Levels of intensity that say enough about the variance.
_LEVELS = 8


def counted(
    image: Image, levels: NDArray[np.float64], variances: NDArray[np.float64]
) -> float | None:
    """Return the intensity of one photon in a photon-counting image, else None.

    Its values are whole multiples of one step, and the variance of the noise is that step times
    the mean. No straight line is fitted, so that dark parts cannot be mistaken for read noise.

    Parameters
    ----------
    image : Image
        Noisy, in intensities.
    levels, variances : ndarray
        Intensities, and the variance of the noise there, as they were measured.
    """
    step = step_of(image) if len(levels) >= _LEVELS and levels.sum() > 0 else None
    if step is None:
        return None
    whole = abs(variances.sum() / (step * levels.sum()) - 1)
    # Levels of almost no light are held against a twentieth of a photon.
    off = np.abs(variances - step * levels) / (step * np.maximum(levels, 0.05 * step))
    return step if whole < _WHOLE and float(np.median(off)) < _PART else None


def step_of(image: Image) -> float | None:
    """Return the number that all values are 0, 1, 2 … times of; None where there is none."""
    strides = (-(-size // most) for size, most in zip(image.data.shape, _SAMPLES, strict=True))
    values = _distinct(np.asarray(image.data[tuple(slice(None, None, n) for n in strides)]))
    if not 2 <= len(values) <= _MOST or values[0] < 0:
        return None
    width, least = float(values[-1] - values[0]), float(np.diff(values).min())
    if width > _FARTHEST * least:
        return None
    # Over the whole width the round-off of a single difference cannot be seen.
    step = width / round(width / least)
    steps = values / step
    return step if bool((np.abs(steps - np.round(steps)) < _OFF).all()) else None


def _distinct(values: NDArray[Any]) -> NDArray[np.float64]:
    return np.unique(values[np.isfinite(values)]).astype(np.float64)
