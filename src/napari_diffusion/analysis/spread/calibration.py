"""By how much deviations from the mean are multiplied, so that they are as large as the error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The most that deviations are multiplied by at a pixel.
_MOST = 3.0


@dataclass(frozen=True)
class Calibration:
    """The squared error as ``scale · variance + floor``, of the variance over seeds in a window.

    Attributes
    ----------
    scale : float
        0 or more.
    floor : float
        The part that is the same everywhere, in intensity squared, 0 or more: what is missing in
        calm places, where all seeds agree.
    """

    scale: float
    floor: float

    def gain(self, around: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what deviations are multiplied by where the variance around is so large."""
        more = np.divide(self.floor, around, out=np.zeros(around.shape), where=around > 0)
        return np.asarray(np.minimum(np.sqrt(self.scale + more), _MOST))


def calibration(
    around: NDArray[np.float64], error: NDArray[np.float64], inside: NDArray[np.bool_]
) -> Calibration:
    """Fit the means of both halves of the pixels, those with less and with more variance around.

    Parameters
    ----------
    around : ndarray
        The variance over the seeds, averaged over windows.
    error : ndarray
        Estimates of the squared error, right on average alone.
    inside : ndarray of bool
        Which pixels count.
    """
    lively = around > np.median(around[inside])
    halves = [half & inside for half in (~lively, lively)]
    whole = float(around[inside].mean()), float(error[inside].mean())
    if not all(half.any() for half in halves):
        return Calibration(whole[1] / whole[0] if whole[0] > 0 else 1.0, 0.0)
    (low, high), (less, more) = ([float(x[h].mean()) for h in halves] for x in (around, error))
    scale = (more - less) / (high - low)
    floor = less - scale * low
    if floor < 0:
        return Calibration(whole[1] / whole[0], 0.0)
    return Calibration(scale, floor) if scale > 0 else Calibration(0.0, max(whole[1], 0.0))
