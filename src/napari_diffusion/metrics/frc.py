"""Resolution against the ground truth."""

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

    ``1 / f`` at the first frequency f where ``Re Σ a b* / √(Σ |a|² Σ |b|²) < threshold``, with a
    and b the Fourier coefficients of the step and of the reference at frequencies of the same
    magnitude, in cycles per world unit. Each image is multiplied by a Hann window after its mean is
    subtracted; sums run over three rings and over all frames and channels.

    Parameters
    ----------
    threshold : float
        Correlation threshold, 0 to 0.99. 1/2 against a noise-free ground truth corresponds to 1/7
        between two halves; use 1/7 for a reference as noisy as the source. Larger values give a
        coarser resolution.

    Notes
    -----
    Use it to see how much real detail a filter keeps: smaller is finer. The pixel size may differ
    between axes. A filter that acts equally everywhere, such as `Heat`, does not change it, since
    it attenuates detail and noise of a frequency equally. Not with a mask, whose border both images
    share.

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
        """Return why the correlation is not reliable, or nothing."""
        return doubt_about(view)
