"""The noise model of an image: how the noise grows with the intensity, and its correlation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from napari_diffusion.core.grid import CANONICAL
from napari_diffusion.core.image import Image
from napari_diffusion.estimate.noise_measurement import (
    KERNEL_REACH,
    of_image,
    of_region,
    of_repeats,
)
from napari_diffusion.estimate.region_mask import within

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.core.grid import Grid, GridOptions
    from napari_diffusion.estimate.measured_noise import NoiseModel


def noise_model(
    image: ArrayLike | Image,
    *,
    region_mask: ArrayLike | None = None,
    repeats: str | None = None,
    offset: float | None = None,
    **options: Unpack[GridOptions],
) -> NoiseModel:
    """Measure how the noise of an image depends on the intensity, and whether it is white.

    There are three ways:

    - *the image alone*: 8 × 8 windows at every fourth pixel. Of those with similar intensities, the
      25 % with the least activity contain little but noise; the median over them of the mean square
      of their finest cosine coefficients is its variance;
    - *a background region*: the residuals of the best-fitting plane, in each frame;
    - *repeated frames*: half the mean square of the differences of successive frames, at each
      pixel; the only assumption is that the scene does not change.

    The line ``variance = gain · (x − offset) + read_noise²`` is fitted to the variances at many
    intensities by least squares with Tukey's weights.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes.
    region_mask : array_like of bool, optional
        A region of background only, of constant intensity or with a slope.
    repeats : str, optional
        Axis along which the same scene was recorded repeatedly, such as "t".
    offset : float, optional
        Intensity without any light, if known; needed to measure the read noise.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    Returns
    -------
    NoiseModel
        Its `warnings` tell which assumptions fail.

    Raises
    ------
    ValueError
        For images and regions that are too small, and an axis without repeated frames.

    References
    ----------
    Foi, Trimeche, Katkovnik and Egiazarian (2008), Practical Poissonian-Gaussian noise modeling and
    fitting for single-image raw-data; Janesick (2007), Photon transfer.
    """
    from napari_diffusion.noise.sampling.extremes import check_range

    if region_mask is not None:
        if repeats is not None:
            raise ValueError(
                "Give either region_mask or repeats: repeated frames need no background; use "
                "mask=… to measure them in a part of the image."
            )
        options["mask"] = within(region_mask, options.get("mask"))
    source = Image.of(image, **options)
    check_range(source)
    if repeats is not None:
        return of_repeats(source, _axis_of(repeats, source.grid), offset)
    if region_mask is not None:
        return of_region(source)
    return of_image(source, offset)


def noise_kernel(
    image: ArrayLike, region_mask: ArrayLike, **options: Unpack[GridOptions]
) -> NDArray[np.float64]:
    """Return the kernel of the correlated noise of a background region, 9 × 9 pixels.

    White noise convolved with this kernel has the autocorrelation of the region's noise, up to
    4 pixels along both axes: ``nd.noise.Correlated(kernel=nd.estimate.noise_kernel(…))``.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes.
    region_mask : array_like of bool
        A region of background only, of constant intensity or with a slope.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.
    """
    from napari_diffusion.estimate.background import autocovariance, kernel_of, residuals
    from napari_diffusion.estimate.noise_measurement import windows_of

    options["mask"] = within(region_mask, options.get("mask"))
    found = residuals(windows_of(Image.of(image, **options)).planes())
    return kernel_of(autocovariance(found, 2 * KERNEL_REACH))


def _axis_of(repeats: str, grid: Grid) -> int:
    """Return the canonical axis of the repeated frames."""
    if repeats not in tuple(grid.axes):
        raise ValueError(
            f"repeats must be one axis of {grid.axes!r}, such as 't' (got {repeats!r})."
        )
    axis = CANONICAL.index(repeats)
    if grid.shape[axis] < 2:
        raise ValueError(
            f"repeats={repeats!r} needs 2 frames or more of the same scene "
            f"(got {grid.shape[axis]})."
        )
    return axis
