"""Speckle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from napari_diffusion.core.citation import MEAN, Cite
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.noise.sampling.planes import made_by
from napari_diffusion.noise.sampling.signal_dependent import Reference, Signal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.noise_scale import Scales
    from napari_diffusion.engine.block import Block


@dataclass(frozen=True)
class Speckle(Signal):
    """Multiply each intensity by a gamma variable of mean 1, as in coherent imaging.

    ``image · g``, with g a gamma variable of shape `looks` and mean 1: the mean is the image, the
    standard deviation is image / √looks. The noise scale s is the standard deviation where the
    image equals `reference`, so that looks = (reference / s)².

    Parameters
    ----------
    looks : float
        Number of independent speckle patterns that are averaged; larger values make the image less
        noisy. 1 is fully developed speckle, 4 halves it. A noise scale replaces it.
    reference : float or "auto"
        Intensity at which the noise scale is the standard deviation. For a given noise scale,
        larger values make the image less noisy. "auto" is the mean of the source.

    Notes
    -----
    Use it for intensities in ultrasound, optical coherence tomography, radar and laser imaging,
    where the noise grows in proportion to the signal. Not for amplitudes, which are the square
    roots of intensities, nor for images with negative intensities.

    The random numbers are the gamma quantile of 64 uniform bits of their pixel, to the precision of
    float32 (relative error 3e-6, or 3e-8 of the mean, at 1 look and more; 1e-5 at 0.001 looks).

    Raises
    ------
    ValueError
        For negative intensities, or a mean of 0 or less.

    References
    ----------
    Goodman (1976), Some fundamental properties of speckle.
    Wilson and Hilferty (1931), The distribution of chi-square.
    """

    method_name = "multiplicative speckle noise (gamma distributed)"
    terms = in_terms(looks="", reference="reference intensity {}")
    estimates = measured(reference=MEAN)
    cites = (Cite("goodman1976"), Cite("wilson1931"))

    looks: Annotated[
        float,
        {
            "min": 1e-6,
            "max": 1e12,
            "tooltip": "Number of averaged speckle patterns; a noise scale replaces it.",
        },
    ] = 1.0
    reference: Reference = "auto"

    def deviation(self) -> float:
        """Return reference / √looks."""
        return self.level / math.sqrt(self.looks)

    def looks_at(self, scale: float) -> float:
        """Return how many looks make the noise scale; infinitely many make none."""
        if scale == self.deviation():
            return self.looks
        ratio = self.level / scale if scale else math.inf
        return ratio * ratio

    def in_words(self, scale: float) -> str:
        """Return the number of looks."""
        return f"{self.looks_at(scale):.3g} looks"

    def check_scale(self, scale: float) -> None:
        """Raise for a noise scale far above the reference."""
        if (looks := self.looks_at(scale)) < 1e-6:
            raise ValueError(
                f"Speckle: noise_scale={scale:g} means {looks:.2g} looks at the intensity "
                f"{self.level:g}, fewer than 1e-06: use a smaller noise_scale."
            )

    def check_largest(self, highest: float, scales: Scales) -> None:
        """Raise for a noise scale far above the reference."""
        del highest
        for each in scales:
            self.check_scale(each)

    def add(self, block: Block, scales: Scales, address: Address) -> NDArray[Any]:
        """Return image · g; see `Noise.add`."""
        from napari_diffusion.noise.sampling.gamma import law
        from napari_diffusion.noise.sampling.speckle import multiply

        looks = [self.looks_at(each) for each in scales]
        return made_by(multiply, block, [law(each) for each in looks], address)
