"""The base class of signal-dependent noise: a reference intensity."""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from napari_diffusion.noise.base import Noise

if TYPE_CHECKING:
    from napari_diffusion.core.image import Image
    from napari_diffusion.core.noise_scale import NoiseScale, Scales
    from napari_diffusion.engine.block import Block

#: The type of the field `reference`, which every such noise has.
Reference = Annotated[
    float | Literal["auto"],
    {
        "above": 0.0,
        "unit": "intensity",
        "tooltip": "Intensity at which the noise scale is the standard deviation.",
    },
]


@dataclass(frozen=True)
class Signal(Noise, abc.ABC):
    """A noise whose strength follows from the intensity of each pixel.

    A component has a field ``reference: Reference = "auto"``.
    """

    signal_dependent: ClassVar[bool] = True
    natural: ClassVar[bool] = True

    @property
    def level(self) -> float:
        """The reference intensity, a number once the noise is resolved."""
        return self.number("reference")

    @abc.abstractmethod
    def deviation(self) -> float:
        """Return the standard deviation at the reference intensity with the parameters as typed."""

    def natural_scale(self) -> NoiseScale:
        """Return the noise scale that the parameters as typed make at the reference intensity."""
        return self.deviation()

    def resolved(self, image: Image) -> Self:
        """Return this noise with the mean of the image as its reference, unless one is typed."""
        chosen = super().resolved(image)
        if chosen.reference != "auto":  # type: ignore[attr-defined]
            return chosen
        from napari_diffusion.noise.sampling.mean_intensity import mean_of

        mean = mean_of(image)
        if mean <= 0:
            raise ValueError(
                f"{type(self).__name__}: the mean of the image must be greater than 0 (got "
                f"{mean:g}): shift the image so that 0 means no light."
            )
        return chosen.replaced(reference=mean)

    def check(self, block: Block, scales: Scales) -> None:
        """Raise for intensities that the noise model does not support."""
        values = block.values if block.mask is None else block.values[block.mask]
        if not values.size:
            return
        if (lowest := float(values.min())) < self.lowest():
            raise ValueError(
                f"{type(self).__name__}: intensities must be {self.lowest():g} or more (got "
                f"{lowest:g}): shift the image so that {self.lowest():g} means no light."
            )
        if any(scales):
            self.check_largest(float(values.max()), scales)

    def lowest(self) -> float:
        """Return the lowest intensity that is supported."""
        return 0.0

    def check_largest(self, highest: float, scales: Scales) -> None:
        """Raise for a largest intensity that the noise model does not support."""
        del highest, scales


def check_rate(name: str, highest: float, gain: float, scale: float) -> None:
    """Raise for more photons in a pixel than can be computed."""
    largest = 2.0**53
    rate = highest / gain if gain > 0 else math.inf
    if rate > largest:
        raise ValueError(
            f"{name}: noise_scale={scale:g} means {rate:.3g} photons in a pixel of intensity "
            f"{highest:g}, more than {largest:.0f}: use a larger noise_scale, or 0."
        )
