"""The standard deviation of noise: one number, or one per channel."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari_diffusion.core.grid import Grid
    from napari_diffusion.core.image import Image

#: What users give: one number for all channels, or one for each.
NoiseScale = float | tuple[float, ...]

#: One number for each channel.
Scales = tuple[float, ...]


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
