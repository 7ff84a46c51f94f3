"""Denoising without parameters."""

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
    """Denoise an image; no parameters needed.

    The noise is measured, and filters with different errors (windows of several sizes and
    non-local means, guided by a multiscale pilot) are blended with weights from Stein's unbiased
    estimate of the error. Photon noise is stabilised first, and the result transformed back by the
    exact unbiased inverse. ``run(image, PRESETS["denoise"])`` does the same; the recipe, `resolved`
    on the image, has every parameter.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes. Never written.
    fast : bool
        Whether to use ``PRESETS["denoise fast"]``: coarser windows and one non-local mean, about
        three times as fast and 0.2 dB worse.
    noise_sigma : float, tuple of float or "auto"
        Standard deviation of white noise in intensity units, if known, one for all channels or one
        for each; larger values smooth more. "auto" measures the noise.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    Returns
    -------
    ndarray
        A new array of the image's shape; float64 for float64 images, else float32.

    Warns
    -----
    NoiseWarning
        If the noise cannot be removed as measured: the image was compressed, smoothed, sharpened
        or clipped, or has row or column noise.

    Notes
    -----
    Use it for noise that is not correlated between neighbours and is equally strong everywhere, or
    photon noise. Not for images that were compressed or smoothed: their noise is underestimated and
    remains, unless `noise_sigma` is given.
    """
    recipe = denoiser(fast=fast, noise_sigma=noise_sigma)
    source = Image.of(image, **options)
    resolved = recipe.resolved_on(source)
    report = noise_report(source, recipe, resolved)
    for sentence in () if report is None else warning_texts(report):
        warnings.warn(sentence, NoiseWarning, stacklevel=2)
    return run(source, resolved).image


def denoiser(*, fast: bool = False, noise_sigma: NoiseSigma = "auto") -> Recipe:
    """Return the preset that denoises, with the noise if it is known; see `denoise`."""
    recipe = PRESETS["denoise fast" if fast else "denoise"]
    if isinstance(noise_sigma, str):
        return recipe
    # The noise given is that of intensities, and equally strong everywhere.
    return recipe.replaced(domain=None).with_filters(lambda each: with_noise(each, noise_sigma))
