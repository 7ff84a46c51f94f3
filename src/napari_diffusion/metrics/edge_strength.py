"""Strength of the edges that remain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from napari_diffusion.metrics.base import Metric, View

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Where the Gaussian ends, in standard deviations.
_REACH = 3.0


@dataclass(frozen=True)
class EdgeStrength(Metric):
    """Fraction of the steepest gradients that remains.

    ``mean |∇(G₁ ∗ u)| / mean |∇(G₁ ∗ y)|`` over the 5 % of pixels where the source y is steepest,
    both smoothed by one pixel: 1 where edges are as steep as before.

    Notes
    -----
    Use it to see how much a filter blurs edges. The noise itself makes the source steeper, so even
    a perfect filter ends slightly below 1.
    """

    better: ClassVar[Literal["lower", "higher", ""]] = ""

    def value(self, view: View) -> float:
        """Return the share."""
        places, before = view.once("steepest", lambda: _steepest(view))
        left = float(_steepness(_smoothed(view.image, view), places, view).mean())
        return left / before if before > 0 else 1.0


def _steepest(view: View) -> tuple[NDArray[np.int64], float]:
    """Return where the source is steepest, as flat places, and how steep it is there."""
    everywhere = np.arange(view.source.size)
    inside = everywhere if view.mask is None else np.flatnonzero(view.mask)
    steep = _steepness(_smoothed(view.source, view), inside, view)
    chosen = steep >= np.quantile(steep, 0.95)
    return inside[chosen], float(steep[chosen].mean())


def _steepness(smooth: NDArray[Any], places: NDArray[np.int64], view: View) -> NDArray[Any]:
    """Return |∇(G₁ ∗ u)| at flat places; differences to the next pixel, inside the mask alone."""
    flat, shape = smooth.ravel(), smooth.shape
    squared = np.zeros(places.size)
    for axis in view.grid.along_axes:
        apart = math.prod(shape[axis + 1 :])
        last = places // apart % shape[axis] == shape[axis] - 1
        after = np.where(last, places, places + apart)
        difference = (flat[after] - flat[places]).astype(np.float64) / view.grid.length(axis)
        if view.mask is not None:
            difference *= view.mask.ravel()[after]
        squared += np.square(difference)
    return np.sqrt(squared)


def _smoothed(values: NDArray[Any], view: View) -> NDArray[Any]:
    from scipy import ndimage

    sigmas = [float(axis in view.grid.along_axes) for axis in range(5)]
    if view.mask is None:
        return ndimage.gaussian_filter(values, sigmas, truncate=_REACH)
    weight = ndimage.gaussian_filter(view.mask.astype(values.dtype), sigmas, truncate=_REACH)
    total = ndimage.gaussian_filter(np.where(view.mask, values, 0), sigmas, truncate=_REACH)
    return np.divide(total, weight, out=np.zeros_like(total), where=view.mask)
