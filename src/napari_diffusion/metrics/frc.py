"""The finest detail that a step has in common with the ground truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from napari_diffusion.metrics.base import Metric, View
from napari_diffusion.metrics.statistics.shell_correlation import (
    coefficients,
    correlation,
    doubt_about,
    resolution,
)
from napari_diffusion.metrics.statistics.spectrum import spectrum

Threshold = Annotated[
    float,
    {"above": 0.0, "max": 0.99, "tooltip": "Correlation threshold."},
]


@dataclass(frozen=True)
class Frc(Metric):
    """Resolution against a reference, from the Fourier ring (2D) or shell (3D) correlation.

    ``1 / f`` of the first frequency f at which
    ``Re Σ a b* / √(Σ |a|² Σ |b|²) < threshold``, a and b being the Fourier coefficients of the step
    and the reference at frequencies of like length, in cycles per world unit. Each image goes
    under a Hann window, without its mean; sums run over three rings and over all frames and
    channels.

    Parameters
    ----------
    threshold : float
        Where detail ends, from 0 to 0.99. 1/2 beside a truth without noise is what 1/7 between
        two halves says of their mean; take 1/7 for a reference that has as much noise as the
        source. A larger one gives a coarser resolution.

    Notes
    -----
    Use it to see how much detail a filter keeps that is truly there: the smaller, the finer.
    Spacings may differ between axes. A filter that treats all places alike, such as `Heat`, does
    not change it, for it weakens detail and noise of one frequency alike. Not with a mask, whose
    border both images share.

    References
    ----------
    Saxton and Baumeister (1982), The correlation averaging of a regularly arranged bacterial cell
    envelope protein. Rosenthal and Henderson (2003), Optimal determination of particle orientation,
    absolute hand, and contrast loss in single-particle electron cryomicroscopy.
    """

    display_name: ClassVar[str] = "FRC"
    unit: ClassVar[str] = "world"
    better: ClassVar[Literal["lower", "higher", ""]] = "lower"
    needs_reference: ClassVar[bool] = True

    threshold: Threshold = 1 / 2

    def value(self, view: View) -> float:
        """Return the resolution in world units."""
        assert view.reference is not None
        reference = view.reference.astype(view.image.dtype, copy=False)
        truth = view.once("spectrum of the reference", lambda: coefficients(reference, view))
        found = correlation(spectrum(view.image, view), truth, view)
        return resolution(found, self.threshold, view)

    def doubt(self, view: View) -> str:
        """Refuse a mask, and images without a spectrum."""
        return doubt_about(view)
