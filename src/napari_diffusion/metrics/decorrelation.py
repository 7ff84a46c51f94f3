"""How much what was taken out still looks like the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from napari_diffusion.metrics._base import Metric, View


@dataclass(frozen=True)
class Decorrelation(Metric):
    """Correlation between what was taken out and what is left.

    ``|corr(y − u, u)|`` of the source y and the step's image u: as long as noise alone is taken
    out, what is taken out does not resemble what stays.

    Notes
    -----
    Use it where nothing is known of the noise but that it does not depend on the picture. It is a
    rough guide: it may be lowest several decibels away from the best step. Not for noise that
    depends on the signal.

    References
    ----------
    Mrázek and Navara (2003), Selection of optimal stopping time for nonlinear diffusion filtering.
    """

    better: ClassVar[Literal["lower", "higher", ""]] = "lower"

    def value(self, view: View) -> float:
        """Return the absolute correlation; 1 where nothing was taken out."""
        left = view.inside(view.image)
        out = view.inside(view.source) - left
        left, out = left - left.mean(), out - out.mean()
        size = float(np.sqrt(np.mean(left**2)) * np.sqrt(np.mean(out**2)))
        return abs(float(np.mean(left * out))) / size if size > 0 else 1.0
