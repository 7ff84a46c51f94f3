"""The noise of few photons, made even."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from napari_diffusion.domains.base import Domain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid
    from napari_diffusion.core.image import Image
    from napari_diffusion.domains.expected_values import Expected
    from napari_diffusion.engine.threads import Threads


@dataclass(frozen=True)
class Anscombe(Domain):
    """Square roots, in which the noise of a camera is 1 everywhere: the generalised Anscombe way.

    ``f(z) = 2 · √(max(0, y + 3/8 + s²))`` with the photons ``y = (z − offset) / gain`` and
    ``s = read_noise / gain``, for images ``z = offset + gain · Poisson(y) + read_noise · n``

    The way back is the exact unbiased inverse: of a filtered value, the mean intensity whose noisy
    images have that value as the mean of f. It is tabulated for few photons and a series of six
    moments for many. Below the value of no photons at all it goes on as a straight line, so that
    dark places are slightly negative here and there rather than too bright on average.

    Parameters
    ----------
    gain : float or "auto"
        Intensity per photon, greater than 0. Too small a gain takes noise for structure, too large
        a one takes structure for noise.
    offset : float or "auto"
        Intensity without light.
    read_noise : float or "auto"
        Standard deviation of the noise without light, in intensity units, 0 or more. "auto" fits
        the variance of the noise as a straight line over the intensity; gain is its slope. Offset
        and read noise cannot be told apart in it and do not need to be: with both automatic, one
        of them is 0. Where photons were counted one by one, which whole multiples of one number
        and their variance tell, that number is the gain, and the others are 0.

    Notes
    -----
    Use it for images of few photons, from a peak of 2 up, with any filter made for even noise. In
    stabilised units the noise of the image itself is 1. Not for images that were scaled,
    compressed or smoothed before: their noise is not that of a camera; nor where the photons are
    many and the light is even, where it changes nothing. Only what is filtered well comes back
    unbiased: noise that is left, or added last, makes the mean larger, by a quarter of its
    variance in photons.

    References
    ----------
    Anscombe (1948), The transformation of Poisson, binomial and negative-binomial data.
    Mäkitalo and Foi (2013), Optimal inversion of the generalized Anscombe transformation for
    Poisson-Gaussian noise.
    """

    display_name: ClassVar[str] = "Anscombe transform"

    gain: Annotated[
        float | Literal["auto"],
        {
            "min": 1e-30,
            "max": 1e30,
            "unit": "intensity/photon",
            "tooltip": "Intensity of one photon.",
        },
    ] = "auto"
    offset: Annotated[
        float | Literal["auto"],
        {"min": -1e30, "max": 1e30, "unit": "intensity", "tooltip": "Intensity without light."},
    ] = "auto"
    read_noise: Annotated[
        float | Literal["auto"],
        {
            "min": 0.0,
            "max": 1e30,
            "unit": "intensity",
            "tooltip": "Read noise: standard deviation without light.",
        },
    ] = "auto"

    def resolved(self, image: Image, grid: Grid) -> Self:
        """Return this domain with its numbers measured; see `Domain.resolved`."""
        del grid
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

    def stabilise(self, block: NDArray[Any], executor: Threads) -> NDArray[Any]:
        """Return f of every pixel; see `Domain.stabilise`."""
        from napari_diffusion.domains import map_kernels

        gain, offset, squared = self._numbers()
        return map_kernels.mapped(map_kernels.stabilise, block, executor, (gain, offset, squared))

    def intensity(self, block: NDArray[Any], executor: Threads) -> NDArray[Any]:
        """Return the exact unbiased inverse of every pixel; see `Domain.intensity`."""
        from napari_diffusion.domains import map_kernels

        expected = self._expected()
        more = (*self._numbers(), *expected.of_values)
        return map_kernels.mapped(map_kernels.intensity, block, executor, more)

    def restabilise(self, block: NDArray[Any], executor: Threads) -> NDArray[Any]:
        """Return the mean of f at every mean intensity; see `Domain.restabilise`."""
        from napari_diffusion.domains import map_kernels

        expected = self._expected()
        more = (*self._numbers(), *expected.of_photons)
        return map_kernels.mapped(map_kernels.restabilise, block, executor, more)

    def _numbers(self) -> tuple[float, float, float]:
        """Return gain, offset and the read noise squared, in photons²."""
        if self.autos():
            raise ValueError(
                f"Anscombe: {', '.join(self.autos())} must be numbers by now: measure them with "
                "resolved(image, grid)."
            )
        assert not isinstance(self.gain, str)
        assert not isinstance(self.offset, str)
        assert not isinstance(self.read_noise, str)
        return self.gain, self.offset, (self.read_noise / self.gain) ** 2

    def _expected(self) -> Expected:
        from napari_diffusion.domains.expected_values import expected

        return expected(self._numbers()[2])
