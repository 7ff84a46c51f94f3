"""Error against the ground truth, in decibels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from napari_diffusion.metrics.base import Metric, Moments, View


@dataclass(frozen=True)
class Psnr(Metric):
    """Peak signal-to-noise ratio against a reference, in decibels.

    ``10 · log₁₀(range² / mean (u − reference)²)``, with the range of the reference, or 1 if that is
    constant.

    Notes
    -----
    Use it where the ground truth is known: simulations, and images with added noise. Not against
    another noisy image of the same scene, whose noise counts as error.
    """

    display_name: ClassVar[str] = "PSNR"
    unit: ClassVar[str] = "dB"
    better: ClassVar[Literal["lower", "higher", ""]] = "higher"
    needs_reference: ClassVar[bool] = True

    def value(self, view: View) -> float:
        """Return the ratio; infinite where nothing differs."""
        assert view.reference is not None
        peak = view.once("range of the reference", lambda: self._peak(view))
        error = Moments.of(view, view.image, view.reference).mean_square
        if not error:
            return math.inf
        return 10 * math.log10(peak**2 / error)

    def _peak(self, view: View) -> float:
        assert view.reference is not None
        return float(np.ptp(view.inside(view.reference))) or 1.0
