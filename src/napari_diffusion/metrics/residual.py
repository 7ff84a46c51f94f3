"""How strong what was taken out is, beside the noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from napari_diffusion.metrics.base import Knowledge, Metric, Moments, View


@dataclass(frozen=True)
class Residual(Metric):
    """Standard deviation of what was taken out, over that of the noise.

    ``std(y − u) / σ`` of the source y, the step's image u and the noise σ: 1 is where as much was
    taken out as there was noise.

    Notes
    -----
    Use it to see that a filter takes out neither much less nor much more than the noise. As a rule
    for stopping it smooths too much: the best step leaves some noise.

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
        """Refuse where there is no noise to compare with."""
        return "" if view.sigma > 0 else "No noise was found."
