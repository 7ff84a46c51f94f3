"""The contrast that tells edges from the rest, from the gradients of a picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from napari_diffusion.estimate._measure import measured
from napari_diffusion.picture import Picture

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.drive import Drive
    from napari_diffusion.grid import Grid, GridOptions

# Normal numbers have this standard deviation per median absolute deviation (Black and others).
MAD_TO_SIGMA = 1.4826

# The spread of the gradients times √5 is where Tukey's conductance ends; as contrast of the
# rational one it gave the best pictures on average of the usual choices.
SPREADS = math.sqrt(5.0)


def contrast(image: ArrayLike, smoothing: float = 0.0, **options: Unpack[GridOptions]) -> float:
    """Estimate the contrast of a picture, in intensity per world unit.

    ``√5 · 1.4826 · median(| |∇u| − median |∇u| |)``, over all samples, frames and channels.
    Where most gradients are equal, the 0.9 quantile of the gradients that are not 0 stands in; a
    constant picture, which no contrast changes, gets 1.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes.
    smoothing : float
        Standard deviation in world units of a Gaussian applied before.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    References
    ----------
    Black, Sapiro, Marimont and Heeger (1998), Robust anisotropic diffusion, section IV.
    """
    return contrast_of(Picture.of(image, **options), smoothing)


def contrast_of(picture: Picture, smoothing: float = 0.0) -> float:
    """Estimate the contrast of a picture that has been read in; it is measured once."""
    if ("contrast", smoothing) not in picture.known:
        picture.known["contrast", smoothing] = _measured_contrast(picture, smoothing)
    return float(picture.known["contrast", smoothing])


def _measured_contrast(picture: Picture, smoothing: float) -> float:
    halo, joined = _halo(picture.grid, smoothing), picture.grid.joint_channels

    def magnitude(
        block: NDArray[Any], mask: NDArray[np.bool_] | None, grid: Grid, drive: Drive
    ) -> NDArray[Any]:
        return gradient_magnitude(block, mask, grid, smoothing, drive)

    gradients = measured(picture, magnitude, halo, joined=joined)
    middle = gradients.quantile(0.5)
    distances = measured(picture, magnitude, halo, joined=joined, around=middle)
    found = SPREADS * MAD_TO_SIGMA * distances.quantile(0.5)
    if found > 0:
        return found
    gradients.counts[0] = 0
    return gradients.quantile(0.9) or 1.0


def gradient_magnitude(
    block: NDArray[Any],
    mask: NDArray[np.bool_] | None,
    grid: Grid,
    smoothing: float,
    drive: Drive,
) -> NDArray[Any]:
    """Return |∇u| at every sample in intensity per world unit, of joint channels together."""
    from napari_diffusion.filters import _gradient, _smooth

    # Squares of very large or small numbers leave the range of float32, so work is done on a
    # power of two near the largest value, which changes no digit.
    largest = float(max(-block.min(), block.max())) or 1.0
    unit = 2.0 ** math.floor(math.log2(largest))
    scaled = block / block.dtype.type(unit)
    if smoothing:
        scaled = _smooth.smoothed_inside(scaled, mask, grid.variances(smoothing), drive)
    shortest = min(grid.spacing)
    slopes = np.array([shortest / length for length in grid.lengths], block.dtype)
    slopes = np.tile(slopes, (block.shape[1], 1))
    squared = _gradient.squared(scaled, mask, slopes, grid.joint_channels)
    return np.sqrt(squared).astype(np.float64) * (unit / shortest)


def _halo(grid: Grid, smoothing: float) -> tuple[int, ...]:
    from napari_diffusion.filters._smooth import reach

    variances = grid.variances(smoothing)
    return tuple(
        1 + (reach(variances[axis]) if smoothing else 0) if axis in variances else 0
        for axis in range(5)
    )
