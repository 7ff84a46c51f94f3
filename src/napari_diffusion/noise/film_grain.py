"""Photographic film grain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np

from napari_diffusion.core.citation import EXTREME, MEAN, Cite
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.noise.sampling.signal_dependent import Reference, Signal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.image import Image
    from napari_diffusion.core.noise_scale import Scales
    from napari_diffusion.engine.block import Block


@dataclass(frozen=True)
class FilmGrain(Signal):
    """Add photographic film grain: correlated noise whose strength follows the tone.

    ``image + noise_scale · c(image) / c(reference) · (k ∗ n)``, with n white Gaussian noise, k a
    Gaussian of ‖k‖₂ = 1 and the tone curve c. With u = image / white_level, c is √u or √(u (1 −
    u)); the latter is how the area covered by random grains varies.

    Parameters
    ----------
    size : float
        Standard deviation of the Gaussian in world units, 0 or more: about the radius of a grain.
        Larger values make coarser grain.
    curve : {"midtones", "root"}
        Tone curve of the grain: "midtones" is strongest at medium intensities and vanishes in black
        and white; "root" grows with the square root of the intensity.
    strength : float
        Standard deviation at the reference intensity, as a fraction of that intensity, 0 or more. A
        noise scale replaces it.
    white_level : float or "auto"
        Intensity of white for the midtones, greater than 0; higher intensities have no grain.
        "auto" is the maximum of the source.
    reference : float or "auto"
        Intensity at which the noise scale is the standard deviation. "auto" is the mean of the
        source.

    Notes
    -----
    Use it for scans of analogue photographs and for their look, and to test a filter on noise that
    is both correlated and signal-dependent. Not as a model of a digital detector. Single grains are
    not rendered; only their strength and size are realistic. Negative intensities, which earlier
    steps can produce, count as black and have no grain.

    Raises
    ------
    ValueError
        For a mean of 0 or less, a reference at which the curve is 0, or grain that is too wide.

    References
    ----------
    Newson, Delon and Galerne (2017), A stochastic film grain model for resolution-independent
    rendering.
    """

    method_name = "film-grain noise"
    terms = in_terms(
        size="grain size {}",
        curve={"midtones": "strongest in the midtones", "root": "strongest in the highlights"},
        strength="",
        white_level="white level {}",
        reference="reference intensity {}",
    )
    estimates = measured(white_level=EXTREME, reference=MEAN)
    cites = (Cite("newson2017"),)

    white: ClassVar[bool] = False

    size: Annotated[
        float, {"min": 0.0, "unit": "world", "tooltip": "Grain size; larger values are coarser."}
    ] = 0.8
    curve: Annotated[
        Literal["midtones", "root"],
        {"tooltip": "Where the grain is strongest: midtones or highlights."},
    ] = "midtones"
    strength: Annotated[
        float,
        {
            "min": 0.0,
            "tooltip": "Standard deviation as a fraction of the reference; a noise scale "
            "replaces it.",
        },
    ] = 0.1
    white_level: Annotated[
        float | Literal["auto"],
        {"above": 0.0, "unit": "intensity", "tooltip": "Intensity of white, which has no grain."},
    ] = "auto"
    reference: Reference = "auto"

    def resolved(self, image: Image) -> Self:
        """Return this noise with the mean and the highest value of the image."""
        chosen = super().resolved(image)
        if chosen.white_level != "auto":
            return chosen
        from napari_diffusion.noise.sampling.extremes import extremes_of

        return chosen.replaced(white_level=extremes_of(image)[1])

    def deviation(self) -> float:
        """Return strength · reference."""
        return self.strength * self.level

    def in_words(self, scale: float) -> str:
        """Return the grain as a percentage of the reference."""
        return f"{100 * scale / self.level:.3g} % of {self.level:.4g}"

    def lowest(self) -> float:
        """Return −∞: below black there is no grain, and grain itself may lead there."""
        return -math.inf

    def check_largest(self, highest: float, scales: Scales) -> None:
        """Raise for a reference at which there is no grain to scale."""
        del highest, scales
        white = self.number("white_level") if self.curve == "midtones" else math.inf
        if self.level >= white:
            raise ValueError(
                f"FilmGrain: there is no grain at reference={self.level:g}, at or above "
                f"white_level={white:g}: use a lower reference, or curve='root'."
            )

    def add(self, block: Block, scales: Scales, address: Address) -> NDArray[Any]:
        """Return block + scale · c(block) / c(reference) · (k ∗ n); see `Noise.add`."""
        from napari_diffusion.noise.sampling import random_field

        if not any(scales):
            return block.values.copy()
        kernels = random_field.gaussian_kernels(self.size, block.grid, "FilmGrain", "size")
        place = random_field.Place(block.shape, block.grid.origin, address)
        field = random_field.smooth(place, kernels, block.threads)
        return random_field.added(block, field, scales, self._curve)

    def _curve(self, intensity: NDArray[Any]) -> NDArray[Any]:
        """Return c(intensity) / c(reference)."""
        kind, level = intensity.dtype.type, self.level
        found = intensity / kind(level)
        if self.curve == "midtones":
            white = self.number("white_level")
            dark = (kind(white) - intensity) / kind(white - level)
            found = found * np.maximum(dark, 0, out=dark)
        return np.asarray(np.sqrt(np.maximum(found, 0, out=found)))
