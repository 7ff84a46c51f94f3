"""Structural similarity to the ground truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from napari_diffusion.metrics.base import Metric, View

# Side of a window, in pixels.
_WINDOW = 7


@dataclass(frozen=True)
class Ssim(Metric):
    """Structural similarity to a reference, the mean over windows of all planes.

    ``(2 m n + c) (2 C + d) / ((m² + n² + c) (V + W + d))`` with the means m and n, the variances V
    and W and the covariance C of the two images over 7 × 7 neighbours; c and d are the squares of
    0.01 and 0.03 of the range of the reference. 1 means equality. Windows that extend beyond a mask
    do not count.

    Notes
    -----
    Use it beside `Psnr` where the ground truth is known: it penalizes lost structure more than a
    shift of intensity.

    References
    ----------
    Wang, Bovik, Sheikh and Simoncelli (2004), Image quality assessment: from error visibility to
    structural similarity.
    """

    display_name: ClassVar[str] = "SSIM"
    better: ClassVar[Literal["lower", "higher", ""]] = "higher"
    needs_reference: ClassVar[bool] = True

    def value(self, view: View) -> float:
        """Return the mean similarity; NaN where no window lies inside."""
        from napari_diffusion.metrics.statistics.sums import likeness

        assert view.reference is not None
        truth, dtype = view.reference, view.image.dtype
        size = view.once("range of all", lambda: float(truth.max()) - float(truth.min())) or 1.0
        low, spread = (0.01 * size) ** 2, (0.03 * size) ** 2
        inside, total, windows = np.zeros((0, 0), bool), 0.0, 0
        for place in np.ndindex(*view.image.shape[:3]):
            if view.mask is not None:
                inside = np.ascontiguousarray(view.mask[place])
            planes = [np.ascontiguousarray(each[place], dtype) for each in (view.image, truth)]
            columns = np.zeros((6, view.image.shape[4]))
            found, count = likeness(*planes, inside, _WINDOW, low, spread, columns)
            total, windows = total + found, windows + count
        return total / windows if windows else float("nan")
