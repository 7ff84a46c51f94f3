"""Expected squared error, without the ground truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from napari_diffusion.metrics.base import Knowledge, Metric, Probe, View
from napari_diffusion.metrics.statistics.risk_estimate import expected_error, expected_error_of_map


@dataclass(frozen=True)
class Sure(Metric):
    """Expected squared error relative to the source, from Stein's unbiased risk estimate.

    ``mean (y − u)² − 2σ² + 2σ² · mean b·(u(y + εb) − u(y)) / ε`` with the source y, the image u of
    the step, the noise σ and a random b of ±1: the expected mean of (u − ground truth)² minus that
    of the source, σ². Below 0 the step is closer to the ground truth than the source. With a map of
    the noise, σ and ε in proportion to it are those of each pixel: ``mean ((y − u)² − 2σ² + 2σ² ·
    b·(u(y + εb) − u(y)) / ε)``.

    Notes
    -----
    Use it to choose a step or a parameter for white Gaussian noise, of a known map if it is not
    equally strong everywhere: the step with its minimum is
    usually within 0.1 dB of the best. Only differences between its values are meaningful, not the
    value in decibels. Not for correlated noise, which it mostly keeps.

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
        """Return the expected squared error minus that of the source."""
        if view.noise_map is not None:
            return expected_error_of_map(view)
        sigmas = np.broadcast_to(view.noise_sigma, view.image.shape[1:2])
        return expected_error(view, [(float(sigma) ** 2, 0.0, 0.0) for sigma in sigmas])

    def doubt(self, view: View) -> str:
        """Return that the noise is not white, or that there is none."""
        if not view.white:
            return "The noise is not white, or not equally strong everywhere."
        return "" if view.sigma > 0 else "No noise was found."
