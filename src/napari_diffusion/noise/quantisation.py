"""Quantization error, with or without dither."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from napari_diffusion.core.citation import Cite
from napari_diffusion.core.method_words import in_terms
from napari_diffusion.noise.base import Noise
from napari_diffusion.noise.sampling.planes import made_by

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.noise_scale import Scales
    from napari_diffusion.engine.block import Block

# How much of the random number is added before the rounding, and taken away after it.
_DITHERS = {"none": (0.0, 0.0), "added": (1.0, 0.0), "subtractive": (1.0, 1.0)}


@dataclass(frozen=True)
class Quantisation(Noise):
    """Quantize intensities in steps, with or without dither.

    ``Δ · round(image / Δ + v) − Δ · v``, with the step Δ = √12 · noise_scale and v uniform from −½
    to ½. The standard deviation of an error that is uniform over one step is Δ / √12.

    Parameters
    ----------
    dither : {"subtractive", "added", "none"}
        Use of the random number v. "subtractive" adds it before rounding and subtracts it
        afterwards: the error is uniform and independent of the image. "added" leaves it in the
        image: correct on average, with an error up to √3 times as large that depends on the
        intensity. "none" rounds without random numbers: smooth ramps turn into contours.

    Notes
    -----
    Use it for images of few bits, and to compare banding with dither. Not for detector noise.
    Without dither the noise scale is the standard deviation only where the image spans many levels;
    a constant image gets the same error everywhere.

    References
    ----------
    Lipshitz, Wannamaker and Vanderkooy (1992), Quantization and dither: a theoretical survey.
    """

    display_name: ClassVar[str] = "Quantization"
    method_name = "quantization noise"
    terms = in_terms(
        dither={
            "subtractive": "subtractive dither",
            "added": "non-subtractive dither",
            "none": "without dither",
        }
    )
    cites = (Cite("lipshitz1992"),)

    dither: Annotated[
        Literal["subtractive", "added", "none"],
        {"tooltip": "Add random dither before rounding, and subtract it afterwards or not."},
    ] = "subtractive"

    @property
    def claims(self) -> frozenset[str]:
        """The claims that hold with this dither."""
        withdrawn = {
            "subtractive": frozenset[str](),
            "added": frozenset(("has_scale",)),
            "none": frozenset(("keeps_mean", "has_scale", "white", "random")),
        }
        return super().claims - withdrawn[self.dither]

    def in_words(self, scale: float) -> str:
        """Return the size of the step."""
        return f"steps of {math.sqrt(12.0) * scale:.3g}"

    def add(self, block: Block, scales: Scales, address: Address) -> NDArray[Any]:
        """Return the block rounded to multiples of √12 · scale; see `Noise.add`."""
        from napari_diffusion.noise.sampling.uniform_kernels import round_off

        steps = tuple((math.sqrt(12.0) * each, *_DITHERS[self.dither]) for each in scales)
        return made_by(round_off, block, steps, address)
