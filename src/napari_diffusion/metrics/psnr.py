"""The error beside the truth, in decibels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from napari_diffusion.metrics._base import Metric, View


@dataclass(frozen=True)
class Psnr(Metric):
    """Peak signal-to-noise ratio against a reference, in decibels.

    ``10 · log₁₀(range² / mean (u − reference)²)``, range being that of the reference.

    Notes
    -----
    Use it where the truth is known: simulations, and pictures with noise added. Not against another
    noisy picture of the same scene, whose noise it counts as error.
    """

    unit: ClassVar[str] = "dB"
    better: ClassVar[Literal["lower", "higher", ""]] = "higher"
    needs_reference: ClassVar[bool] = True

    def value(self, view: View) -> float:
        """Return the ratio; infinite where nothing differs."""
        assert view.reference is not None
        truth = view.inside(view.reference)
        error = float(np.mean(np.square(view.inside(view.image) - truth)))
        peak = float(np.ptp(truth))
        with np.errstate(divide="ignore"):
            return float(10 * np.log10(np.float64(peak) ** 2 / error)) if error else float("inf")
