"""How much what was taken out still looks like the image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from napari_diffusion.metrics.base import Metric, Moments, View


@dataclass(frozen=True)
class Decorrelation(Metric):
    """Correlation between what was taken out and what is left.

    ``|corr(y − u, u)|`` of the source y and the step's image u: as long as noise alone is taken
    out, what is taken out does not resemble what stays.

    Notes
    -----
    Use it where nothing is known of the noise but that it does not depend on the image. It is a
    rough guide: it may be lowest several decibels away from the best step. Not for noise that
    depends on the signal.

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
