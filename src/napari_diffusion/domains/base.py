"""The base class of domains: variance-stabilising transforms and their inverse."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

from napari_diffusion.core.component import Component
from napari_diffusion.engine.executor import executor_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.threads import Threads

# What intensity is called in a domain, in units and sentences.
UNIT = "stabilised"


@dataclass(frozen=True)
class Domain(Component, abc.ABC):
    """A transform of the intensities that makes the noise equally strong everywhere.

    Filters assume noise of constant strength; photon noise and speckle are not. In a domain they
    are. The noise scale, the contrast and all other parameters in intensity units are then in
    stabilised units. The image of each step is returned in intensities.

    Each pixel is transformed separately, so regions, chunks and threads do not matter.
    """

    slot: ClassVar[str] = "domain"

    def resolved(self, image: Image) -> Self:
        """Return this domain with every ``"auto"`` replaced by its number for `image`."""
        del image
        return self

    @final
    def image(self, image: Image) -> Image:
        """Return a noisy image with stabilised values."""
        return image.with_data(executor_for(image.data).mapped(self.stabilise, image.data))

    def noise_of(self, image: Image) -> float | None:
        """Return the standard deviation of the stabilised noise; None where it must be measured.

        `image` has intensities, and this domain is resolved.
        """
        del image
        return None

    @abc.abstractmethod
    def stabilise(self, block: NDArray[Any], threads: Threads) -> NDArray[Any]:
        """Return the stabilised values of a noisy image, as a new array of the same type."""

    @abc.abstractmethod
    def intensity(self, block: NDArray[Any], threads: Threads) -> NDArray[Any]:
        """Return the mean intensity that stabilised values without noise stand for."""

    @abc.abstractmethod
    def restabilise(self, block: NDArray[Any], threads: Threads) -> NDArray[Any]:
        """Return the stabilised values that `intensity` made an image of."""
