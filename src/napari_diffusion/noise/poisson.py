"""Poisson noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from napari_diffusion.core.citation import MEAN, Cite
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.noise.sampling.planes import made_by
from napari_diffusion.noise.sampling.signal_dependent import Reference, Signal, check_rate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.noise_scale import Scales
    from napari_diffusion.engine.block import Block


@dataclass(frozen=True)
class Poisson(Signal):
    """Add photon (Poisson) noise: each intensity becomes a random number of photons.

    ``gain · k``, with k a Poisson variable of mean image / gain: the mean is the image, the
    variance is gain · image. The noise scale s is the standard deviation where the image equals
    `reference`, so that gain = s² / reference.

    The numbers are exact at any rate: each is the Poisson quantile of 64 uniform random bits of its
    pixel (at rates of 65536 and more, a proposal accepted by such bits), not a rounded Gaussian. At
    lower rates a brighter pixel never gets fewer photons for the same random seed, step and gain.

    Parameters
    ----------
    gain : float
        Intensity of one photon, greater than 0. Larger values mean fewer photons and more noise. A
        noise scale replaces it.
    reference : float or "auto"
        Intensity at which the noise scale is the standard deviation. For a given noise scale,
        larger values make the image less noisy. "auto" is the mean of the source.

    Notes
    -----
    Use it for photon-counting detectors, where 0 means no light: fluorescence, low dose, photon
    counting. For cameras with an offset and read noise use `PoissonGaussian`. Not for images with
    negative intensities. With many photons in every pixel it is hard to distinguish from `Gaussian`
    noise.

    Raises
    ------
    ValueError
        For negative intensities, a mean of 0 or less, or more than 2⁵³ photons in a pixel.

    References
    ----------
    Giles (2016), Algorithm 955: approximation of the inverse Poisson cumulative distribution
    function.
    Salmon, Moraes, Dror and Shaw (2011), Parallel random numbers: as easy as 1, 2, 3.
    """

    method_name = "photon (Poisson) noise"
    terms = in_terms(gain="", reference="reference intensity {}")
    estimates = measured(reference=MEAN)
    cites = (Cite("giles2016"), Cite("salmon2011"))

    keeps_mean: ClassVar[bool] = True

    gain: Annotated[
        float,
        {
            "above": 0.0,
            "unit": "intensity",
            "tooltip": "Intensity of one photon; a noise scale replaces it.",
        },
    ] = 1.0
    reference: Reference = "auto"

    def deviation(self) -> float:
        """Return √(gain · reference)."""
        return math.sqrt(self.gain) * math.sqrt(self.level)

    def gain_at(self, scale: float) -> float:
        """Return the intensity of one photon that makes the noise scale."""
        # The parameters as typed come back as they are, not rounded twice.
        return self.gain if scale == self.deviation() else scale / self.level * scale

    def in_words(self, scale: float) -> str:
        """Return the number of photons at the reference."""
        return f"{self.level / self.gain_at(scale):.3g} photons at {self.level:.4g}"

    def check_largest(self, highest: float, scales: Scales) -> None:
        """Raise for more photons in a pixel than can be computed."""
        for each in scales:
            if each:
                check_rate(type(self).__name__, highest, self.gain_at(each), each)

    def add(self, block: Block, scales: Scales, address: Address) -> NDArray[Any]:
        """Return gain · k; see `Noise.add`."""
        from napari_diffusion.noise.sampling.photon_counts import count_photons

        gains = [(self.gain_at(each),) for each in scales]
        return made_by(count_photons, block, gains, address)
