"""How much of the edges a step kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from napari_diffusion.metrics._base import Metric, View, neighbours


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
        from scipy import ndimage

        sigmas = [float(axis in view.grid.along_axes) for axis in range(5)]
        smooth = ndimage.gaussian_filter(view.source.astype(np.float64), sigmas)
        steep = _steepness(smooth, view)
        chosen = steep >= np.quantile(view.inside(steep), 0.95)
        if view.mask is not None:
            chosen &= view.mask
        kept = ndimage.gaussian_filter(view.image.astype(np.float64), sigmas)
        before = float(steep[chosen].mean())
        return float(_steepness(kept, view)[chosen].mean()) / before if before > 0 else 1.0


def _steepness(values: np.ndarray, view: View) -> np.ndarray:
    squared = np.zeros(values.shape)
    for axis, a, b in neighbours(values, view.grid):
        difference = np.square((b - a) / view.grid.length(axis))
        place = [slice(None)] * 5
        place[axis] = slice(0, -1)
        squared[tuple(place)] += difference
    return np.sqrt(squared)
