"""Whiteness of the residual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from napari_diffusion.metrics.base import Metric, View, neighbours


@dataclass(frozen=True)
class Whiteness(Metric):
    """Correlation between neighbouring pixels of the removed residual.

    ``max over axes of |corr(r(x), r(x + 1))|``, with r = y − u of the source y and the image u of
    the step: near 0 for white noise, larger where structures were removed as well.

    Notes
    -----
    Use it to see whether a filter starts to remove structure. Not as proof: a filter that removes
    fine texture leaves a white residual too, and one that removes little leaves an anticorrelated
    one.
    """

    display_name: ClassVar[str] = "Residual whiteness"
    better: ClassVar[Literal["lower", "higher", ""]] = ""

    def value(self, view: View) -> float:
        """Return the largest correlation; 0 where nothing was taken out."""
        r = view.source.astype(np.float64) - view.image
        r = r - view.mean(r)
        if view.mask is not None:
            r = np.where(view.mask, r, 0.0)
        power = float(np.mean(r * r))
        found = [float(np.mean(a * b)) / power for _, a, b in neighbours(r, view.grid) if power]
        return max((abs(each) for each in found), default=0.0)
