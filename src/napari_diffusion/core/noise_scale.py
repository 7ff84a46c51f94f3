"""The standard deviation of noise: one number, one per channel, or a share of the range."""

from __future__ import annotations

import math
import numbers
import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari_diffusion.core.grid import Grid
    from napari_diffusion.core.image import Image

#: What users give: one number for all channels, or one for each.
NoiseScale = float | tuple[float, ...]

#: What users ask for: numbers, "auto", a share such as "5 % of range", or None.
AskedScale = NoiseScale | str | None

#: One number for each channel.
Scales = tuple[float, ...]

_SHARE = re.compile(r"\s*([+-]?[\d.]+(?:e[+-]?\d+)?)\s*%\s*of\s*range\s*", re.IGNORECASE)

_FACTOR = re.compile(r"\s*([\d.]+(?:e[+-]?\d+)?)\s*[×x*]\s*(auto|step)\s*", re.IGNORECASE)


def factor_on_auto(value: object) -> float | None:
    """Return 1 for "auto", the factor of a text such as "1.5 × auto", None for anything else."""
    return factor_on("auto", value)


def factor_on_step(value: object) -> float | None:
    """Return 1 for "step", the factor of a text such as "1.5 × step", None for anything else."""
    return factor_on("step", value)


def factor_on(word: str, value: object) -> float | None:
    """Return the factor on a word that stands for a noise scale, 1 for the word alone."""
    if not isinstance(value, str):
        return None
    if value == word:
        return 1.0
    found = _FACTOR.fullmatch(value)
    if found is None or found[2].lower() != word:
        return None
    try:
        factor = float(found[1])
    except ValueError:
        return None
    return factor if 0 < factor < math.inf else None


def times_auto(factor: float) -> str:
    """Return the text of a factor on a measured value: "1.5 × auto", or "auto" for 1."""
    return times("auto", factor)


def times_step(factor: float) -> str:
    """Return the text of a factor on the noise of a step: "1.5 × step", or "step" for 1."""
    return times("step", factor)


def times(word: str, factor: float) -> str:
    """Return the text of a factor on a word; `factor_on` reads it."""
    return word if factor == 1 else f"{repr(float(factor)).removesuffix('.0')} × {word}"


def share_of_range(text: object) -> float | None:
    """Return the percentage of a text such as "5 % of range", None where it is none."""
    found = _SHARE.fullmatch(text) if isinstance(text, str) else None
    try:
        return None if found is None else float(found[1])
    except ValueError:
        return None


def asked_scale(scale: Any, name: str = "noise_scale") -> AskedScale:
    """Return what was asked for as it is stored; raise if it is no noise scale.

    "auto" stays, a share of the range gets its normal form, "2.5 % of range", and numbers are
    checked as by `checked_scale`.
    """
    if not isinstance(scale, str):
        return checked_scale(scale, name)
    percent = share_of_range(scale)
    if scale == "auto":
        return scale
    if percent is None:
        raise TypeError(
            f'{name} must be a number, one per channel, "auto" or a share of the intensity range '
            f'such as "5 % of range" (got {scale!r}).'
        )
    if not 0 < percent < math.inf:
        raise ValueError(
            f"{name} must be a percentage of the range greater than 0 (got {scale!r}): use the "
            "number 0 for no noise."
        )
    return f"{repr(percent).removesuffix('.0')} % of range"


def checked_scale(scale: Any, name: str = "noise_scale") -> NoiseScale:
    """Return a noise scale as float or tuple of float; raise if it is no standard deviation."""
    ndim = getattr(scale, "ndim", 0)
    many = isinstance(scale, tuple | list) or ndim == 1
    each = list(scale) if many else [scale]
    if ndim > 1 or not all(isinstance(v, numbers.Real) and not isinstance(v, bool) for v in each):
        raise TypeError(f"{name} must be a number, or one per channel (got {scale!r}).")
    values = tuple(float(value) for value in each)
    if not values or not all(0 <= value < float("inf") for value in values):
        raise ValueError(
            f"{name} must be a standard deviation, finite and 0 or more (got {scale!r})."
        )
    return values if many else values[0]


def per_channel(scale: NoiseScale, grid: Grid) -> Scales:
    """Return one number for each channel of the whole image."""
    return scale if isinstance(scale, tuple) else (scale,) * grid.shape[1]


def check_channels(scale: NoiseScale, grid: Grid) -> None:
    """Raise if a noise scale per channel does not match the channels of the image."""
    if isinstance(scale, tuple) and len(scale) != grid.shape[1]:
        raise ValueError(
            f"noise_scale lists {len(scale)} values, but the image has {grid.shape[1]} channels."
        )


def check_scale_fits(scale: NoiseScale, image: Image) -> None:
    """Raise for a noise scale too large to compute with in the type of the image."""
    limit = float(np.finfo(image.data.dtype).max) / 2.0**20
    largest = max(scale) if isinstance(scale, tuple) else scale
    if largest > limit:
        raise ValueError(
            f"noise_scale={largest:g} is too large to compute with in {image.data.dtype}: use at "
            f"most {limit:.0e}, or a float64 image."
        )
