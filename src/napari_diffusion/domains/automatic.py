"""The domain that suits the measured noise of an image."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.domains.anscombe import Anscombe
from napari_diffusion.domains.photon_counting import counted

if TYPE_CHECKING:
    from napari_diffusion.core.image import Image
    from napari_diffusion.domains.base import Domain
    from napari_diffusion.estimate import NoiseModel


# Findings that rule out pure photon noise.
_AGAINST = {"compressed", "correlated", "sharpened", "falling"}


def automatic(image: Image) -> Domain | None:
    """Return the domain in which the noise of an image is equally strong everywhere, resolved.

    That is `Anscombe` for photon noise that differs much between dark and bright parts, else None:
    noise that is uniform already, or of another kind, is not stabilised.
    """
    model = measured_model(image)
    if model is None:
        return None
    # Also where the variance is not quite a straight line: nearer to even than intensities are.
    found = {each.name for each in model.findings}
    if model.gain == 0 or "uneven" not in found or found & _AGAINST:
        return None
    step = counted(image, np.array(model.levels), np.array(model.variances))
    if step is not None:
        return Anscombe(gain=step, offset=0.0, read_noise=0.0)
    return Anscombe(gain=model.gain, offset=model.offset, read_noise=model.read_noise)


def measured_model(source: Image) -> NoiseModel | None:
    """Return what is measured of an image's noise, once; None where it is too small for that."""
    from napari_diffusion.estimate import noise_model

    if "noise_model" not in source.known:
        model = None
        with contextlib.suppress(ValueError):
            model = noise_model(source)
        source.known["noise_model"] = model
    found: NoiseModel | None = source.known["noise_model"]
    return found
