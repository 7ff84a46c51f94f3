"""What was found about the noise of an image: one sigma and one list of warnings for all."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.core.image import is_dask
from napari_diffusion.domains.automatic import automatic, measured_model
from napari_diffusion.estimate import noise_sigma_of
from napari_diffusion.estimate.finding import PROCESSED, serious

if TYPE_CHECKING:
    from napari_diffusion.core.image import Image
    from napari_diffusion.estimate import Finding, NoiseModel
    from napari_diffusion.estimate.finding import FindingName
    from napari_diffusion.loop.recipe import Recipe

# Findings that speak against a model of the noise and not against its sigma, and those that photon
# noise explains.
_MODEL: tuple[FindingName, ...] = ("moving", "texture", "crooked", "alike", "few windows")
_PHOTONS: tuple[FindingName, ...] = ("stretched", "few photons")


class NoiseWarning(UserWarning):
    """The noise of an image is not what a filter that measures it can remove."""


@dataclass(frozen=True)
class NoiseReport:
    """What was found about the noise of an image; `report_text` has the words.

    Attributes
    ----------
    sigma : float
        Standard deviation of the noise, as "auto" measures it wherever it stands; of photon noise
        that is stabilised, the one at the mean intensity.
    model : NoiseModel or None
        All that was measured; None where the image is too small for more than `sigma`.
    stabilised : bool
        Whether it is photon noise, and its variance is stabilised while it is filtered.
    warnings : tuple of Finding
        What speaks against the result, the most serious first.
    coarse_sigma : float
        Standard deviation of the noise at twice the scale, where a warning says that the image
        was processed; else 0.
    """

    sigma: float
    model: NoiseModel | None = None
    stabilised: bool = False
    warnings: tuple[Finding, ...] = ()
    coarse_sigma: float = 0.0


def noise_of(image: Image, stabilised: bool | None = None) -> NoiseReport:
    """Return what there is to know about the noise of an image, whatever is done to it.

    Parameters
    ----------
    image : Image
        The whole source.
    stabilised : bool, optional
        Whether its variance is stabilised; by default, whether it would be by the domain "auto".
    """
    model = measured_model(image)
    if model is None:
        return NoiseReport(noise_sigma_of(image))
    if stabilised is None:
        stabilised = automatic(image) is not None
    explained = _MODEL + (_PHOTONS if stabilised else ())
    warnings = serious(model.findings, explained)
    processed = any(each.name in PROCESSED for each in warnings)
    coarse = coarse_sigma(image) if processed else 0.0
    sigma = model.sigma if stabilised else noise_sigma_of(image)
    return NoiseReport(sigma, model, stabilised, warnings, coarse)


def noise_report(image: Image, recipe: Recipe, resolved: Recipe) -> NoiseReport | None:
    """Return `noise_of` the source of a run, None where its recipe does not measure the noise.

    Parameters
    ----------
    image : Image
        The whole source.
    recipe, resolved : Recipe
        As it was asked for, and resolved on the image.
    """
    asked = recipe.autos()
    measured = asked.get("starting_noise_scale") == "auto" and recipe.noise is not None
    if recipe.domain == "auto" or (recipe.domain is None and measured):
        return noise_of(image, resolved.domain is not None)
    return None


def coarse_sigma(image: Image) -> float:
    """Return the standard deviation of the noise that an image has at twice the scale.

    Noise that was smoothed is weak at the finest scale only: means of 2 × 2 pixels still have it.
    """
    data = image.data
    y, x = (size // 2 * 2 for size in data.shape[3:])
    if min(y, x) < 32:
        return 0.0
    quarters = [data[..., i:y:2, j:x:2] for i in (0, 1) for j in (0, 1)]
    means = sum(quarters[1:], quarters[0]) / data.dtype.type(4)
    means = means if is_dask(means) else np.ascontiguousarray(means)
    grid = dataclasses.replace(image.grid, shape=means.shape, masked=False)
    halved = dataclasses.replace(
        image, data=means, grid=grid, mask=None, alpha=None, holes=None, known={}
    )
    return noise_sigma_of(halved)
