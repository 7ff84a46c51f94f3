"""How far a step is off on average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from napari_diffusion.metrics.base import Metric, View


@dataclass(frozen=True)
class MeanError(Metric):
    """Mean difference from a reference.

    ``mean (u − reference)``

    Notes
    -----
    Use it to see a bias: 0 for a filter that keeps the mean of an image whose noise has none.
    """

    unit: ClassVar[str] = "intensity"
    better: ClassVar[Literal["lower", "higher", ""]] = ""
    needs_reference: ClassVar[bool] = True

    def value(self, view: View) -> float:
        """Return the mean difference."""
        assert view.reference is not None
        return view.mean(view.image) - view.mean(view.reference)
