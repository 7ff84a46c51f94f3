"""Denoising without a parameter."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal, Unpack

from napari_diffusion.core.image import Image
from napari_diffusion.denoising.noise_report import NoiseWarning, noise_report
from napari_diffusion.denoising.report_text import warning_texts
from napari_diffusion.filters.denoisers.guided_filter import with_noise
from napari_diffusion.loop.loop import run
from napari_diffusion.loop.presets import PRESETS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.loop.recipe import Recipe

NoiseSigma = float | tuple[float, ...] | Literal["auto"]


def denoise(
    image: ArrayLike | Image,
    *,
    fast: bool = False,
    noise_sigma: NoiseSigma = "auto",
    **options: Unpack[GridOptions],
) -> NDArray[Any]:
    """Take the noise out of an image; nothing is to be chosen.

    The noise is measured, and filters that err in different ways (windows of several sizes and
    non-local means, behind a multiscale pilot) are blended as Stein's unbiased estimate of the
    error says. For photon noise, they work on values with uniform noise, and
    the result comes back by the exact unbiased inverse. It is what ``run(image,
    PRESETS["denoise"])`` does, whose recipe `resolved` shows every number of.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes. Never written.
    fast : bool
        Take ``PRESETS["denoise fast"]``: coarser windows and one non-local mean, about three
        times as fast and two tenths of a decibel worse.
    noise_sigma : float, tuple of float or "auto"
        Standard deviation of white noise in intensity units, where it is known, one for all
        channels or one for each; larger values smooth more. "auto" measures the noise.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    Returns
    -------
    ndarray
        A new array of the image's shape; float64 for float64 images, else float32.

    Warns
    -----
    NoiseWarning
        Where the noise cannot be taken out as it was measured: the image was compressed,
        smoothed, sharpened or clipped, or has row noise.

    Notes
    -----
    Use it for noise that is not correlated between neighbours, equally strong everywhere or
    photon noise. Not for images that were compressed or smoothed before: their noise is
    underestimated and stays, unless `noise_sigma` says how strong it is.
    """
    recipe = denoiser(fast=fast, noise_sigma=noise_sigma)
    source = Image.of(image, **options)
    resolved = recipe.resolved_on(source)
    report = noise_report(source, recipe, resolved)
    for sentence in () if report is None else warning_texts(report):
        warnings.warn(sentence, NoiseWarning, stacklevel=2)
    return run(source, resolved).image


def denoiser(*, fast: bool = False, noise_sigma: NoiseSigma = "auto") -> Recipe:
    """Return the preset that denoises, with the noise where it is known; see `denoise`."""
    recipe = PRESETS["denoise fast" if fast else "denoise"]
    if isinstance(noise_sigma, str):
        return recipe
    # What is known is the noise of intensities, and as strong everywhere.
    return recipe.replaced(domain=None).with_filters(lambda each: with_noise(each, noise_sigma))
