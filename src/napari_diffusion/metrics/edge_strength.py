"""How much of the edges a step kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from napari_diffusion.metrics._base import Metric, View, neighbours

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class EdgeStrength(Metric):
    """Share of the steepest gradients that is left.

    ``mean |∇(G₁ ∗ u)| / mean |∇(G₁ ∗ y)|`` over the 5 % of samples where the source y is steepest,
    both smoothed by one sample: 1 where edges are as steep as before.

    Notes
    -----
    Use it to see how much a filter blurs edges. The noise itself makes the source steeper, so that
    even a perfect filter ends somewhat below 1.
    """

    better: ClassVar[Literal["lower", "higher", ""]] = ""

    def value(self, view: View) -> float:
        """Return the share."""
        steep = _steepness(view.source, view)
        chosen = steep >= np.quantile(view.inside(steep), 0.95)
        if view.mask is not None:
            chosen &= view.mask
        before = float(steep[chosen].mean())
        return float(_steepness(view.image, view)[chosen].mean()) / before if before > 0 else 1.0


def _steepness(values: NDArray[Any], view: View) -> NDArray[Any]:
    """Return |∇(G₁ ∗ u)|, of samples inside the mask alone."""
    smooth = _smoothed(values, view)
    squared = np.zeros_like(smooth)
    for axis, a, b in neighbours(smooth, view.grid):
        difference = np.square((b - a) / smooth.dtype.type(view.grid.length(axis)))
        if view.mask is not None:
            (both,) = [x & y for i, x, y in neighbours(view.mask, view.grid) if i == axis]
            difference *= both
        place = [slice(None)] * 5
        place[axis] = slice(0, -1)
        squared[tuple(place)] += difference
    return np.sqrt(squared, out=squared)


def _smoothed(values: NDArray[Any], view: View) -> NDArray[Any]:
    from scipy import ndimage

    sigmas = [float(axis in view.grid.along_axes) for axis in range(5)]
    if view.mask is None:
        return ndimage.gaussian_filter(values, sigmas)
    weight = ndimage.gaussian_filter(view.mask.astype(values.dtype), sigmas)
    total = ndimage.gaussian_filter(np.where(view.mask, values, 0), sigmas)
    return np.divide(total, weight, out=np.zeros_like(total), where=view.mask)
