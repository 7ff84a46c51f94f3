"""Strength of the residual relative to the noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from napari_diffusion.metrics.base import Knowledge, Metric, Moments, View


@dataclass(frozen=True)
class Residual(Metric):
    """Standard deviation of the removed residual, relative to that of the noise.

    ``std(y − u) / σ`` of the source y, the image u of the step and the noise σ: 1 where the filter
    removed as much as there was noise.

    Notes
    -----
    Use it to check that a filter removes neither much less nor much more than the noise. As a
    stopping criterion it smooths too much: the best step leaves some noise.

    References
    ----------
    Weickert (1999), Coherence-enhancing diffusion of colour images, on stopping times.
    """

    needs_noise: ClassVar[Knowledge] = "sigma"

    def value(self, view: View) -> float:
        """Return the ratio; NaN where no noise was found."""
        if view.sigma <= 0:
            return float("nan")
        return Moments.of(view, view.source, view.image).std / view.sigma

    def doubt(self, view: View) -> str:
        """Return that there is no noise to compare with."""
        return "" if view.sigma > 0 else "No noise was found."
