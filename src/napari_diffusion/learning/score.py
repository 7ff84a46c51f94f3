"""How well weights do on squares that were not learned from."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Score:
    """How far training has come.

    Attributes
    ----------
    seconds : float
        Of the processor, of all threads.
    steps : int
    error, held_out : float
        Mean squared errors over the variance of the noise: on windows learned from lately, and on
        those held out. Without ground truth they are estimates, and can be less than 0. From clean
        images they are weighted, so that all levels of noise count.
    """

    seconds: float
    steps: int
    error: float
    held_out: float

    def numbers(self) -> list[float | None]:
        """Return all of it for a record, which has no NaN."""
        return [None if math.isnan(each) else each for each in astuple(self)]


def fall(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """Return how much errors fell from one to the other on the same windows, beyond chance.

    It is the mean minus its standard error, and 0 where nothing fell.
    """
    falls = before - after
    error = falls.std(ddof=1) / np.sqrt(len(falls)) if len(falls) > 1 else 0.0
    return max(float(falls.mean() - error), 0.0)


def share(before: NDArray[np.float64], after: NDArray[np.float64]) -> tuple[float, float]:
    """Return by what share errors fell on the same windows, and its standard error.

    Without ground truth all errors of a window are off by what its noise has more or less than the
    usual strength, which stays in the share where the errors are small.
    """
    whole = float(before.mean())
    if len(before) < 2 or whole <= 0:
        return 0.0, math.inf
    kept = float(after.mean()) / whole
    error = (after - kept * before).std(ddof=1) / math.sqrt(len(before)) / whole
    return 1 - kept, float(error)
