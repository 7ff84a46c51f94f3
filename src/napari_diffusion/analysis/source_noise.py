"""The noise of the source of a run, given or measured once for all runs on it."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from napari_diffusion.analysis.measured_run import middle_of
from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.core.noise_map import canonical_map
from napari_diffusion.estimate.noise_measurement import of_image
from napari_diffusion.estimate.noise_sigma import is_measured, noise_sigma_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image
    from napari_diffusion.estimate import NoiseModel

Sigma = float | tuple[float, ...]

#: A noise sigma as it is given: one number, one per channel, or a map of one per pixel or its file.
GivenSigma = ArrayLike | ArrayParameter


@dataclass(frozen=True, eq=False)
class SourceNoise:
    """The noise of an image.

    Attributes
    ----------
    image : Image
        The source.
    given : float, tuple of float or None
        Standard deviation of the noise, where it was given; of a map the root mean square.
    model : NoiseModel or None
        How it depends on the intensity, where that was given.
    map : ndarray or None
        Standard deviation at each pixel, where that was given: canonical, with length 1 along axes
        that it leaves out.
    """

    image: Image
    given: Sigma | None = None
    model: NoiseModel | None = None
    map: NDArray[Any] | None = None

    @classmethod
    def of(cls, image: Image, given: GivenSigma | None, model: NoiseModel | None = None) -> Self:
        """Return the noise of an image as given, or refuse it; None is measured."""
        named = isinstance(given, ArrayParameter | str | Path)
        if given is None or not (named or np.ndim(given) > 1):  # type: ignore[arg-type]
            return cls(image, checked_sigma(given, image), model)
        array = given if isinstance(given, ArrayParameter) else ArrayParameter(given)
        whole = canonical_map(array, image.grid, "The noise of the image")
        if (least := float(whole.min())) < 0:
            raise ValueError(f"noise_sigma must be 0 or more at every pixel (got {least:g}).")
        squares = np.mean(np.square(whole, dtype=np.float64), axis=(0, 2, 3, 4))
        roots = tuple(float(each) for each in np.sqrt(squares))
        return cls(image, roots[0] if len(roots) == 1 else roots, model, whole)

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
    def is_white(self) -> bool:
        """Whether the noise is credibly white and as strong as it is taken to be everywhere.

        Where a map was given: whether it is once the image is divided by the map.
        """
        if self.map is None:
            return all(model.is_white for model in self.models)
        sigma = np.broadcast_to(self.map, self.image.data.shape)
        noisy = sigma > 0
        even = np.divide(self.image.data, sigma, out=np.zeros_like(self.image.data), where=noisy)
        inside = noisy if self.image.mask is None else noisy & self.image.mask
        mask = None if inside.all() else inside
        image = dataclasses.replace(self.image.with_data(even), mask=mask, holes=None)
        return all(model.is_white for model in SourceNoise(image).models)

    @functools.cached_property
    def _middle(self) -> tuple[Image, ...]:
        """Each channel of the middle: enough to measure noise in."""
        return tuple(middle_of(self.image))


def checked_sigma(given: Any, image: Image) -> Sigma | None:
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
