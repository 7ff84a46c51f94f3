"""The finest detail that two halves have in common."""

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
    """Resolution between halves, from the Fourier ring (2D) or shell (3D) correlation.

    ``1 / f`` of the first frequency f at which
    ``Re Σ a b* / √(Σ |a|² Σ |b|²) < threshold``, as `Frc`, but a and b are the Fourier coefficients
    of the same step of two independent images of the same thing: odd and even frames, or a second
    image.

    Parameters
    ----------
    threshold : float
        Where detail ends, from 0 to 0.99; usually 1/7. A larger one gives a coarser resolution.

    Notes
    -----
    Use it to see which detail can be trusted: what two recordings agree on. A step that makes up
    the same detail in both, such as one along directions that it finds in noise, is not caught.
    Not where the two share noise, as halves of an image that was interpolated, compressed or
    averaged do, or a fixed pattern of the camera: it then says a resolution that is too fine. A
    filter that treats all places alike does not change it.

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
        """Refuse a mask, halves that are one image, and images without a spectrum."""
        assert view.halves is not None
        one, other = view.halves
        if np.array_equal(one.source, other.source):
            return "Both halves are the same image."
        return doubt_about(one)
