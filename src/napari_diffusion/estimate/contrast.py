"""The contrast, the gradient above which edges begin, measured on an image."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING, Any, Literal, Unpack, get_args

import numpy as np

from napari_diffusion.core.image import Image
from napari_diffusion.engine.block import Block
from napari_diffusion.engine.deviation import median_deviation
from napari_diffusion.engine.executor import measured
from napari_diffusion.estimate.noise_sigma import noise_sigma_of
from napari_diffusion.estimate.region_mask import within

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.core.grid import Grid, GridOptions
    from napari_diffusion.engine.histogram import Histogram

# Normal numbers have this standard deviation per median absolute deviation (Black and others).
MAD_TO_SIGMA = 1.4826

# The spread of the gradients times √5 is where Tukey's conductance ends; as contrast of the
# rational one it gave the best images on average of the usual choices.
SPREADS = math.sqrt(5.0)


#: Methods to measure the contrast.
ContrastMethod = Literal["robust", "percentile", "noise", "background"]


def contrast(
    image: ArrayLike,
    smoothing: float = 0.0,
    method: ContrastMethod = "robust",
    *,
    quantile: float = 0.9,
    background: ArrayLike | None = None,
    noise_sigma: float | None = None,
    **options: Unpack[GridOptions],
) -> float:
    """Estimate the contrast of an image, in intensity per world unit.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes.
    smoothing : float
        Standard deviation in world units of a Gaussian applied before the gradient: the `smoothing`
        of the filter that the contrast is for.
    method : {"robust", "percentile", "noise", "background"}
        "robust": ``√5 · 1.4826 · median(| |∇u| − median |∇u| |)``, over all pixels, frames and
        channels; steeper gradients count as edges. Where most gradients are equal, the 0.9
        quantile of those that are not 0 is used; of a constant image the contrast is 1.
        "percentile": the `quantile` of all gradients: that part of the image is smoothed, the
        rest are edges.
        "noise": the root mean square of |∇n| that white noise of the image's standard deviation
        has after the smoothing: gradients steeper than noise count as edges.
        "background": the root mean square of |∇u| in a region without structure.
    quantile : float
        For "percentile", between 0 and 1.
    background : array_like of bool
        For "background": the region without structure.
    noise_sigma : float, optional
        For "noise": its standard deviation; measured by default.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    Returns
    -------
    float
        Greater than 0; 1 where there are no gradients.

    References
    ----------
    Black, Sapiro, Marimont and Heeger (1998), Robust anisotropic diffusion, section IV, for
    "robust"; Perona and Malik (1990), Scale-space and edge detection using anisotropic diffusion,
    for "percentile" (0.9) and "noise".
    """
    if method not in get_args(ContrastMethod):
        known = ", ".join(get_args(ContrastMethod))
        raise ValueError(f"method must be one of {known} (got {method!r}).")
    if not 0 < quantile < 1:
        raise ValueError(f"quantile must be between 0 and 1 (got {quantile!r}).")
    if (method == "background") != (background is not None):
        raise ValueError(
            'method="background" and background=… go together: give a mask of a region without '
            "structure."
        )
    if background is not None:
        options["mask"] = within(background, options.get("mask"), "background")
    source = Image.of(image, **options)
    if method == "robust":
        return contrast_of(source, smoothing)
    if method == "percentile":
        return gradients_of(source, smoothing).quantile(quantile) or 1.0
    if method == "background":
        return gradients_of(source, smoothing).root_mean_square() or 1.0
    sigma = noise_sigma_of(source) if noise_sigma is None else float(noise_sigma)
    return sigma * gradient_of_noise(source.grid, smoothing) or 1.0


def contrast_of(image: Image, smoothing: float = 0.0) -> float:
    """Estimate the contrast of an image that has been read in; it is measured once."""
    if ("contrast", smoothing) not in image.known:
        image.known["contrast", smoothing] = _measured_contrast(image, smoothing)
    return float(image.known["contrast", smoothing])


def gradients_of(image: Image, smoothing: float) -> Histogram:
    """Count the gradients of an image."""
    magnitude = functools.partial(gradient_magnitude, smoothing=smoothing)
    return measured(image, magnitude, _halo(image.grid, smoothing))


def _measured_contrast(image: Image, smoothing: float) -> float:
    from napari_diffusion.noise.sampling.extremes import check_range

    check_range(image)
    magnitude = functools.partial(gradient_magnitude, smoothing=smoothing)
    halo, unit = _halo(image.grid, smoothing), 1.0 / min(image.grid.spacing)
    gradients, deviation = median_deviation(image, magnitude, halo, unit)
    found = SPREADS * MAD_TO_SIGMA * deviation
    if found > 0:
        return found
    return gradients.without_zeros().quantile(0.9) or 1.0


def gradient_of_noise(grid: Grid, smoothing: float = 0.0) -> float:
    """Return the root mean square of |∇n| of white noise n of variance 1, away from borders.

    The gradient is linear, so its variance is the sum of the squares of its answer to one pixel.
    """
    reach = _halo(grid, smoothing)
    t, c, z, y, x = (4 * n + 1 if n else 1 for n in reach)
    shape = t, c, z, y, x
    values = np.zeros(shape, np.float64)
    values[tuple(n // 2 for n in shape)] = 1.0
    small = dataclasses.replace(grid, shape=shape, origin=(0,) * 5, masked=False)
    answer = gradient_magnitude(Block(values, small), smoothing)
    channels = grid.shape[1] if grid.joint_channels else 1
    return math.sqrt(channels * float((answer**2).sum()))


def gradient_magnitude(block: Block, smoothing: float) -> NDArray[Any]:
    """Return |∇u| at every pixel in intensity per world unit, of joint channels together."""
    from napari_diffusion.engine import gradient
    from napari_diffusion.engine.smoothing import smoothed_inside

    # Squares of very large or small numbers leave the range of float32, so work is done on a
    # power of two near the largest value, which changes no digit.
    largest = float(max(-block.values.min(), block.values.max())) or 1.0
    unit = 2.0 ** math.floor(math.log2(largest))
    scaled = block.values / block.dtype.type(unit)
    if smoothing:
        variances = block.grid.variances(smoothing)
        scaled = smoothed_inside(scaled, block.mask, variances, block.threads)
    shortest = min(block.grid.spacing)
    slopes = np.array([shortest / length for length in block.grid.lengths], block.dtype)
    slopes = np.tile(slopes, (block.shape[1], 1))
    squared = gradient.squared(scaled, block.mask, slopes, block.grid.joint_channels)
    return np.sqrt(squared).astype(np.float64) * (unit / shortest)


def _halo(grid: Grid, smoothing: float) -> tuple[int, ...]:
    from napari_diffusion.engine.smoothing import reach

    variances = grid.variances(smoothing)
    return tuple(
        1 + (reach(variances[axis]) if smoothing else 0) if axis in variances else 0
        for axis in range(5)
    )
