"""Mean intensity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from napari_diffusion.metrics.base import Metric, View


@dataclass(frozen=True)
class Mean(Metric):
    """Mean intensity.

    ``mean u``

    Notes
    -----
    Use it to check that a filter preserves the total intensity: diffusion does, medians and
    curvature flows do not.
    """

    display_name: ClassVar[str] = "Mean intensity"
    unit: ClassVar[str] = "intensity"
    better: ClassVar[Literal["lower", "higher", ""]] = ""

    def value(self, view: View) -> float:
        """Return the mean."""
        return view.mean(view.image)
