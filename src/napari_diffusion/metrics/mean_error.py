"""Bias of a step."""

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
    Use it to detect a bias: it is 0 for a filter that preserves the mean, if the noise has mean 0.
    """

    unit: ClassVar[str] = "intensity"
    better: ClassVar[Literal["lower", "higher", ""]] = ""
    needs_reference: ClassVar[bool] = True

    def value(self, view: View) -> float:
        """Return the mean difference."""
        assert view.reference is not None
        return view.mean(view.image) - view.mean(view.reference)
