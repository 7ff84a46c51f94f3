"""Correlation of the residual with the result."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from napari_diffusion.metrics.base import Metric, Moments, View


@dataclass(frozen=True)
class Decorrelation(Metric):
    """Correlation between the removed residual and the result.

    ``|corr(y − u, u)|`` of the source y and the image u of the step: as long as only noise is
    removed, the residual does not resemble the result.

    Notes
    -----
    Use it where nothing is known about the noise except that it does not depend on the image. It is
    a rough guide: its minimum may be several decibels away from the best step. Not for
    signal-dependent noise.

    References
    ----------
    Mrázek and Navara (2003), Selection of optimal stopping time for nonlinear diffusion filtering.
    """

    better: ClassVar[Literal["lower", "higher", ""]] = "lower"

    def value(self, view: View) -> float:
        """Return the absolute correlation; 1 where nothing was taken out."""
        # With d = y − u and e = u up to a constant.
        sums = Moments.of(view, view.source, view.image)
        n = sums.count
        both = sums.de - sums.d * sums.e / n
        size = sums.std * math.sqrt(max(sums.ee - sums.e**2 / n, 0.0) / n)
        return min(abs(both / n) / size, 1.0) if size > 0 else 1.0
