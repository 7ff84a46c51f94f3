"""Wavelet shrinkage of scikit-image, averaged over shifts."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np

from napari_diffusion.core.citation import NOISE, Cite
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.filters.denoisers.library_images import LibraryFilter, exponent_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid
    from napari_diffusion.engine.threads import Threads

METHODS = {"bayes": "BayesShrink", "universal": "VisuShrink"}
TAPS = {"haar": 2, "db2": 4, "sym4": 8}

# Shifted copies of an image.
MOST = 600


@dataclass(frozen=True)
class Wavelet(LibraryFilter):
    """Shrink wavelet coefficients at the noise level, averaged over shifts, from scikit-image.

    ``out = mean over shifts s of S₋ₛ W⁻¹ θ(W Sₛ u)``, with W an orthogonal wavelet transform, Sₛ a
    shift by s pixels and θ(c) = sign(c) max(|c| − T, 0). Each band of a channel has its own T;
    mirrored borders. Averaging over shifts (cycle spinning) removes most of the blocks and ripples
    of a single transform.

    Scales are in pixels, whatever the pixel size: level 1 holds detail of 2 pixels, level 2 of 4,
    along each axis.

    Parameters
    ----------
    sigma : float or "auto"
        Standard deviation of the noise in intensity units, 0 or more. Larger values remove more
        detail. "auto" is the noise of the source.
    threshold : {"bayes", "universal"}
        How T follows from sigma. "bayes" is sigma² / (standard deviation of the band without its
        noise), so that bands rich in detail keep it; "universal" is sigma · √(2 ln(number of
        pixels)), which removes almost all noise and most fine detail.
    wavelet : {"haar", "db2", "sym4"}
        "haar" gives the sharpest edges and visible blocks; "db2" is smoother; "sym4" is smoothest,
        with faint ripples along strong edges.
    levels : int
        Number of scales to shrink, 1 to 8; noise coarser than 2^levels pixels remains. Images with
        an axis too short for them use as many as fit.
    shifts : int
        Largest shift along each axis in pixels, 0 to 20. 0 is a single transform; the first shift
        gives most of the benefit. The time grows with (shifts + 1) to the power of the dimension.

    Notes
    -----
    Use it as a fast filter for white noise that keeps detail of all sizes. Not for thin curved
    lines, which break up in strong noise, nor for correlated noise, which it keeps at coarse
    scales.

    Raises
    ------
    ValueError
        For more than 600 shifted copies.

    References
    ----------
    Chang, Yu and Vetterli (2000), Adaptive wavelet thresholding for image denoising and
    compression.
    Coifman and Donoho (1995), Translation-invariant de-noising.
    """

    display_name: ClassVar[str] = "Wavelet shrinkage"
    method_name = "wavelet shrinkage averaged over shifts (scikit-image)"
    terms = in_terms(
        sigma="noise standard deviation {}",
        threshold={"bayes": "BayesShrink threshold", "universal": "universal threshold"},
        wavelet="{} wavelet",
        levels="{} scales",
        shifts="shifts of up to {} pixels",
    )
    estimates = measured(sigma=NOISE)
    cites = (Cite("chang2000", "threshold", ("bayes",)), Cite("coifman1995", "shifts"))
    flips: ClassVar[bool] = False

    sigma: Annotated[
        float | Literal["auto"],
        {
            "min": 0.0,
            "unit": "intensity",
            "tooltip": "Standard deviation of the noise; larger values remove more detail.",
        },
    ] = "auto"
    threshold: Annotated[
        Literal["bayes", "universal"],
        {"tooltip": "Threshold rule: bayes keeps more detail, universal removes more noise."},
    ] = "bayes"
    wavelet: Annotated[
        Literal["haar", "db2", "sym4"],
        {"tooltip": "Wavelet: haar is sharp but blocky, sym4 is smooth."},
    ] = "db2"
    levels: Annotated[
        int, {"min": 1, "max": 8, "tooltip": "Number of scales; more levels remove coarser noise."}
    ] = 3
    shifts: Annotated[
        int,
        {
            "min": 0,
            "max": 20,
            "tooltip": "Largest shift; more shifts leave fewer blocks and take longer.",
        },
    ] = 1

    def check(self, grid: Grid) -> None:
        """Raise for too many shifts; see `Filter.check`."""
        super().check(grid)
        copies = (self.shifts + 1) ** len(grid.along)
        if copies > MOST:
            raise ValueError(
                f"Wavelet: shifts={self.shifts} takes {copies} copies of the image, more than "
                f"{MOST}: use fewer; the first shift gives most of the benefit."
            )

    def denoised(self, image: NDArray[Any], strength: float, threads: Threads) -> NDArray[Any]:
        """Return the shrunk image; see `LibraryFilter.denoised`."""
        # A constant image becomes 0, and so stays as it is.
        middle = image.min() / 2 + image.max() / 2
        centred = (image[..., 0] - middle).astype(np.float64)
        exponent, sigma = exponent_of(strength, centred)
        mean = self._mean_of_shifts(np.ldexp(centred, -exponent), sigma, threads)
        return np.asarray((np.ldexp(mean, exponent) + middle).astype(image.dtype))

    def fitting_levels(self, shape: tuple[int, ...]) -> int:
        """Return how many levels an image of this shape has, at least one.

        Mirrored to no more than four times its length, each axis must have pixels enough for the
        wavelet at the last level.
        """
        longest = TAPS[self.wavelet] - 1
        fitting = [
            level for level in range(1, self.levels + 1) if longest << level <= 4 * min(shape)
        ]
        return max(fitting, default=1)

    def _mean_of_shifts(self, image: NDArray[Any], sigma: float, threads: Threads) -> NDArray[Any]:
        levels = self.fitting_levels(image.shape)
        # In the window of each shift lies the whole image; it ends where every level ends.
        step = 1 << levels
        least = (TAPS[self.wavelet] - 1) * step
        sizes = [max(-(-(n + self.shifts) // step) * step, least) for n in image.shape]
        behind = [size - n for size, n in zip(sizes, image.shape, strict=True)]
        padded = np.pad(image, [(self.shifts, b) for b in behind], mode="symmetric")
        total = np.zeros(image.shape)
        for shift in itertools.product(range(self.shifts + 1), repeat=image.ndim):
            threads.poll()
            places = list(zip(shift, image.shape, sizes, strict=True))
            window = padded[tuple(slice(s, s + size) for s, _, size in places)]
            first = [(self.shifts - s, n) for s, n, _ in places]
            total += self._shrunk(window, sigma, levels)[tuple(slice(f, f + n) for f, n in first)]
        return total / (self.shifts + 1) ** image.ndim

    def _shrunk(self, window: NDArray[Any], sigma: float, levels: int) -> NDArray[Any]:
        from skimage.restoration import denoise_wavelet

        shrunk = denoise_wavelet(
            window,
            sigma=sigma,
            wavelet=self.wavelet,
            wavelet_levels=levels,
            method=METHODS[self.threshold],
        )
        return np.asarray(shrunk)
