"""The median filter of scipy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from napari_diffusion.core.citation import Cite
from napari_diffusion.core.grid import per_axis
from napari_diffusion.core.method_words import in_terms
from napari_diffusion.filters.base import Filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.engine.block import Block

# Pixels in the box around one pixel; all of them are sorted for each one.
MOST = 10_000


@dataclass(frozen=True)
class Median(Filter):
    """Replace each pixel by the median of its neighbourhood: removes isolated outliers.

    ``out(p) = median of u(q), |q − p| ≤ radius``, with mirrored borders; inside a mask, the median
    of the pixels in the mask.

    Parameters
    ----------
    radius : float
        Radius of the neighbourhood in world units, 0 or more. At a pixel size of 1, a radius of 1
        covers the nearest neighbours along the axes and 1.5 the diagonal ones as well. Structures
        thinner than the radius vanish.

    Notes
    -----
    Use it against isolated outliers such as hot or dead pixels, for example as the first of a
    series of filters. Not for lines and points thinner than the radius, which it removes, nor for
    Gaussian noise, which averaging filters reduce better. It rounds corners.

    References
    ----------
    Tukey (1977), Exploratory data analysis, chapter 7.
    """

    method_name = "a median filter"
    terms = in_terms(radius="radius {}")
    cites = (Cite("tukey1977"),)

    maximum_principle: ClassVar[bool] = True

    radius: Annotated[
        float,
        {
            "min": 0.0,
            "unit": "world",
            "tooltip": "Radius of the neighbourhood; thinner lines vanish.",
        },
    ] = 1.5

    def halo(self, grid: Grid) -> Shape | None:
        """Return the radius in pixels."""
        reach = [self.radius / length for length in grid.lengths]
        count = math.prod(2 * r + 1 for r in reach)
        if count > MOST:
            raise ValueError(
                f"Median: radius={self.radius:g} covers {count:.3g} pixels, more than {MOST}: use "
                "a smaller radius."
            )
        return per_axis(int(r + 1e-9) for r in reach)

    def footprint(self, grid: Grid) -> NDArray[np.bool_]:
        """Return the surroundings: canonical, odd along each axis, True within the radius."""
        reach = self.halo(grid)
        assert reach is not None
        offsets = np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij")
        lengths = (0.0 if np.isinf(length) else length for length in grid.lengths)
        squared = sum((o * h) ** 2 for o, h in zip(offsets, lengths, strict=True))
        return np.asarray(squared <= self.radius**2 * (1 + 1e-9))

    def apply(self, block: Block) -> NDArray[Any]:
        """Return the block of medians; see `Filter.apply`."""
        reach, footprint = self.halo(block.grid), self.footprint(block.grid)
        assert reach is not None
        if block.mask is None:
            from scipy import ndimage

            size = footprint.shape if footprint.all() else None
            shape = None if footprint.all() else footprint

            def median(array: NDArray[Any]) -> NDArray[Any]:
                return np.asarray(ndimage.median_filter(array, size=size, footprint=shape))

            return block.threads.tiled(median, block.values, reach, footprint.size)
        holed = np.where(block.mask, block.values, np.nan).astype(block.dtype)
        middle = block.threads.tiled(
            lambda array: _nan_median(array, footprint), holed, reach, footprint.size
        )
        return np.where(block.mask, middle, block.values).astype(block.dtype)


def _nan_median(array: NDArray[Any], footprint: NDArray[np.bool_]) -> NDArray[Any]:
    """Return the median of the pixels that are not NaN; NaN stays where a pixel is NaN."""
    reach = [size // 2 for size in footprint.shape]
    padded = np.pad(array, [(r, r) for r in reach], mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, footprint.shape)
    out = array.copy()
    here = np.isfinite(array)
    # An even number of pixels has two medians; the lower one is a value of the image.
    values = np.sort(windows[here][:, footprint], axis=1)
    count = np.count_nonzero(np.isfinite(values), axis=1)
    out[here] = values[np.arange(len(values)), (count - 1) // 2]
    return out
