"""The logarithm for speckle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np

from napari_diffusion.core.citation import Cite
from napari_diffusion.core.method_words import in_terms
from napari_diffusion.core.value_limits import LARGEST, LEAST_GAIN
from napari_diffusion.domains.base import Domain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.block import Block
    from napari_diffusion.engine.threads import Threads


@dataclass(frozen=True)
class Log(Domain):
    """Take logarithms, which give speckle the same strength everywhere.

    ``f(z) = log(max(z, floor))``, for images ``z = x · Γ(looks, 1 / looks)``

    The inverse is unbiased: ``x = exp(f) · looks / exp(ψ(looks))``, with ψ the digamma function,
    because the mean of the logarithms is less than the logarithm of the mean.

    Parameters
    ----------
    looks : float or "auto"
        Number of independent looks that were averaged, (mean / standard deviation)², greater than
        0. "auto" estimates it from the noise of the logarithms.
    floor : float or "auto"
        Lower limit of the intensities, greater than 0, since 0 has no logarithm. "auto" is the 0.1
        % quantile of the positive pixels.

    Notes
    -----
    Use it for radar, sonar, ultrasound and laser images, whose noise is proportional to the signal;
    a step of 0.1 in stabilised units is a change of ten per cent. Not for images with an offset,
    nor for those that are logarithms already, as most ultrasound images on a screen are. The
    inverse is unbiased only for well filtered values: remaining noise raises the mean.

    References
    ----------
    Arsenault and April (1976), Properties of speckle integrated with a finite aperture and
    logarithmically transformed.
    """

    display_name: ClassVar[str] = "Logarithm"
    method_name = "the logarithm"
    terms = in_terms(looks="{} looks", floor="intensities of at least {}")
    cites = (Cite("arsenault1976"),)

    looks: Annotated[
        float | Literal["auto"],
        {
            "min": 0.01,
            "max": 1e9,
            "tooltip": "Number of averaged looks; more looks mean less speckle.",
        },
    ] = "auto"
    floor: Annotated[
        float | Literal["auto"],
        {
            "min": LEAST_GAIN,
            "max": LARGEST,
            "unit": "intensity",
            "tooltip": "Lower limit of the intensities, since 0 has no logarithm.",
        },
    ] = "auto"

    def resolved(self, image: Image) -> Self:
        """Return this domain with its numbers measured; see `Domain.resolved`."""
        made = self
        if made.floor == "auto":
            made = made.replaced(floor=_floor(image))
        if made.looks == "auto":
            made = made.replaced(looks=_looks(image, made.number("floor")))
        return made

    def stabilise(self, block: NDArray[Any], threads: Threads) -> NDArray[Any]:
        """Return f of every pixel; see `Domain.stabilise`."""
        return self._logarithm(block, threads, 1.0)

    def intensity(self, block: NDArray[Any], threads: Threads) -> NDArray[Any]:
        """Return the unbiased exponential of every pixel; see `Domain.intensity`."""
        from napari_diffusion.domains import map_kernels

        factor = self._factor()
        # What is larger has no room to be computed with.
        highest = math.log(float(np.finfo(block.dtype).max) / 64 / factor)
        return map_kernels.mapped(map_kernels.exponential, block, threads, (factor, highest))

    def restabilise(self, block: NDArray[Any], threads: Threads) -> NDArray[Any]:
        """Return the mean of f at every mean intensity; see `Domain.restabilise`."""
        return self._logarithm(block, threads, self._factor())

    def _logarithm(self, block: NDArray[Any], threads: Threads, factor: float) -> NDArray[Any]:
        from napari_diffusion.domains import map_kernels

        floor = self.number("floor") if factor == 1.0 else float(np.finfo(block.dtype).tiny)
        return map_kernels.mapped(map_kernels.logarithm, block, threads, (floor, factor))

    def _factor(self) -> float:
        from scipy.special import digamma

        looks = self.number("looks")
        return looks / math.exp(float(digamma(looks)))


def _floor(image: Image) -> float:
    from napari_diffusion.engine.counting import NOT_MEASURED
    from napari_diffusion.engine.executor import measured

    def positive(block: Block) -> NDArray[Any]:
        return np.where(block.values > 0, block.values, NOT_MEASURED)

    return min(max(measured(image, positive, (0,) * 5).quantile(0.001), LEAST_GAIN), LARGEST)


def _looks(image: Image, floor: float) -> float:
    """Return the looks at which logarithms have the noise that those of the image have."""
    from scipy.optimize import brentq
    from scipy.special import polygamma

    from napari_diffusion.estimate import noise_sigma_of

    floor = max(floor, float(np.finfo(image.data.dtype).tiny))
    logarithms = np.log(np.maximum(image.data, floor)).astype(image.data.dtype)
    sigma = noise_sigma_of(image.with_data(logarithms))
    variance = min(max(sigma * sigma, 1.001e-9), 9e3)
    return float(brentq(lambda looks: float(polygamma(1, looks)) - variance, 0.01, 1e9))
