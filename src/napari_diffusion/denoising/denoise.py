"""Denoising without parameters."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.core.component import only_in_the_loop
from napari_diffusion.core.image import Image
from napari_diffusion.core.noise_scale import factor_on_auto
from napari_diffusion.denoising.noise_report import NoiseWarning, noise_report
from napari_diffusion.denoising.report_text import warning_texts
from napari_diffusion.filters import HaarDiffusion
from napari_diffusion.filters.denoisers.guided_filter import (
    has_noise_sigma,
    with_noise,
    with_strength,
)
from napari_diffusion.loop.loop import run
from napari_diffusion.loop.presets import PRESETS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.loop.recipe import Recipe

NoiseSigma = float | tuple[float, ...] | Literal["auto"] | ArrayParameter


def denoise(
    image: ArrayLike | Image,
    *,
    fast: bool = False,
    noise_sigma: NoiseSigma | ArrayLike = "auto",
    strength: float = 1.0,
    **options: Unpack[GridOptions],
) -> NDArray[Any]:
    """Denoise an image; no parameters needed.

    The noise is measured, and filters with different errors (diffusion learned from photographs,
    groups of similar patches that it guides, and windows of several sizes) are blended with weights
    from Stein's unbiased estimate of the error. Photon noise is stabilised first, and the result
    transformed back by the exact unbiased inverse. ``run(image, PRESETS["denoise"])`` does the
    same; the recipe, `resolved` on the image, has every parameter.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes. Never written.
    fast : bool
        Whether to use ``PRESETS["denoise fast"]``: in planes learned diffusion alone, several
        times as fast and 0.2 to 0.4 dB worse; in volumes fewer filters.
    noise_sigma : float, tuple of float, "auto" or array
        Standard deviation of white noise in intensity units, if known, one for all channels or one
        for each; larger values smooth more. "auto" measures the noise. An array, or the name of its
        .npy or .tif file, has one for each pixel, such as `estimate.noise_map`: of the image's
        shape, without c or t, or of one plane for all; 0 keeps a pixel.
    strength : float
        Factor on the noise sigma, greater than 0, whether it is measured or given. 1 removes the
        noise and keeps what exceeds it; 1.5 smooths more and loses faint detail; 0.7 leaves some
        noise and texture.
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
    Use it for noise that is not correlated between neighbours and is equally strong everywhere,
    photon noise, or noise whose strength at each pixel is known. Not for images that were
    compressed or smoothed: their noise is underestimated and remains, unless `noise_sigma` is
    given.
    """
    recipe = denoiser(fast=fast, noise_sigma=noise_sigma, strength=strength)
    source = Image.of(image, **options)
    resolved = recipe.resolved_on(source)
    report = noise_report(source, recipe, resolved)
    for sentence in () if report is None else warning_texts(report):
        warnings.warn(sentence, NoiseWarning, stacklevel=2)
    return run(source, resolved).image


def denoiser(
    *, fast: bool = False, noise_sigma: NoiseSigma | ArrayLike = "auto", strength: float = 1.0
) -> Recipe:
    """Return the preset that denoises, with the noise if it is known; see `denoise`."""
    recipe = PRESETS["denoise fast" if fast else "denoise"]
    recipe = with_known_sigma(recipe, noise_sigma)
    return strengthened(recipe, strength)


def with_known_sigma(recipe: Recipe, noise_sigma: NoiseSigma | ArrayLike) -> Recipe:
    """Return a recipe whose filters have a noise sigma where they would measure it.

    Raises
    ------
    ValueError, TypeError
        For what is no noise sigma, and a recipe that measures none.
    """
    given = HaarDiffusion(noise_sigma=noise_sigma)  # type: ignore[arg-type]
    for name in given.set_by_step():
        raise ValueError(only_in_the_loop("denoise", name))
    sigma = given.noise_sigma
    if isinstance(sigma, str):
        return recipe
    known = recipe.with_filters(lambda each: with_noise(each, sigma))
    if known == recipe:
        raise ValueError(
            "No filter of this recipe measures a noise sigma: use a recipe that denoises, such as "
            "the presets denoise and denoise fast."
        )
    # The noise given is that of intensities, so that nothing needs to be stabilised.
    return known.replaced(domain=None)


class DenoiserOptions(TypedDict):
    """The keywords of `denoiser`."""

    fast: bool
    noise_sigma: NoiseSigma
    strength: float


def denoiser_options(recipe: Recipe) -> DenoiserOptions:
    """Return the keywords with which `denoiser` returns a recipe.

    Raises
    ------
    ValueError
        If it never does.
    """
    strength, sigma = strength_of(recipe), _noise_sigma(recipe)
    for fast in (False, True):
        options = DenoiserOptions(fast=fast, noise_sigma=sigma, strength=strength)
        if denoiser(**options) == recipe:
            return options
    raise ValueError("Not a recipe of the denoiser: use the presets denoise and denoise fast.")


def _noise_sigma(recipe: Recipe) -> NoiseSigma:
    """Return the noise that the filters of a recipe have, "auto" where they measure it."""
    found: list[Any] = []

    def look(component: Any) -> Any:
        component.with_components(look)
        found.append(getattr(component, "noise_sigma", None))
        return component

    for each in recipe.filters:
        look(each)
    known = [each for each in found if each is not None]
    return known[0] if known and factor_on_auto(known[0]) is None else "auto"


def strengthened(recipe: Recipe, strength: float) -> Recipe:
    """Return a recipe whose filters take the noise for so many times as strong.

    Raises
    ------
    ValueError
        For a strength that is not greater than 0, and a recipe without a noise sigma.
    """
    if isinstance(strength, bool | str) or not 0 < float(strength) < math.inf:
        raise ValueError(f"strength must be a number greater than 0 (got {strength!r}).")
    if strength != 1 and not any(has_noise_sigma(each) for each in recipe.filters):
        raise ValueError(
            "strength is a factor on the noise sigma, and no filter of this recipe has one: use a "
            "recipe that denoises."
        )
    return recipe.with_filters(lambda each: with_strength(each, float(strength)))


def strength_of(recipe: Recipe) -> float:
    """Return the factor on a measured noise sigma that a recipe, or that of a record, asked for."""
    asked = {**recipe.asked, **recipe.autos()}
    factors = (factor_on_auto(each) for name, each in asked.items() if name.endswith("noise_sigma"))
    return next(filter(None, factors), 1.0)
