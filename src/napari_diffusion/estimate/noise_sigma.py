"""The standard deviation of the noise that a picture has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from napari_diffusion.estimate._measure import NOT_MEASURED, measured
from napari_diffusion.picture import Picture

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.drive import Drive
    from napari_diffusion.grid import Grid, GridOptions

# The median absolute value of normal numbers of standard deviation 1.
MEDIAN_OF_NORMAL = 0.6744897501960817


def noise_sigma(image: ArrayLike, **options: Unpack[GridOptions]) -> float:
    """Estimate the standard deviation of white Gaussian noise, in intensity units.

    ``median |r| / 0.6745``, where r is the second difference along x of the second difference
    along y, ``[1 −2 1] ∗ [1 −2 1]ᵀ / 6``: a plane or a straight edge leaves nothing in it, and
    noise of standard deviation σ leaves σ. The median looks past texture, yet fine texture is
    taken for noise, and noise that is correlated between neighbours is underestimated: a picture
    that was compressed or smoothed gets too small a number.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    References
    ----------
    Immerkær (1996), Fast noise variance estimation, for r; Donoho and Johnstone (1994), Ideal
    spatial adaptation by wavelet shrinkage, for the median.
    """
    return noise_sigma_of(Picture.of(image, **options))


def noise_sigma_of(picture: Picture) -> float:
    """Estimate the noise of a picture that has been read in."""
    axes = _plane(picture.grid)
    if not axes:
        return 0.0
    halo = tuple(int(axis in axes) for axis in range(5))

    def residual(
        block: NDArray[Any], mask: NDArray[np.bool_] | None, grid: Grid, drive: Drive
    ) -> NDArray[Any]:
        del grid, drive
        return _second_differences(block, mask, axes)

    return measured(picture, residual, halo).quantile(0.5) / MEDIAN_OF_NORMAL


def _plane(grid: Grid) -> tuple[int, ...]:
    """Return the axes of the differences: the last two that diffuse and have 3 samples or more."""
    long_enough = [axis for axis in grid.along_axes if grid.shape[axis] >= 3]
    return tuple(long_enough[-2:])


def _second_differences(
    block: NDArray[Any], mask: NDArray[np.bool_] | None, axes: tuple[int, ...]
) -> NDArray[Any]:
    """Return |r|, and NOT_MEASURED where a neighbour is missing or outside the mask."""
    r = block.astype(np.float64)
    whole = np.ones(block.shape, bool) if mask is None else mask
    for axis in axes:
        low, middle, high = (_part(r, axis, first) for first in range(3))
        r = low - 2 * middle + high
        low, middle, high = (_part(whole, axis, first) for first in range(3))
        whole = low & middle & high
    out = np.full(block.shape, NOT_MEASURED)
    inner = tuple(slice(1, -1) if axis in axes else slice(None) for axis in range(5))
    # Each second difference has the variance 1 + 4 + 1.
    out[inner] = np.where(whole, np.abs(r) / 6.0 ** (len(axes) / 2), NOT_MEASURED)
    return out


def _part(array: NDArray[Any], axis: int, first: int) -> NDArray[Any]:
    """Return all but two samples along an axis, beginning with number `first`."""
    index = [slice(None)] * 5
    index[axis] = slice(first, array.shape[axis] - 2 + first)
    return array[tuple(index)]
