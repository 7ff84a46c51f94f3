"""A noise scale asked for relative to an image: its own noise, or a share of its range."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.core.noise_scale import share_of_range
from napari_diffusion.estimate.noise_sigma import noise_sigma_of
from napari_diffusion.noise.sampling.extremes import extremes_of

if TYPE_CHECKING:
    from napari_diffusion.core.image import Image


def asked_scale_of(image: Image, asked: str) -> float:
    """Return the noise scale that a text stands for on an image.

    Parameters
    ----------
    image : Image
        The whole source; pixels outside the mask and missing ones do not count.
    asked : str
        "auto", or a share of the intensity range such as "5 % of range".

    Raises
    ------
    ValueError
        For a share of the range of an image with one intensity only.
    """
    percent = share_of_range(asked)
    return noise_sigma_of(image) if percent is None else percent * _range_of(image, asked) / 100


def _range_of(image: Image, asked: str) -> float:
    if "extremes" not in image.known:
        image.known["extremes"] = extremes_of(image)
    low, high = image.known["extremes"]
    if low == high:
        raise ValueError(
            f"{asked!r} needs an image with different intensities, and all pixels are {low:g}: "
            "enter the noise scale as a number."
        )
    return float(high - low)
