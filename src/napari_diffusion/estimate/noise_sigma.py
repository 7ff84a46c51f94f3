"""The standard deviation of the noise that a picture has."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, Unpack, get_args

import numpy as np

from napari_diffusion.estimate._measure import NOT_MEASURED, measured
from napari_diffusion.picture import Picture

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.drive import Drive
    from napari_diffusion.grid import Grid, GridOptions

# The median absolute value of normal numbers of standard deviation 1.
MEDIAN_OF_NORMAL = 0.6744897501960817


Method = Literal["windows", "differences"]

# Of all windows those with the least activity, which hold little but noise.
CALM = 0.15

# How many coefficients of a window count as fine: those with k + q ≥ 8.
FINE = 28


def noise_sigma(
    image: ArrayLike, method: Method = "windows", **options: Unpack[GridOptions]
) -> float:
    """Estimate the standard deviation of white Gaussian noise, in intensity units.

    Fine texture that fills the whole picture is taken for noise; noise that is correlated between
    neighbours is underestimated: a picture that was compressed or smoothed gets too small a number.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes.
    method : {"windows", "differences"}
        "windows": 8 × 8 windows at every fourth sample along both axes, and their orthonormal
        cosine transforms c[k, q]; among the 15 % of them with the least activity
        ``Σ c², 0 < k+q < 8``, ``σ² = mean c², k+q ≥ 8``. Where the noise differs, this is that of
        the calmest parts. Windows without any variation, such as clipped ones, are left out.
        "differences": ``median |r| / 0.6745``, r being the second difference along x of that
        along y, ``[1 −2 1] ∗ [1 −2 1]ᵀ / 6``: it needs 3 samples only and is what "windows" falls
        back on in pictures too small for it, but texture adds to it.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    References
    ----------
    Ponomarenko, Lukin and others (2007), on windows of least activity; Immerkær (1996), Fast noise
    variance estimation, for r; Donoho and Johnstone (1994), Ideal spatial adaptation by wavelet
    shrinkage, for the median.
    """
    return noise_sigma_of(Picture.of(image, **options), method)


def noise_sigma_of(picture: Picture, method: Method = "windows") -> float:
    """Estimate the noise of a picture that has been read in; it is measured once."""
    if method not in get_args(Method):
        raise ValueError(f"method must be one of {', '.join(get_args(Method))} (got {method!r}).")
    if ("noise_sigma", method) not in picture.known:
        picture.known["noise_sigma", method] = _measured_sigma(picture, method)
    return float(picture.known["noise_sigma", method])


def _measured_sigma(picture: Picture, method: Method) -> float:
    axes = _plane(picture.grid)
    if not axes:
        return 0.0
    if method == "windows" and all(picture.grid.shape[axis] >= 8 for axis in axes) and axes[1:]:
        found = _of_windows(picture, axes)
        if found is not None:
            return found
    return _of_differences(picture, axes)


def _of_differences(picture: Picture, axes: tuple[int, ...]) -> float:
    halo = tuple(int(axis in axes) for axis in range(5))

    def residual(
        block: NDArray[Any], mask: NDArray[np.bool_] | None, grid: Grid, drive: Drive
    ) -> NDArray[Any]:
        del grid, drive
        return _second_differences(block, mask, axes)

    return measured(picture, residual, halo).quantile(0.5) / MEDIAN_OF_NORMAL


def _of_windows(picture: Picture, axes: tuple[int, ...]) -> float | None:
    """Return the noise in the calmest windows, None where there are no windows that vary."""
    halo = tuple(7 * int(axis in axes) for axis in range(5))

    def activity(
        block: NDArray[Any], mask: NDArray[np.bool_] | None, grid: Grid, drive: Drive
    ) -> NDArray[Any]:
        lively, _ = _energies(block, mask, grid, axes, drive)
        return lively

    calm = measured(picture, activity, halo).quantile(CALM)
    if calm == 0:
        return None

    def fine(
        block: NDArray[Any], mask: NDArray[np.bool_] | None, grid: Grid, drive: Drive
    ) -> NDArray[Any]:
        lively, fine = _energies(block, mask, grid, axes, drive)
        np.copyto(fine, NOT_MEASURED, where=lively > calm)
        measured_ones = fine >= 0
        return np.square(fine / calm, out=fine, where=measured_ones)

    return calm * math.sqrt(measured(picture, fine, halo).mean() / FINE)


def _energies(
    block: NDArray[Any],
    mask: NDArray[np.bool_] | None,
    grid: Grid,
    axes: tuple[int, ...],
    drive: Drive,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the roots of both energies of every window at its first sample, else NOT_MEASURED."""
    from napari_diffusion.estimate._windows import STRIDE, window_energies

    u = np.ascontiguousarray(np.moveaxis(block, axes, (3, 4)))
    inside = None if mask is None else np.ascontiguousarray(np.moveaxis(mask, axes, (3, 4)))
    lively, fine = np.full(u.shape, NOT_MEASURED), np.full(u.shape, NOT_MEASURED)
    y0, x0 = (grid.origin[axis] % STRIDE for axis in axes)

    def work(t: int, c: int, z: int) -> None:
        plane = (t, c, z)
        here = None if inside is None else inside[plane]
        window_energies(u[plane], here, y0, x0, lively[plane], fine[plane])

    drive.each(work, list(np.ndindex(*u.shape[:3])))
    return np.moveaxis(lively, (3, 4), axes), np.moveaxis(fine, (3, 4), axes)


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
