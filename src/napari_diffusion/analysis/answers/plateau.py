"""The longest range of steps over which measured numbers stay alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Fewer steps in a row are no plateau.
FEWEST = 3


def plateau(
    means: NDArray[np.float64], deviations: NDArray[np.float64], tolerance: float
) -> tuple[int, int] | None:
    """Return the first and last step of the longest plateau, of several as long the first.

    On a plateau every number stays within a tolerance of the middle of its values there: the
    given share of that middle, or 2 standard deviations over the seeds, whichever is more. It has 3
    steps or more. Numbers that are 0 all along tell nothing, and are no plateau.

    Parameters
    ----------
    means, deviations : ndarray
        Mean and standard deviation over the seeds, (numbers, steps); NaN where there is none.
    tolerance : float
        A share, 0 or more.
    """
    best: tuple[int, int] | None = None
    steps = means.shape[1]
    for first in range(steps):
        length = FEWEST if best is None else best[1] - best[0] + 2
        # Any part of a plateau is nearly one, so that longer ones are tried step by step.
        for last in range(first + length - 1, steps):
            if not _alike(means[:, first : last + 1], deviations[:, first : last + 1], tolerance):
                break
            best = first, last
    return best


def _alike(means: NDArray[np.float64], deviations: NDArray[np.float64], tolerance: float) -> bool:
    if not np.isfinite(means).all() or not means.any(axis=1).all():
        return False
    low, high = means.min(axis=1), means.max(axis=1)
    spread = np.sqrt((deviations**2).mean(axis=1))
    allowed = np.maximum(tolerance * np.abs(low + high) / 2, 2 * spread)
    return bool(((high - low) / 2 <= allowed).all())
