"""The standard deviation of the noise that a picture has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from napari_diffusion.estimate._measure import measured
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
    """Return |r|; NaN-free: 0 is nothing counted where a neighbour is missing or outside."""
    r = block.astype(np.float64)
    for axis in axes:
        middle, low, high = (_shifted(r, axis, shift) for shift in (0, -1, 1))
        r = low - 2 * middle + high
    return np.abs(r) / 6.0 ** (len(axes) / 2)


def _shifted(array: NDArray[Any], axis: int, shift: int) -> NDArray[Any]:
    """Return the neighbours at a distance along an axis, mirrored at the borders."""
    size = array.shape[axis]
    index = np.clip(np.arange(size) + shift, 0, size - 1)
    return np.take(array, index, axis=axis)
