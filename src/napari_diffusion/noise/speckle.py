"""Speckle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from napari_diffusion.noise.sampling.planes import made_by
from napari_diffusion.noise.sampling.signal_dependent import Reference, Signal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.grid import Grid
    from napari_diffusion.core.noise_scale import NoiseScale
    from napari_diffusion.engine.threads import Threads


@dataclass(frozen=True)
class Speckle(Signal):
    """Multiply each intensity by a gamma number of mean 1, as coherent light or waves do.

    ``image · g``, with g a gamma number of shape `looks` and mean 1: the mean is the image, the
    standard deviation is image / √looks. The noise scale s is the standard deviation where the
    image is `reference`, so that looks = (reference / s)².

    Parameters
    ----------
    looks : float
        How many independent patterns are averaged, where no noise scale is given; more of them
        make the image less noisy. 1 is fully developed speckle, 4 halves it. A noise scale
        replaces it.
    reference : float or "auto"
        The intensity at which the noise scale is the standard deviation; with the same noise
        scale, a larger one makes the image less noisy. "auto" is the mean of the source.

    Notes
    -----
    Use it for intensities in ultrasound, optical coherence tomography, radar and laser light,
    where the noise grows with the signal itself. Not for amplitudes, which are the square roots of
    intensities, and not for images with negative values.

    Numbers are the gamma quantile of 64 uniform bits of their pixel, to the precision of float32
    (3e-6 of themselves or 3e-8 of the mean at 1 look and more, 1e-5 of themselves at 0.001 looks).

    Raises
    ------
    ValueError
        For intensities below 0, or a mean of 0 or less.

    References
    ----------
    Goodman (1976), Some fundamental properties of speckle.
    Wilson and Hilferty (1931), The distribution of chi-square.
    """

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
        """Say how many looks there are."""
        return f"{self.looks_at(scale):.3g} looks"

    def check_scale(self, scale: float) -> None:
        """Refuse a noise scale far beyond the reference."""
        if (looks := self.looks_at(scale)) < 1e-6:
            raise ValueError(
                f"Speckle: noise_scale={scale:g} means {looks:.2g} looks at the intensity "
                f"{self.level:g}, fewer than 1e-06: give a smaller noise_scale."
            )

    def check_largest(self, highest: float, scale: NoiseScale) -> None:
        """Refuse a noise scale far beyond the reference."""
        del highest
        for each in scale if isinstance(scale, tuple) else (scale,):
            self.check_scale(each)

    def add(
        self,
        block: NDArray[Any],
        scale: NoiseScale,
        address: Address,
        grid: Grid,
        executor: Threads,
    ) -> NDArray[Any]:
        """Return image · g; see `Noise.add`."""
        from napari_diffusion.noise.sampling.gamma import law
        from napari_diffusion.noise.sampling.speckle import multiply

        scales = scale if isinstance(scale, tuple) else (scale,) * block.shape[1]
        looks = [self.looks_at(each) for each in scales]
        return made_by(multiply, block, [law(each) for each in looks], address, grid, executor)
