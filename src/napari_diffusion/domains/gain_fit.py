"""The fit of the noise variance as a straight line over the intensity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.value_limits import LARGEST, LEAST_GAIN
from napari_diffusion.domains.photon_counting import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image


def variance_line(
    image: Image, gain: float | None, offset: float | None, read_noise: float | None
) -> tuple[float, float]:
    """Return the slope of the noise's variance over the intensity, and what it is without light.

    Parameters
    ----------
    image : Image
        The whole source.
    gain, offset, read_noise : float or None
        What is known of the line: its slope, the intensity without light, the noise there.

    Returns
    -------
    gain, excess : float
        ``variance(z) = gain · (z − offset) + read_noise² + excess``, with 0 for what is not known.
    """
    levels, variances, slope, at_zero = _measured(image)
    dark, read = offset or 0.0, (read_noise or 0.0) ** 2
    if gain is None and dark == read == 0:
        step = counted(image, levels, variances)
        if step is not None:
            return step, 0.0
    light, variances = levels - dark, variances - read
    free = offset is None or read_noise is None
    if gain is not None:
        weights = 1.0 / np.maximum(np.abs(variances + read), 1e-3 * gain) ** 2
        return gain, float(np.average(variances - gain * light, weights=weights)) * free
    excess = at_zero + slope * dark - read
    if not free or slope <= 0 or (excess < 0 and offset is not None):
        slope, excess = _through_zero(light, variances), 0.0
    return min(max(slope, LEAST_GAIN), LARGEST), excess


def _measured(image: Image) -> tuple[NDArray[Any], NDArray[Any], float, float]:
    """Return intensities with the variance of the noise there, and slope and start of the line."""
    from napari_diffusion.estimate import noise_sigma_of
    from napari_diffusion.estimate.noise_measurement import of_image

    try:
        model = of_image(image, None)
    except ValueError:
        # Too small for a line: one point of it.
        sigma = noise_sigma_of(image)
        inside = image.data if image.mask is None else image.data[image.mask]
        level = float(inside.mean(dtype=np.float64)) if inside.size else 0.0
        return np.array([level]), np.array([sigma * sigma]), 0.0, 0.0
    at_zero = model.read_noise**2 - model.gain * model.offset
    return np.array(model.levels), np.array(model.variances), model.gain, at_zero


def _through_zero(light: NDArray[Any], variances: NDArray[Any]) -> float:
    """Return the slope of the line from no light, 1 where there is no light or no noise."""
    middle, height = float(light.mean()), float(variances.mean())
    return height / middle if middle > 0 and height > 0 else 1.0
