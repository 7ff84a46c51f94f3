"""The generalized Anscombe transform for photon noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np

from napari_diffusion.core.citation import Cite, Estimate
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.core.value_limits import LARGEST, LEAST_GAIN
from napari_diffusion.domains.base import Domain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image
    from napari_diffusion.core.method_words import Term
    from napari_diffusion.domains.expected_values import Expected
    from napari_diffusion.engine.threads import Threads


# An offset or read noise of less photons says no more than 0.
SMALL = 1e-3

_LINE = Estimate("estimated from the noise variance over intensity", ("foi2008",))


@dataclass(frozen=True)
class Anscombe(Domain):
    """Take square roots that give camera noise a standard deviation of 1 everywhere.

    ``f(z) = 2 · √(max(0, y + 3/8 + s²))`` with the photons ``y = (z − offset) / gain`` and
    ``s = read_noise / gain``, for images ``z = offset + gain · Poisson(y) + read_noise · n``

    This is the generalized Anscombe transform. Its inverse is the exact unbiased one: a filtered
    value becomes the mean intensity whose noisy images have that value as the mean of f. It is
    tabulated for few photons and a series of six moments for many. Below the value of zero photons
    it continues as a straight line, so that dark parts are slightly negative here and there rather
    than too bright on average.

    Parameters
    ----------
    gain : float or "auto"
        Intensity per photon, greater than 0. Too small a gain treats noise as structure, too large
        a gain treats structure as noise.
    offset : float or "auto"
        Intensity without light.
    read_noise : float or "auto"
        Standard deviation without light in intensity units, 0 or more. "auto" fits the variance of
        the noise as a straight line over the intensity, whose slope is the gain. The fit cannot
        separate offset and read noise and need not: if both are automatic, one of them is 0. In
        photon-counting images, recognized by intensities that are whole multiples of one value and
        by their variance, that value is the gain and the others are 0.

    Notes
    -----
    Use it for low-light images with a peak of 2 photons or more, with any filter made for noise of
    constant strength. In stabilised units the noise of the image is 1. Not for images that were
    rescaled, compressed or smoothed: their noise is no longer camera noise; nor for bright, evenly
    lit images, where it changes nothing. The inverse is unbiased only for well filtered values:
    remaining noise, or noise added last, raises the mean by a quarter of its variance in photons.

    References
    ----------
    Anscombe (1948), The transformation of Poisson, binomial and negative-binomial data.
    Mäkitalo and Foi (2013), Optimal inversion of the generalized Anscombe transformation for
    Poisson-Gaussian noise.
    """

    display_name: ClassVar[str] = "Anscombe transform"
    method_name = "the generalized Anscombe transform"
    terms = in_terms(gain="gain {}", offset="offset {}", read_noise="read noise {}")
    estimates = measured(gain=_LINE, offset=_LINE, read_noise=_LINE)
    cites = (Cite("anscombe1948"), Cite("makitalo2013"))

    gain: Annotated[
        float | Literal["auto"],
        {
            "min": LEAST_GAIN,
            "max": LARGEST,
            "unit": "intensity/photon",
            "tooltip": "Intensity of one photon.",
        },
    ] = "auto"
    offset: Annotated[
        float | Literal["auto"],
        {
            "min": -LARGEST,
            "max": LARGEST,
            "unit": "intensity",
            "tooltip": "Intensity without light.",
        },
    ] = "auto"
    read_noise: Annotated[
        float | Literal["auto"],
        {
            "min": 0.0,
            "max": LARGEST,
            "unit": "intensity",
            "tooltip": "Read noise: standard deviation without light.",
        },
    ] = "auto"

    def method_terms(self) -> Mapping[str, Term]:
        """Return the words of the parameters; the fit leaves one of the last two at 0."""
        gain = self.number("gain")
        small = [n for n in ("offset", "read_noise") if abs(self.number(n)) < SMALL * gain]
        return {**self.terms, **dict.fromkeys(small, "")}

    def resolved(self, image: Image) -> Self:
        """Return this domain with its numbers measured; see `Domain.resolved`."""
        if not self.autos():
            return self
        from napari_diffusion.domains.gain_fit import variance_line

        known = [
            None if isinstance(value, str) else value
            for value in (self.gain, self.offset, self.read_noise)
        ]
        gain, excess = variance_line(image, *known)
        _, offset, read_noise = known
        if read_noise is None:
            read_noise = math.sqrt(max(excess, 0.0))
            excess = min(excess, 0.0)
        if offset is None:
            offset = 0.0 - excess / gain
        return self.replaced(gain=gain, offset=offset, read_noise=read_noise)

    def noise_of(self, image: Image) -> float | None:
        """Return 1, or less where most of the light comes from places of too few photons."""
        from napari_diffusion.domains.few_photons import mean_variance

        gain, offset, squared = self._numbers()
        return math.sqrt(mean_variance(image, gain, offset, squared))

    def stabilise(self, block: NDArray[Any], threads: Threads) -> NDArray[Any]:
        """Return f of every pixel; see `Domain.stabilise`."""
        from napari_diffusion.domains import map_kernels

        # What is larger has no square, and its root no room.
        more = (*self._numbers(), 1e72 if block.dtype == np.float32 else 1e300)
        return map_kernels.mapped(map_kernels.stabilise, block, threads, more)

    def intensity(self, block: NDArray[Any], threads: Threads) -> NDArray[Any]:
        """Return the exact unbiased inverse of every pixel; see `Domain.intensity`."""
        from napari_diffusion.domains import map_kernels

        expected = self._expected()
        more = (*self._numbers(), *expected.of_values)
        return map_kernels.mapped(map_kernels.intensity, block, threads, more)

    def restabilise(self, block: NDArray[Any], threads: Threads) -> NDArray[Any]:
        """Return the mean of f at every mean intensity; see `Domain.restabilise`."""
        from napari_diffusion.domains import map_kernels

        expected = self._expected()
        more = (*self._numbers(), *expected.of_photons)
        return map_kernels.mapped(map_kernels.restabilise, block, threads, more)

    def _numbers(self) -> tuple[float, float, float]:
        """Return gain, offset and the read noise squared, in photons²."""
        gain, offset, read_noise = map(self.number, ("gain", "offset", "read_noise"))
        return gain, offset, (read_noise / gain) ** 2

    def _expected(self) -> Expected:
        from napari_diffusion.domains.expected_values import expected

        return expected(self._numbers()[2])
