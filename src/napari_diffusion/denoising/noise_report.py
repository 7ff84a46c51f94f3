"""What a user must know about the noise of an image before trusting a denoised one."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.domains.automatic import measured_model
from napari_diffusion.estimate import noise_sigma_of

if TYPE_CHECKING:
    from napari_diffusion.core.image import Image
    from napari_diffusion.estimate import NoiseModel
    from napari_diffusion.estimate.finding import FindingName
    from napari_diffusion.loop.recipe import Recipe

# What says that the noise was changed after it arose, and is stronger than it looks.
_PROCESSED: tuple[FindingName, ...] = ("compressed", "correlated", "sharpened", "falling")

# Findings that are said as they stand.
_AS_IT_IS: tuple[FindingName, ...] = ("clipped", "rounded")

# Those too, where the noise is not that of photons, which explains them.
_UNEXPLAINED: tuple[FindingName, ...] = ("stretched", "few photons")


class NoiseWarning(UserWarning):
    """The noise of an image is not what a filter that measures it can take out."""


@dataclass(frozen=True)
class Remarks:
    """What was found of the noise of an image.

    Attributes
    ----------
    found : str
        The noise that was measured, in a sentence.
    sigma : float
        Its standard deviation at the mean intensity.
    warnings : tuple of str
        What speaks against the result, with the cure, one sentence each.
    """

    found: str
    sigma: float
    warnings: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """Return the entries of a record that keep this."""
        return {"noise_found": self.found, "noise_warnings": list(self.warnings) or None}


def noted(image: Image, asked: Recipe, resolved: Recipe) -> Remarks | None:
    """Return what there is to say about a run, None where its recipe does not look at the noise.

    Parameters
    ----------
    image : Image
        The whole source.
    asked, resolved : Recipe
        As it was asked for, and resolved on the image.
    """
    return remarks(image, resolved) if asked.domain == "auto" else None


def remarks(image: Image, recipe: Recipe) -> Remarks:
    """Return what there is to say about denoising an image.

    Parameters
    ----------
    image : Image
        The whole source.
    recipe : Recipe
        Resolved on it.
    """
    model = measured_model(image)
    if model is None:
        sigma = noise_sigma_of(image)
        return Remarks(f"White noise, σ = {sigma:.3g}.", sigma)
    return Remarks(_found(model, recipe), model.sigma, tuple(_warnings(image, model, recipe)))


def _found(model: NoiseModel, recipe: Recipe) -> str:
    if recipe.domain is not None:
        words = f"Photon noise: gain {model.gain:.3g}, offset {model.offset:.3g}"
        return f"{words}, read noise {model.read_noise:.3g}; evened out while it is filtered."
    if model.kind == "none":
        return "No noise was found: nothing is taken out."
    kind = "White noise" if model.is_white else "Noise"
    return f"{kind}, σ = {model.sigma:.3g}."


def _warnings(image: Image, model: NoiseModel, recipe: Recipe) -> list[str]:
    as_it_is = _AS_IT_IS + (_UNEXPLAINED if recipe.domain is None else ())
    said = [found.sentence for name in as_it_is if (found := model.finding(name)) is not None]
    for name in ("rows", "columns"):
        stripes = model.finding("rows" if name == "rows" else "columns")
        if stripes is not None:
            said.append(
                f"{stripes.sentence} It is not taken out: subtract the median of each of the "
                f"{name} first, where the scene allows it."
            )
    even = model.finding("uneven") is None
    processed = next(
        (name for name in _PROCESSED if model.finding(name) and not (even and name == "falling")),
        None,
    )
    if processed is not None:
        said.append(_about_processed(image, model, processed))
    return said


def _about_processed(image: Image, model: NoiseModel, name: FindingName) -> str:
    """Say why little is taken out, and what to do about it."""
    why = {
        "compressed": "The image was compressed (JPEG) before",
        "correlated": "The noise is not white: the image was compressed, smoothed or resized",
        "sharpened": "The noise is not white: the image was sharpened",
        "falling": "The noise falls with the intensity: a tone curve or processing was applied",
    }[name]
    coarse = coarse_sigma(image)
    cure = f", such as {coarse:.2g}," if coarse > model.sigma else ""
    return (
        f"{why}, and what is left of its noise at the finest scale, σ = {model.sigma:.2g}, is all "
        f"that is taken out. Type a noise σ{cure} to take out more, or start from the raw data."
    )


def coarse_sigma(image: Image) -> float:
    """Return how strong the noise is that an image has at twice the scale, where it is stronger.

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
