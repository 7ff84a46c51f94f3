"""Resolution between two halves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from napari_diffusion.metrics.base import Metric, View
from napari_diffusion.metrics.frc import Threshold
from napari_diffusion.metrics.statistics.shell_correlation import (
    coefficients,
    correlation,
    doubt_about,
    resolution,
)
from napari_diffusion.metrics.statistics.spectrum import spectrum


@dataclass(frozen=True)
class HalfFrc(Metric):
    """Resolution between two halves, from the Fourier ring (2D) or shell (3D) correlation.

    ``1 / f`` at the first frequency f where ``Re Σ a b* / √(Σ |a|² Σ |b|²) < threshold``, as in
    `Frc`, but with a and b the Fourier coefficients of the same step of two independent
    acquisitions: odd and even frames, or a second image.

    Parameters
    ----------
    threshold : float
        Correlation threshold, 0 to 0.99; usually 1/7. Larger values give a coarser resolution.

    Notes
    -----
    Use it to see which detail can be trusted: that on which two acquisitions agree. It does not
    detect a step that invents the same detail in both, such as smoothing along directions found in
    noise. Not where the halves share noise, as those of an interpolated, compressed or averaged
    image do, or a fixed pattern of the camera: the resolution is then too optimistic. A filter that
    acts equally everywhere does not change it.

    References
    ----------
    Nieuwenhuizen and others (2013), Measuring image resolution in optical nanoscopy. Rosenthal and
    Henderson (2003), Optimal determination of particle orientation, absolute hand, and contrast
    loss in single-particle electron cryomicroscopy.
    """

    display_name: ClassVar[str] = "Half-set FRC"
    unit: ClassVar[str] = "world"
    better: ClassVar[Literal["lower", "higher", ""]] = "lower"
    needs_halves: ClassVar[bool] = True

    threshold: Threshold = 1 / 7

    def value(self, view: View) -> float:
        """Return the resolution in world units."""
        assert view.halves is not None
        one, other = view.halves
        found = correlation(spectrum(one.image, one), coefficients(other.image, one), one)
        return resolution(found, self.threshold, one)

    def doubt(self, view: View) -> str:
        """Return why the correlation is not reliable, or nothing."""
        assert view.halves is not None
        one, other = view.halves
        if np.array_equal(one.source, other.source):
            return "Both halves are the same image."
        return doubt_about(one)
