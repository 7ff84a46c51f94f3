"""Uniform noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_diffusion.noise.base import Noise
from napari_diffusion.noise.sampling.planes import made_by

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.noise_scale import Scales
    from napari_diffusion.engine.block import Block


@dataclass(frozen=True)
class Uniform(Noise):
    """Add independent noise, uniformly distributed within fixed limits.

    ``image + w · v``, with v uniform from −1 to 1 and the half-width w = √3 · noise_scale, so that
    the noise scale is the standard deviation, as for every other noise.

    Notes
    -----
    Use it where only the limits of an error are known, such as rounding, or to test a filter on
    noise without outliers. Not as a model of a detector: a sum of many small errors is Gaussian
    (`Gaussian`).
    """

    method_name = "white uniform noise"

    def in_words(self, scale: float) -> str:
        """Return the limits."""
        return f"±{math.sqrt(3.0) * scale:.3g}"

    def add(self, block: Block, scales: Scales, address: Address) -> NDArray[Any]:
        """Return block + √3 · scale · v; see `Noise.add`."""
        from napari_diffusion.noise.sampling.uniform_kernels import add_uniform

        half_widths = tuple((math.sqrt(3.0) * each,) for each in scales)
        return made_by(add_uniform, block, half_widths, address)
