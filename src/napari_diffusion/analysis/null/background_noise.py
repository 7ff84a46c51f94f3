"""The noise of a source, measured on a background region of it."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_diffusion.analysis.source_noise import Sigma, SourceNoise
from napari_diffusion.estimate.noise_measurement import of_region

if TYPE_CHECKING:
    from napari_diffusion.estimate import NoiseModel


@dataclass(frozen=True, eq=False)
class BackgroundNoise(SourceNoise):
    """The noise of an image whose mask is a background region; may be correlated.

    How the noise grows with the intensity is not told by a background.
    """

    @functools.cached_property
    def models(self) -> tuple[NoiseModel, ...]:
        """What the region of each channel shows of its noise."""
        shape = (self.image.grid.shape[0], 1, *self.image.grid.shape[2:])
        found = []
        for channel in self.image.channels():
            grid = dataclasses.replace(channel.grid, shape=shape)
            found.append(of_region(dataclasses.replace(channel, grid=grid)))
        return tuple(found)

    @functools.cached_property
    def sigma(self) -> Sigma:
        """Standard deviation in the region, of each channel where there are many."""
        sigmas = tuple(model.sigma for model in self.models)
        return sigmas[0] if len(sigmas) == 1 else sigmas
