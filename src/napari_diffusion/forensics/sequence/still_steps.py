"""How much each frame differs from the next, and which steps stand out as still."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.forensics.sequence.frame_distance import (
    around,
    pixels_inside,
    running_median,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image

# A shaken camera is slow for a step or two by itself; so many steps begin and end abruptly where
# frames are frozen, between steps with so much of the usual change.
_ABRUPT, _SHARE = 4, 0.5


@dataclass(frozen=True, eq=False)
class Steps:
    """How each frame differs from the one before.

    Attributes
    ----------
    change : ndarray
        Mean absolute difference of frame i + 1 and frame i, over all pixels.
    usual : ndarray
        Its running median, without steps that change no bit; NaN where all of them are such.
    ratio : ndarray
        About 1 for steps as usual, however slow; near 0 for those that stand still.
    """

    change: NDArray[np.float64]
    usual: NDArray[np.float64]
    ratio: NDArray[np.float64]


def steps_of(image: Image, window: int) -> Steps:
    """Return how each frame differs from the one before; the usual over `window` steps."""
    inside, frames = pixels_inside(image), image.data
    change = np.empty(len(frames) - 1)
    for i in range(len(change)):
        difference = np.abs(np.subtract(frames[i + 1], frames[i], dtype=np.float64))
        change[i] = (difference if inside is None else difference[inside]).mean()
    usual = running_median(np.where(change == 0, np.nan, change), window)
    known = np.where(np.isfinite(usual), usual, 1.0)
    ratio = np.minimum(_gap(change, known, window), _abrupt(change, known, window // 2))
    return Steps(change, usual, np.where(change == 0, 0.0, ratio))


def _gap(
    change: NDArray[np.float64], usual: NDArray[np.float64], window: int
) -> NDArray[np.float64]:
    """Return the widest gap between each change and the usual one, among the changes around.

    It is the lower over the upper side. Slow steps have others nearly as slow around them, down to
    the noise; frozen ones have no noise of their own. Above the usual change: the change over it.
    """
    levels = np.sort(np.minimum(around(change, window), usual[:, None]), -1)
    lower, upper = levels[:, :-1], levels[:, 1:]
    above = (lower >= change[:, None]) & (upper > 0)
    gaps = np.divide(lower, upper, out=np.ones_like(lower), where=above)
    return np.where(change < usual, gaps.min(-1), change / usual)


def _abrupt(
    change: NDArray[np.float64], usual: NDArray[np.float64], most: int
) -> NDArray[np.float64]:
    """Return the largest change of a run over the least of the steps beside it and the usual.

    The least of the runs that hold a step; infinite where none lies between steps as usual.
    """
    # A flash or a cut makes no step beside it still.
    outer = np.pad(np.minimum(change, usual), 1, constant_values=np.inf)
    found = np.full(len(change), np.inf)
    largest, most_usual = change, usual
    for length in range(2, min(most, len(change)) + 1):
        starts = len(change) - length + 1
        largest = np.maximum(largest[:starts], change[length - 1 :])
        most_usual = np.maximum(most_usual[:starts], usual[length - 1 :])
        beside = np.minimum(outer[:starts], outer[length + 1 :])
        if length < _ABRUPT:
            continue
        moving = np.isfinite(beside) & (beside >= _SHARE * most_usual)
        ratio = np.divide(largest, beside, out=np.full(starts, np.inf), where=moving)
        for i in range(length):
            found[i : i + starts] = np.minimum(found[i : i + starts], ratio)
    return found
