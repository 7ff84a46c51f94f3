"""Intensity range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from napari_diffusion.metrics.base import Metric, View


@dataclass(frozen=True)
class Range(Metric):
    """Maximum minus minimum intensity.

    ``max u − min u``

    Notes
    -----
    Use it to check that the result stays within the range of the source, and how fast extremes
    disappear.
    """

    display_name: ClassVar[str] = "Intensity range"
    unit: ClassVar[str] = "intensity"
    better: ClassVar[Literal["lower", "higher", ""]] = ""

    def value(self, view: View) -> float:
        """Return the range."""
        values = view.inside(view.image)
        return float(values.max() - values.min())
