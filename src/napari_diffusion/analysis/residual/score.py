"""How far statistics stand out of their null runs, and the threshold for a false-alarm rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.analysis.residual.local_statistics import Removal
    from napari_diffusion.analysis.residual.windows import Windows

# The spread of the null runs is pooled over windows so many times larger.
_POOLED = 2.0

# Simulated sets of null runs, from which the factor of the threshold is taken.
_SIMULATED = 200_000


@dataclass(frozen=True, eq=False)
class Score:
    """The largest of the standardised statistics at each pixel.

    Attributes
    ----------
    values : ndarray
        Canonical, one channel for colours: in standard deviations of the null runs.
    null_maxima : tuple of float
        The largest score of each null run, measured against the others.
    by_statistic : dict
        The largest score of each statistic.
    """

    values: NDArray[Any]
    null_maxima: tuple[float, ...]
    by_statistic: dict[str, float]

    @property
    def largest(self) -> float:
        """The largest score in the image."""
        return float(self.values.max())

    def threshold(self, rate: float) -> float:
        """Return the score that the largest of an image exceeds at this rate, by chance."""
        maxima = np.array(self.null_maxima)
        return float(maxima.mean() + spread_factor(len(maxima), rate) * maxima.std(ddof=1))


def score(
    observed: Removal,
    nulls: Sequence[Removal],
    statistics: dict[str, Callable[[Removal], Any]],
    windows: Windows,
) -> Score:
    """Standardise the statistics of a removal by those of null runs, and each null run too."""
    largest: list[NDArray[Any]] = []
    maxima = {}
    for name, statistic in statistics.items():
        stack = [statistic(each) for each in (observed, *nulls)]
        found = _standardised(stack, windows)
        maxima[name] = np.array([float(each.max()) for each in found])
        found = [each / unit for each, unit in zip(found, _units(maxima[name]), strict=True)]
        pairs = zip(largest, found, strict=True)
        largest = [np.maximum(*pair) for pair in pairs] if largest else found
    # In standard deviations again: those of the statistic with the lightest tail.
    unit = min(float(each[1:].mean()) for each in maxima.values())
    return Score(
        largest[0] * unit,
        tuple(float(each.max()) * unit for each in largest[1:]),
        {name: float(each[0] / each[1:].mean() * unit) for name, each in maxima.items()},
    )


def spread_factor(runs: int, rate: float) -> float:
    """Return how many standard deviations of null maxima above their mean the threshold is.

    Maxima over many windows have a Gumbel distribution. Its location and scale are known from so
    many runs alone; a further maximum exceeds the threshold at the given rate on average over what
    such few runs tell, which is why the factor is larger for fewer runs.

    References
    ----------
    Coles (2001), An introduction to statistical modeling of extreme values, chapter 3.
    """
    drawn = np.random.Generator(np.random.Philox(0)).gumbel(size=(_SIMULATED, runs + 1))
    known, new = drawn[:, 1:], drawn[:, 0]
    return float(np.quantile((new - known.mean(axis=1)) / known.std(axis=1, ddof=1), 1 - rate))


def _units(maxima: NDArray[Any]) -> NDArray[Any]:
    """Return the mean of the null maxima for each run, its own left out."""
    runs = len(maxima) - 1
    total = maxima[1:].sum()
    return np.array([total / runs, *((total - each) / (runs - 1) for each in maxima[1:])])


def _standardised(stack: list[NDArray[Any]], windows: Windows) -> list[NDArray[Any]]:
    """Return each map minus the mean of the null runs, over their spread; without its own run."""
    runs = len(stack) - 1
    total = np.sum(stack[1:], axis=0, dtype=np.float64)
    squares = np.sum([np.square(each, dtype=np.float64) for each in stack[1:]], axis=0)
    found = []
    for turn, each in enumerate(stack):
        left = runs if turn == 0 else runs - 1
        mean = (total if turn == 0 else total - each) / left
        square = squares if turn == 0 else squares - np.square(each, dtype=np.float64)
        variance = np.maximum(square / left - np.square(mean), 0.0) * left / (left - 1)
        pooled = windows.smooth(variance, windows.variance * _POOLED**2)
        spread = np.sqrt(pooled * (1 + 1 / left))
        apart = each - mean
        values = np.divide(apart, spread, out=np.zeros_like(apart), where=spread > 0)
        inside = windows.inside
        found.append(values if inside is None else np.where(inside, values, -np.inf))
    return found
