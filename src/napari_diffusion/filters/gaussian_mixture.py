"""The best guess for small images of a kind that is known from examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np

from napari_diffusion.core.citation import Cite
from napari_diffusion.filters.denoisers.guided_filter import plane_axes
from napari_diffusion.filters.learned.learned_filter import LearnedFilter
from napari_diffusion.filters.mixture.weights import MIXTURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.engine.block import Block
    from napari_diffusion.filters.mixture.mixture import Mixture


@dataclass(frozen=True)
class GaussianMixture(LearnedFilter):
    """Expect the noise-free image of a noisy one, of a kind that was learned from small images.

    ``out = E[x | x + σ n = u] = Σₖ pₖ(u) (mₖ + Cₖ (Cₖ + σ²)⁻¹ (u − mₖ))``, with mₖ and Cₖ the mean
    and the covariance of each Gaussian of the mixture, and pₖ(u) how likely u is of it. This is
    exact: no other guess has less mean squared error, if images are what the mixture says.

    Parameters
    ----------
    noise_sigma : float, tuple of float, "auto" or "step"
        Standard deviation of the noise in intensity units, 0 or more; one per channel if many.
        Larger values bring the result closer to the images that were learned from; 0 changes
        nothing. "auto" measures it for each channel; "step" is the noise of a step of the loop.
    weights : str
        What was learned: "digits", which ships with the package and is for planes of 8 × 8 pixels
        with intensities from 0 to 1, or a .npz file that `nd.learning.train_mixture` has made. A
        recipe names such a file by its SHA-256.

    Notes
    -----
    Use it for small aligned images of one kind, such as particles or cells that were cut out, and
    with the reverse updates of a recipe to restore such an image or to make a new one. It filters
    each plane of the last two axes by itself. Not for images of any other kind, size or range of
    intensities: it makes them look like those that it has learned from.

    Raises
    ------
    ValueError
        For images of another size than those that were learned from.

    References
    ----------
    Zoran and Weiss (2011), From learning models of natural image patches to whole image
    restoration.
    """

    display_name: ClassVar[str] = "Gaussian mixture"
    method_name = "minimum-mean-squared-error denoising under a mixture of Gaussians"
    shelf = MIXTURES
    cites = (Cite("zoran2011"),)
    keeps_constant: ClassVar[bool] = False
    shifts_with_grey: ClassVar[bool] = False
    scales_with_intensity: ClassVar[bool] = False

    noise_sigma: Annotated[
        float | Literal["auto", "step"] | tuple[float, ...],
        {
            "min": 0.0,
            "unit": "intensity",
            "factor": True,
            "tooltip": "Standard deviation of the white noise; larger values rely more on what was "
            "learned; step: that of each step.",
        },
    ] = "step"
    weights: Annotated[
        str, {"tooltip": 'What was learned: "digits", or a .npz file of weights.'}
    ] = "digits"

    def check(self, grid: Grid) -> None:
        """Raise if planes have another size than those learned from; see `Filter.check`."""
        super().check(grid)
        (height, width), axes = self._mixture.shape, plane_axes(grid)
        own = tuple(grid.shape[axis] for axis in axes)
        if own != (height, width):
            raise ValueError(
                f"GaussianMixture: these weights are for planes of {height} × {width} pixels (got "
                f"{own[0]} × {own[1]}): cut or bin the image to that size, or learn weights from "
                "images of its size by nd.learning.train_mixture."
            )
        if not isinstance(self.noise_sigma, str):
            self.number_per_channel("noise_sigma", grid)

    def halo(self, grid: Grid) -> Shape | None:
        """Return None: each pixel depends on all of its plane."""
        del grid
        return None

    def apply(self, block: Block) -> NDArray[Any]:
        """Return what is expected of each plane; see `Filter.apply`."""
        mixture, axes = self._mixture, plane_axes(block.grid)
        first = block.grid.origin[1]
        sigmas = self.number_per_channel("noise_sigma", block.grid)[first : first + block.shape[1]]
        spread = np.broadcast_to(np.reshape(sigmas, (1, -1, 1, 1, 1)), block.shape)
        out = block.values.copy()
        planes = [np.moveaxis(each, axes, (-2, -1)) for each in (block.values, out, spread)]

        def work(index: tuple[int, ...]) -> None:
            noisy, to, sigma = (each[index] for each in planes)
            if sigma.flat[0]:
                to[:] = mixture.expected(noisy, float(sigma.flat[0]))

        block.threads.each(work, [(index,) for index in np.ndindex(*planes[0].shape[:-2])])
        return out

    @property
    def _mixture(self) -> Mixture:
        return MIXTURES.named(self.weights)[0]
