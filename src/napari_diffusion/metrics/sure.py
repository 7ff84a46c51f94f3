"""The expected squared error, without the ground truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from napari_diffusion.metrics.base import Knowledge, Metric, Probe, View
from napari_diffusion.metrics.statistics.risk_estimate import expected_error


@dataclass(frozen=True)
class Sure(Metric):
    """Expected squared error relative to the source, from Stein's unbiased estimate.

    ``mean (y − u)² − 2σ² + 2σ² · mean b·(u(y + εb) − u(y)) / ε`` with the source y, the image u of
    the step, the noise σ and a random b of ±1: the expected mean of (u − truth)² less that of the
    source, σ². Below 0 the step is nearer to the ground truth than the source.

    Notes
    -----
    Use it to choose a step or a parameter where the noise is white and Gaussian: its lowest step
    is within 0.1 dB of the best as a rule. Only its differences mean something, not its value as
    decibels. Not for correlated noise, for which it keeps too much.

    References
    ----------
    Stein (1981), Estimation of the mean of a multivariate normal distribution. Ramani, Blu and
    Unser (2008), Monte-Carlo SURE.
    """

    display_name: ClassVar[str] = "SURE"
    unit: ClassVar[str] = "intensity²"
    better: ClassVar[Literal["lower", "higher", ""]] = "lower"
    probe: ClassVar[Probe] = "perturbed"
    needs_noise: ClassVar[Knowledge] = "model"

    def value(self, view: View) -> float:
        """Return the expected squared error less that of the source."""
        sigmas = np.broadcast_to(view.noise_sigma, view.image.shape[1:2])
        return expected_error(view, [(float(sigma) ** 2, 0.0, 0.0) for sigma in sigmas])

    def doubt(self, view: View) -> str:
        """Refuse to vote where the noise is not white, or there is none."""
        if not view.white:
            return "The noise is not white, or not alike everywhere."
        return "" if view.sigma > 0 else "No noise was found."
