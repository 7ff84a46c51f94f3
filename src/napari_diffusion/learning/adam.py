"""Adam: steps along a gradient, each weight at its own pace."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# How much of the past the mean gradient and the mean square keep.
MEAN, SQUARE = 0.9, 0.99

# A gradient longer than this is shortened to it.
LONGEST = 1.0

_SMALL = 1e-8


@dataclass
class Adam:
    """The state of the optimizer of Kingma and Ba (2015), and a mean of the weights it passed.

    Attributes
    ----------
    weights : list of ndarray
        Changed in place.
    average : list of ndarray
        The mean of the weights of the latest steps, which scatters less than they do.
    steps : int
        Taken so far.
    """

    weights: list[NDArray[np.float64]]
    average: list[NDArray[np.float64]] = field(init=False)
    steps: int = 0

    def __post_init__(self) -> None:
        self.average = [each.copy() for each in self.weights]
        self.means = [np.zeros_like(each) for each in self.weights]
        self.squares = [np.zeros_like(each) for each in self.weights]

    def step(self, gradient: Sequence[NDArray[np.float64]], rate: float) -> None:
        """Move all weights by about `rate` against a gradient."""
        length = np.sqrt(sum(float(np.vdot(each, each)) for each in gradient))
        shorter = min(1.0, LONGEST / max(length, _SMALL))
        self.steps += 1
        mean_share, square_share = (1 - keep**self.steps for keep in (MEAN, SQUARE))
        # The mean begins over few steps and ends over a thousand.
        kept = min(0.999, 1 - 1 / (self.steps / 5 + 2))
        for weights, mean, square, average, grows in zip(
            self.weights, self.means, self.squares, self.average, gradient, strict=True
        ):
            mean += (1 - MEAN) * (shorter * grows - mean)
            square += (1 - SQUARE) * (np.square(shorter * grows) - square)
            weights -= rate * (mean / mean_share) / (np.sqrt(square / square_share) + _SMALL)
            average += (1 - kept) * (weights - average)
