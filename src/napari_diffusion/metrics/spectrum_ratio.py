"""Remaining high-frequency power."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np

from napari_diffusion.metrics.base import Metric, View
from napari_diffusion.metrics.statistics.shell_correlation import doubt_about
from napari_diffusion.metrics.statistics.spectrum import (
    both_sides,
    frequencies,
    long_axes,
    spectrum,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class SpectrumRatio(Metric):
    """Fraction of the high-frequency power of the source that remains.

    ``Σ |a|² / Σ |b|²`` over the frequencies above *beyond*, with a and b the Fourier coefficients
    of the step and of the source, multiplied by a Hann window after the mean is subtracted.

    Parameters
    ----------
    beyond : float
        Lower limit of the high frequencies, 0 to 1, as a fraction of the Nyquist frequency of each
        axis, half a cycle per pixel. Smaller values include coarser detail.

    Notes
    -----
    Use it to see how fast a filter removes fine structure, noise and detail together: 1 means all
    remains, 0 nothing. It cannot distinguish noise from detail. The border of a mask counts as
    detail.
    """

    better: ClassVar[Literal["lower", "higher", ""]] = ""

    beyond: Annotated[
        float,
        {
            "min": 0.0,
            "max": 1.0,
            "tooltip": "Lower limit of the high frequencies; 1 is the highest frequency.",
        },
    ] = 0.5

    def value(self, view: View) -> float:
        """Return the share; 1 where the source has nothing there."""
        if not long_axes(view):
            return 1.0
        high, before = view.once((self, "high"), lambda: self._of_source(view))
        return self._power(view.image, view, high) / before if before > 0 else 1.0

    def _of_source(self, view: View) -> tuple[NDArray[np.bool_], float]:
        """Return which frequencies are high, and what the source has of them."""
        samples = dict.fromkeys(long_axes(view), 1.0)
        high = frequencies(view, samples) > 0.5 * self.beyond
        return high, self._power(view.source, view, high)

    def _power(self, values: NDArray[Any], view: View, high: NDArray[np.bool_]) -> float:
        found = spectrum(values, view)
        power = both_sides(view, found.real**2 + found.imag**2)
        return float((power * high).sum(dtype=np.float64))

    def doubt(self, view: View) -> str:
        """Return why the spectrum is not reliable, or nothing."""
        return doubt_about(view).replace(" that both images share", "")
