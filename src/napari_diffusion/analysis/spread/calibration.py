"""By how much deviations from the mean are multiplied, so that they are as large as the error."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.analysis.spread.spread_law import SpreadLaw

# The share of the squared error that lies evenly over the image: detail that no seed brings back,
# most of it where all seeds agree. Chosen on photographs of the role "choose". Stein's estimate
# cannot tell it: where the noise happens to be weak the seeds agree more.
FLOOR = 0.1

# The most that deviations are multiplied by at a pixel, times the gain without a floor.
_MOST = 3.0


def gain_of(law: SpreadLaw, around: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what deviations are multiplied by, ``√(E / V · (1 − f + f · V / v))``.

    The error E and the variance V of a law hold for the whole image; of E the share f is spread
    evenly, the rest as the variance is.

    Parameters
    ----------
    law : SpreadLaw
        Of an error above 0.
    around : ndarray
        The variance v over the seeds, averaged over windows.
    """
    scale = math.sqrt(law.error / law.variance)
    even = np.divide(law.variance, around, out=np.full(around.shape, np.inf), where=around > 0)
    return np.asarray(np.minimum(np.sqrt(1 - FLOOR + FLOOR * even), _MOST) * scale)
