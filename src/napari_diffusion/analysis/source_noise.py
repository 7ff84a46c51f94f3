"""The noise of the source of a run, given or measured once for all runs on it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.analysis.measured_run import middle_of
from napari_diffusion.estimate.noise_measurement import of_image
from napari_diffusion.estimate.noise_sigma import is_measured, noise_sigma_of

if TYPE_CHECKING:
    from napari_diffusion.core.image import Image
    from napari_diffusion.estimate import NoiseModel

Sigma = float | tuple[float, ...]


@dataclass(frozen=True, eq=False)
class SourceNoise:
    """The noise of an image.

    Attributes
    ----------
    image : Image
        The source.
    given : float, tuple of float or None
        Standard deviation of the noise, where it was given.
    model : NoiseModel or None
        How it depends on the intensity, where that was given.
    """

    image: Image
    given: Sigma | None = None
    model: NoiseModel | None = None

    @functools.cached_property
    def sigma(self) -> Sigma:
        """Standard deviation of the noise, of each channel where there are many."""
        if self.given is not None:
            return self.given
        if self.model is not None:
            return self.model.sigma
        if self.image.grid.shape[1] == 1 and is_measured(self.image):
            return noise_sigma_of(self.image)
        found = [noise_sigma_of(channel) for channel in self._middle]
        if not all(found):
            # The mask may exclude the middle, or that is empty.
            found = [noise_sigma_of(channel) for channel in self.image.channels()]
        return found[0] if len(found) == 1 else tuple(found)

    @functools.cached_property
    def models(self) -> tuple[NoiseModel, ...]:
        """What the middle shows of the noise of each channel; empty where it is too small."""
        if self.model is not None:
            return (self.model,) * self.image.grid.shape[1]
        try:
            return tuple(of_image(each, None) for each in self._middle)
        except ValueError:
            return ()

    @functools.cached_property
    def _middle(self) -> tuple[Image, ...]:
        """Each channel of the middle: enough to measure noise in."""
        return tuple(middle_of(self.image))


def checked_sigma(given: Sigma | None, image: Image) -> Sigma | None:
    """Return a standard deviation of the noise as given for an image, or refuse it."""
    if given is None:
        return None
    sigmas = np.atleast_1d(np.asarray(given, float))
    channels = image.grid.shape[1]
    if sigmas.shape not in ((1,), (channels,)) or not (sigmas >= 0).all():
        raise ValueError(
            f"noise_sigma must be a number of 0 or more, or one for each of {channels} channels "
            f"(got {given!r})."
        )
    return float(sigmas[0]) if sigmas.size == 1 else tuple(float(each) for each in sigmas)
