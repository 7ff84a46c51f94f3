"""Multiscale diffusion by shift-invariant Haar wavelets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np

from napari_diffusion.core.citation import NOISE, Cite
from napari_diffusion.core.grid import per_axis
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.core.noise_map import NoiseField
from napari_diffusion.filters.base import Filter
from napari_diffusion.filters.denoisers.guided_filter import (
    NoiseSigma,
    check_noise_for_weights,
    kept_without_noise,
    noise_sigmas,
    with_noise,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.block import Block


@dataclass(frozen=True)
class HaarDiffusion(Filter):
    """Smooth at all scales at once and keep what stands out from the noise at each of them.

    ``c · (a + b·exp(−(|c| / 3s)⁸))`` replaces each difference c whose noise has the standard
    deviation s. At level j the image is split into half sums and half differences of pixels 2ʲ
    apart; s follows from σ = noise_sigma and halves from level to level in 2D. The mean of all
    reconstructions is the result. One step of nonlinear diffusion at distance 2ʲ is such a factor;
    here the factors are those of least expected error.

    Parameters
    ----------
    noise_sigma : float, tuple of float, "auto", "step" or ArrayParameter
        Standard deviation of the noise in intensity units, 0 or more; one per channel if many.
        Larger values smooth more; 0 changes nothing. "auto" measures it for each channel;
        "1.5 × auto" takes 1.5 times that. "step" is the noise scale of each step of the loop. An
        array has one for each pixel: of the image's shape, without c or t, or of one plane for all;
        0 keeps a pixel. Then s² is what the variances of the pixels of a difference add up to.
    levels : int
        1 to 8. Noise coarser than 2^levels pixels remains.
    weights : tuple of float or "auto"
        a and b for each group of differences, level by level from the finest: along one axis, then
        along two at once, then three; or one pair for all groups. "auto" takes those that minimize
        Stein's unbiased estimate of the squared error on the source, with factors limited to −0.1
        to 1.1.

    Notes
    -----
    Use it for white noise in images of smooth shapes, where you need one fast filter without
    parameters to tune, or as the pilot of `ReactionDiffusion`. Not for correlated noise, nor where
    the result must stay within the range of the image: factors above 1 sharpen. Axes with a larger
    pixel size join in at coarser levels.

    References
    ----------
    Mrázek and Weickert (2007), From two-dimensional nonlinear diffusion to coupled Haar wavelet
    shrinkage. Coifman and Donoho (1995), Translation-invariant de-noising. Blu and Luisier (2007),
    The SURE-LET approach to image denoising.
    """

    display_name: ClassVar[str] = "Haar wavelet diffusion"
    method_name = "translation-invariant Haar wavelet diffusion"
    terms = in_terms(noise_sigma="noise standard deviation {}", levels="{} scales", weights="")
    estimates = measured(noise_sigma=NOISE)
    cites = (Cite("mrazek2007"), Cite("coifman1995"), Cite("blu2007"))
    building_block: ClassVar[bool] = True
    takes_mask: ClassVar[bool] = False

    noise_sigma: NoiseSigma = "auto"
    levels: Annotated[
        int,
        {
            "min": 1,
            "max": 8,
            "tooltip": "Number of scales; noise coarser than 2^levels pixels remains.",
        },
    ] = 4
    weights: Annotated[
        tuple[float, ...] | Literal["auto"],
        {
            "min": -1e6,
            "max": 1e6,
            "tooltip": "a and b of each group of differences; auto minimizes the expected error.",
        },
    ] = "auto"

    def resolved(self, image: Image) -> Self:
        """Return this filter with the noise of each channel and the weights of least error."""
        from napari_diffusion.filters.denoisers import haar_weights

        self.check(image.grid)
        chosen = with_noise(self, noise_sigmas(self.noise_sigma, image))
        if self.weights != "auto":
            return chosen
        check_noise_for_weights(chosen)
        noise = NoiseField.of(chosen, image.grid)
        found = haar_weights.of_least_error(image, self.distances(image.grid), noise)
        return chosen.replaced(weights=found)

    def check(self, grid: Grid) -> None:
        """Raise if lists of parameters do not fit the image; see `Filter.check`."""
        super().check(grid)
        if not isinstance(self.noise_sigma, str):
            NoiseField.of(self, grid)
        if self.weights != "auto":
            self._weights(grid)

    def distances(self, grid: Grid) -> list[dict[int, int]]:
        """Return how far apart the pixels of a difference are, per level and axis."""
        from napari_diffusion.filters.denoisers.haar_kernels import levels_of

        spacing = {axis: grid.length(axis) for axis in grid.along_axes}
        return levels_of(spacing, grid.shape, self.levels)

    def halo(self, grid: Grid) -> Shape | None:
        """Return the sum of the distances of all levels."""
        from napari_diffusion.filters.denoisers.haar_kernels import reach_of

        reach = reach_of(self.distances(grid))
        return per_axis(reach.get(axis, 0) for axis in range(5))

    def _weights(self, grid: Grid) -> NDArray[np.float64]:
        """Return (channel, level and group, 2) weights."""
        count = sum(len(distances) for distances in self.distances(grid))
        channels = grid.shape[1]
        given = np.array(self.weights, float)
        if given.size not in (2, 2 * count, 2 * count * channels):
            raise ValueError(
                f"HaarDiffusion: weights must be 2, {2 * count} or {2 * count * channels} numbers "
                f"for {self.levels} levels and {channels} channels (got {given.size})."
            )
        return np.broadcast_to(
            given.reshape(-1, *((1, 2) if given.size == 2 else (count, 2))), (channels, count, 2)
        )

    def apply(self, block: Block) -> NDArray[Any]:
        """Return the shrunk block; see `Filter.apply`."""
        reach, weights = self.halo(block.grid), self._weights(block.grid)
        noise = NoiseField.of(self, block.grid)
        variances = noise.variances(block.grid.origin, block.shape)
        out = np.empty_like(block.values)
        # In volumes the differences of all levels take many times the room of a tile.
        smaller = 64 if len(block.grid.along_axes) > 2 else 1
        assert reach is not None
        for c, sigma in enumerate(noise.sigmas):
            part = slice(c, c + 1)
            if sigma == 0:
                out[:, part] = block.values[:, part]
                continue

            def work(
                tile: NDArray[Any],
                *variance: NDArray[np.float64],
                s: float = sigma,
                w: NDArray[Any] = weights[c],
            ) -> NDArray[Any]:
                return self._shrunk(tile, block.grid, s, w, *variance)

            beside = () if variances is None else (variances[:, part],)
            out[:, part] = block.threads.tiled(work, block.values[:, part], reach, smaller, beside)
        return kept_without_noise(block, noise, out)

    def _shrunk(
        self,
        tile: NDArray[Any],
        grid: Grid,
        sigma: float,
        weights: NDArray[Any],
        variance: NDArray[np.float64] | None = None,
    ) -> NDArray[Any]:
        """Return a tile after the transform; `variance` is that of each pixel over sigma²."""
        from napari_diffusion.filters.denoisers.haar_shrinkage import shrunk

        return shrunk(tile, self.distances(grid), sigma, weights, variance)
