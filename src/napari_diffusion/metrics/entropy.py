"""Entropy of the intensities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from napari_diffusion.metrics.base import Metric, View


@dataclass(frozen=True)
class Entropy(Metric):
    """Entropy of the intensity histogram, in bits.

    ``−Σ p log₂ p`` over 256 equal bins from the minimum to the maximum of the source.

    Notes
    -----
    Use it to see how a filter concentrates the intensities: it falls as regions become flat.
    """

    unit: ClassVar[str] = "bit"
    better: ClassVar[Literal["lower", "higher", ""]] = ""

    def value(self, view: View) -> float:
        """Return the entropy; 0 for a constant source."""
        before = view.inside(view.source)
        low, high = float(before.min()), float(before.max())
        if low == high:
            return 0.0
        values = np.clip(view.inside(view.image), low, high)
        counts, _ = np.histogram(values, 256, (low, high))
        p = counts[counts > 0] / values.size
        return float(-np.sum(p * np.log2(p))) + 0.0
