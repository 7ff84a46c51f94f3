"""Outliers: dead and hot pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from napari_diffusion.core.citation import EXTREME, MEAN
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.noise.base import Noise
from napari_diffusion.noise.sampling.planes import made_by

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.image import Image
    from napari_diffusion.core.noise_scale import Scales
    from napari_diffusion.engine.block import Block


@dataclass(frozen=True)
class SaltPepper(Noise):
    """Replace random pixels by a low or a high value.

    ``p · salt`` is the probability that a pixel becomes `high`, ``p · (1 − salt)`` that it becomes
    `low`, independent of all other pixels. At the intensity `reference` the deviations have the
    mean ``p · A`` and the mean square ``p · B``, with A and B the means of d and d² over the
    deviations d of the two kinds of outlier. The noise scale s therefore gives p from ``s² = p B −
    p² A²``.

    Parameters
    ----------
    fraction : float
        Fraction p of the pixels that is replaced, 0 to 1. A noise scale replaces it.
    salt : float
        Fraction of the outliers that get the high value, 0 to 1; the others get the low one.
    low : float or "auto"
        Intensity of a dead pixel. "auto" is the minimum of the source.
    high : float or "auto"
        Intensity of a hot pixel, above the low one. "auto" is the maximum of the source.
    reference : float or "auto"
        Intensity at which the noise scale is the standard deviation. "auto" is the mean of the
        source.

    Notes
    -----
    Use it for dead and hot pixels, cosmic rays and transmission errors, and to see how a filter
    handles outliers: a median removes them, diffusion keeps or smears them. Not as a model of noise
    that affects every pixel. The mean of the image moves towards that of the outliers.

    Raises
    ------
    ValueError
        If low is not below high, or no p yields the noise scale.
    """

    display_name: ClassVar[str] = "Salt and pepper"
    method_name = "salt-and-pepper noise"
    terms = in_terms(
        fraction="",
        low="low value {}",
        high="high value {}",
        salt="a fraction {} of the outliers high",
        reference="reference intensity {}",
    )
    estimates = measured(low=EXTREME, high=EXTREME, reference=MEAN)

    # Values far from the outliers' mean are drawn towards it.
    keeps_mean: ClassVar[bool] = False
    natural: ClassVar[bool] = True

    fraction: Annotated[
        float,
        {
            "min": 0.0,
            "max": 1.0,
            "tooltip": "Fraction of pixels to replace; a noise scale replaces it.",
        },
    ] = 0.05
    salt: Annotated[
        float, {"min": 0.0, "max": 1.0, "tooltip": "Fraction of the outliers with the high value."}
    ] = 0.5
    low: Annotated[
        float | Literal["auto"], {"unit": "intensity", "tooltip": "Intensity of a dead pixel."}
    ] = "auto"
    high: Annotated[
        float | Literal["auto"],
        {"unit": "intensity", "tooltip": "Intensity of a hot pixel."},
    ] = "auto"
    reference: Annotated[
        float | Literal["auto"],
        {
            "unit": "intensity",
            "tooltip": "Intensity at which the noise scale is the standard deviation.",
        },
    ] = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        low, high = self.low, self.high
        if isinstance(low, float) and isinstance(high, float) and low >= high:
            raise ValueError(f"SaltPepper: low must be less than high (got {low:g} and {high:g}).")

    def resolved(self, image: Image) -> Self:
        """Return this noise with the extremes and the mean of the image where "auto" stands."""
        changes: dict[str, float] = {}
        if "auto" in (self.low, self.high):
            from napari_diffusion.noise.sampling.extremes import extremes_of

            lowest, highest = extremes_of(image)
            changes["low"] = lowest if self.low == "auto" else self.low
            changes["high"] = highest if self.high == "auto" else self.high
        if self.reference == "auto":
            from napari_diffusion.noise.sampling.mean_intensity import mean_of

            changes["reference"] = mean_of(image)
        return self.replaced(**changes) if changes else self

    def natural_scale(self) -> float:
        """Return the standard deviation at the reference intensity with the fraction as typed."""
        unit, mean, square = self._moments()
        p = self.fraction
        return unit * math.sqrt(p * (square - p * mean * mean))

    def fraction_at(self, scale: float) -> float:
        """Return the probability that a pixel is replaced which makes the noise scale."""
        unit, mean, square = self._moments()
        # The variance grows with p until all pixels are replaced, or half of it comes from the
        # mean.
        most = math.sqrt(max(square - mean * mean, 0.0))
        if square < 2 * mean * mean:
            most = square / (2 * abs(mean))
        s = scale / unit
        if s > most:
            raise ValueError(
                f"SaltPepper: noise_scale={scale:g} is more than {most * unit:.6g}, the largest "
                f"that outliers of {self.low:g} and {self.high:g} can produce: use a smaller one, "
                "or more extreme outliers."
            )
        root = math.sqrt(max(square * square - (2 * mean * s) ** 2, 0.0))
        return min(2 * s * s / (square + root), 1.0)

    def in_words(self, scale: float) -> str:
        """Return the fraction of pixels that is replaced."""
        return f"{100 * self.fraction_at(scale):.3g} % of the pixels"

    def check(self, block: Block, scales: Scales) -> None:
        """Raise for a noise scale that no fraction yields."""
        del block
        for each in scales:
            self.fraction_at(each)

    def add(self, block: Block, scales: Scales, address: Address) -> NDArray[Any]:
        """Return the block with outliers in it; see `Noise.add`."""
        from napari_diffusion.noise.sampling.uniform_kernels import replace_some

        low, high, _ = self._typed()
        arguments = []
        for each in scales:
            either = round(self.fraction_at(each) * 2**32)
            arguments.append((low, high, round(either * self.salt), either))
        return made_by(replace_some, block, arguments, address)

    def _typed(self) -> tuple[float, float, float]:
        """Return the low, the high and the reference value, all numbers by now."""
        return self.number("low"), self.number("high"), self.number("reference")

    def _moments(self) -> tuple[float, float, float]:
        """Return a unit, and in it the outliers' mean deviation and mean square of it."""
        low, high, reference = self._typed()
        # Divided first, so that no square leaves the range.
        unit = max(abs(low - reference), abs(high - reference))
        a, b = (low - reference) / unit, (high - reference) / unit
        mean = (1 - self.salt) * a + self.salt * b
        return unit, mean, (1 - self.salt) * a * a + self.salt * b * b
