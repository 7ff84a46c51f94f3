"""Rician noise."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

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
class Rician(Signal):
    """Add Rician noise: the magnitude of a complex signal with Gaussian noise in both parts.

    ``√((image + σ n₁)² + (σ n₂)²)``, with n₁ and n₂ standard normal. The noise scale s is the
    standard deviation of this magnitude where the image equals `reference`; σ is computed from it
    numerically and equals s where the image is much larger than s.

    The mean is not preserved, as in real magnitude images: a magnitude is never negative, so dark
    parts become grey. Where the image is 0, the mean is σ √(π/2) and the standard deviation σ √(2 −
    π/2); where it is large, the mean is σ² / (2 · image) too high.

    Parameters
    ----------
    sigma : float
        Standard deviation of the noise in the real and the imaginary part, greater than 0. Larger
        values make the image noisier and its dark parts brighter. A noise scale replaces it.
    reference : float or "auto"
        Intensity at which the noise scale is the standard deviation; "auto" is the mean of the
        source. It matters little where it exceeds the noise.

    Notes
    -----
    Use it for magnitude images from magnetic resonance with one coil. Not for images with negative
    intensities, nor for sum-of-squares images of several coils, which combine more than two parts.
    In a loop, each step brightens the dark parts again.

    Raises
    ------
    ValueError
        For negative intensities, or a mean of 0 or less.

    References
    ----------
    Rice (1944), Mathematical analysis of random noise.
    Gudbjartsson and Patz (1995), The Rician distribution of noisy MRI data.
    """

    method_name = "Rician noise"
    terms = in_terms(sigma="", reference="reference intensity {}")
    estimates = measured(reference=MEAN)
    cites = (Cite("rice1944"), Cite("gudbjartsson1995"))

    keeps_mean: ClassVar[bool] = False

    sigma: Annotated[
        float,
        {
            "above": 0.0,
            "unit": "intensity",
            "tooltip": "Noise of the real and imaginary part; a noise scale replaces it.",
        },
    ] = 1.0
    reference: Reference = "auto"

    def deviation(self) -> float:
        """Return the standard deviation of magnitudes at the reference."""
        return self.sigma * deviation_per_sigma(self.level / self.sigma)

    def sigma_at(self, scale: float) -> float:
        """Return the noise of each part that makes the noise scale."""
        if scale == self.deviation():
            return self.sigma
        return scale * sigma_per_deviation(self.level / scale) if scale else 0.0

    def in_words(self, scale: float) -> str:
        """Return the noise of each part."""
        return f"σ = {self.sigma_at(scale):.3g} in each part"

    def add(self, block: Block, scales: Scales, address: Address) -> NDArray[Any]:
        """Return the magnitudes; see `Noise.add`."""
        from napari_diffusion.noise.sampling.magnitude import take_magnitudes

        arguments = []
        for sigma in map(self.sigma_at, scales):
            unit = 2.0 ** math.floor(math.log2(max(sigma, self.level)))
            arguments.append((sigma, unit))
        return made_by(take_magnitudes, block, arguments, address)


def deviation_per_sigma(ratio: float) -> float:
    """Return the standard deviation of magnitudes of a signal of `ratio`, the noise being 1."""
    if ratio > 1e3:
        return math.sqrt(1 - 0.5 / ratio / ratio)
    from scipy.special import i0e, i1e

    x = ratio * ratio / 2
    mean = math.sqrt(math.pi / 2) * ((1 + x) * i0e(x / 2) + x * i1e(x / 2))
    return math.sqrt(2 + ratio * ratio - mean * mean)


@functools.lru_cache(maxsize=256)
def sigma_per_deviation(ratio: float) -> float:
    """Return the noise that makes a standard deviation of 1 of a signal of `ratio`."""
    low, high = 1.0, 1.6
    while True:
        middle = (low + high) / 2
        if not low < middle < high:
            return middle
        if middle * deviation_per_sigma(ratio / middle) < 1:
            low = middle
        else:
            high = middle
