"""What limits the denoising of an image: the kind of its noise."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.domains.automatic import measured_model
from napari_diffusion.estimate import noise_sigma_of

if TYPE_CHECKING:
    from napari_diffusion.core.image import Image
    from napari_diffusion.estimate import Finding, NoiseModel
    from napari_diffusion.estimate.finding import FindingName
    from napari_diffusion.loop.recipe import Recipe

#: Findings that the noise was changed after it arose, and is stronger than it looks.
PROCESSED: tuple[FindingName, ...] = ("compressed", "correlated", "sharpened", "falling")

# Findings that speak against a result by themselves, and those that photon noise would explain.
_ALWAYS: tuple[FindingName, ...] = ("clipped", "rounded")
_UNEXPLAINED: tuple[FindingName, ...] = ("stretched", "few photons")


class NoiseWarning(UserWarning):
    """The noise of an image is not what a filter that measures it can remove."""


@dataclass(frozen=True)
class NoiseReport:
    """What was found about the noise of an image that is denoised; `report_text` has the words.

    Attributes
    ----------
    sigma : float
        Standard deviation of the noise at the mean intensity.
    model : NoiseModel or None
        All that was measured; None where the image is too small for more than `sigma`.
    stabilised : bool
        Whether it is photon noise, and its variance is stabilised while it is filtered.
    warnings : tuple of Finding
        What speaks against the result.
    coarse_sigma : float
        Standard deviation of the noise at twice the scale, where a warning says that the image
        was processed; else 0.
    """

    sigma: float
    model: NoiseModel | None = None
    stabilised: bool = False
    warnings: tuple[Finding, ...] = ()
    coarse_sigma: float = 0.0


def noise_report(image: Image, recipe: Recipe, resolved: Recipe) -> NoiseReport | None:
    """Return what there is to know about a run, None where its recipe does not measure the noise.

    Parameters
    ----------
    image : Image
        The whole source.
    recipe, resolved : Recipe
        As it was asked for, and resolved on the image.
    """
    if recipe.domain != "auto":
        return None
    model = measured_model(image)
    if model is None:
        return NoiseReport(noise_sigma_of(image))
    stabilised = resolved.domain is not None
    warnings = _warnings(model, stabilised)
    processed = any(each.name in PROCESSED for each in warnings)
    coarse = coarse_sigma(image) if processed else 0.0
    return NoiseReport(model.sigma, model, stabilised, warnings, coarse)


def _warnings(model: NoiseModel, stabilised: bool) -> tuple[Finding, ...]:
    names = _ALWAYS + (() if stabilised else _UNEXPLAINED) + ("rows", "columns")
    found = [model.finding(name) for name in names]
    even = model.finding("uneven") is None
    processed = [model.finding(n) for n in PROCESSED if not (even and n == "falling")]
    found.append(next(filter(None, processed), None))
    return tuple(each for each in found if each is not None)


def coarse_sigma(image: Image) -> float:
    """Return the standard deviation of the noise that an image has at twice the scale.

    Noise that was smoothed is weak at the finest scale only: means of 2 × 2 pixels still have it.
    """
    data = image.data
    y, x = (size // 2 * 2 for size in data.shape[3:])
    if min(y, x) < 32:
        return 0.0
    quarters = [data[..., i:y:2, j:x:2] for i in (0, 1) for j in (0, 1)]
    means = np.ascontiguousarray(sum(quarters[1:], quarters[0]) / data.dtype.type(4))
    grid = dataclasses.replace(image.grid, shape=means.shape, masked=False)
    halved = dataclasses.replace(
        image, data=means, grid=grid, mask=None, alpha=None, holes=None, known={}
    )
    return noise_sigma_of(halved)
