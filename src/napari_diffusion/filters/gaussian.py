"""The Gaussian filter of scipy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from napari_diffusion.core.citation import MASKED, Cite
from napari_diffusion.core.grid import per_axis
from napari_diffusion.core.method_words import in_terms
from napari_diffusion.filters.base import Filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.engine.block import Block

TRUNCATE = 4.0

# Standard deviation in pixels of the widest kernel; the time grows with it.
WIDEST = 10_000


@dataclass(frozen=True)
class Gaussian(Filter):
    """Blur with a sampled Gaussian kernel, from SciPy.

    ``out = G_σ ∗ u`` with mirrored borders, truncated at 4 σ. Inside a mask the result is
    normalized: ``(G_σ ∗ (m·u)) / (G_σ ∗ m)``.

    Parameters
    ----------
    sigma : float
        Standard deviation in world units, 0 or more. Details smaller than this vanish.

    Notes
    -----
    Use it to reproduce the Gaussian filter of other programs. For blurring in general `Heat` is the
    better choice: it leaves a constant image unchanged to the bit and stays accurate for a σ below
    one pixel. Not where edges matter.

    References
    ----------
    Knutsson and Westin (1993), Normalized and differential convolution, for the mask.
    """

    method_name = "a Gaussian filter"
    terms = in_terms(sigma="σ = {}")
    cites = (Cite("knutsson1993", MASKED),)

    # Its weights sum to 1 only to round-off, and a mask's border is not conservative.
    keeps_constant: ClassVar[bool] = False
    linear: ClassVar[bool] = True

    sigma: Annotated[
        float,
        {
            "min": 0.0,
            "unit": "world",
            "tooltip": "Width of the blur; details smaller than this vanish.",
        },
    ] = 1.0

    def _sigmas(self, grid: Grid) -> tuple[float, ...]:
        return tuple(self.sigma / length for length in grid.lengths)

    def halo(self, grid: Grid) -> Shape | None:
        """Return where scipy cuts the kernel off."""
        widest = max(self._sigmas(grid))
        if widest > WIDEST:
            raise ValueError(
                f"Gaussian: sigma={self.sigma:g} is {widest:g} pixels, more than {WIDEST}: use "
                "Heat, which is as fast at any width."
            )
        return per_axis(int(TRUNCATE * sigma + 0.5) for sigma in self._sigmas(grid))

    def apply(self, block: Block) -> NDArray[Any]:
        """Return the blurred block; see `Filter.apply`."""
        from scipy import ndimage

        sigmas, reach = self._sigmas(block.grid), self.halo(block.grid)

        def blurred(array: NDArray[Any]) -> NDArray[Any]:
            return np.asarray(ndimage.gaussian_filter(array, sigmas, truncate=TRUNCATE))

        assert reach is not None
        if block.mask is None:
            return block.threads.tiled(blurred, block.values, reach)
        inside = block.mask.astype(block.dtype)
        weight = block.threads.tiled(blurred, inside, reach)
        total = block.threads.tiled(blurred, block.values * inside, reach)
        return np.divide(total, weight, out=block.values.copy(), where=block.mask)
