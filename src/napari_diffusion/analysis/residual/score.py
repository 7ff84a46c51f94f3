"""How far statistics stand out of their null runs, and the threshold for a false-alarm rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_diffusion.analysis.residual.local_statistics import Removal, Statistic
    from napari_diffusion.analysis.residual.windows import Windows

# The spread of the null runs is pooled over windows so many times larger.
_POOLED = 3.0

# The least that counts as the largest score of an image, in standard deviations.
_LEAST_MAXIMUM = 3.0

# The standard deviation that largest scores have at least: few runs may be alike by chance.
_LEAST_SPREAD = 0.7

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
    parts : tuple of StatisticScore
        Of each statistic.
    """

    values: NDArray[Any]
    null_maxima: tuple[float, ...]
    parts: tuple[StatisticScore, ...]

    @property
    def largest(self) -> float:
        """The largest score in the image."""
        return float(self.values.max())

    def threshold(self, rate: float) -> float:
        """Return the score that the largest of an image exceeds at this rate, by chance."""
        maxima = np.array(self.null_maxima)
        spread = max(float(maxima.std(ddof=1)), _LEAST_SPREAD)
        return float(maxima.mean()) + spread_factor(len(maxima), rate) * spread


@dataclass(frozen=True)
class StatisticScore:
    """The score of one statistic.

    Attributes
    ----------
    statistic : Statistic
        What it measures.
    largest : float
        The largest score in the image.
    usual, per_score : float
        The value of the statistic in null runs, and what a score of 1 adds to it: medians over the
        image.
    """

    statistic: Statistic
    largest: float
    usual: float
    per_score: float


def score(
    observed: Removal,
    nulls: Sequence[Removal],
    statistics: Sequence[Statistic],
    windows: Windows,
) -> Score:
    """Standardise the statistics of a removal by those of null runs, and each null run too.

    Statistics differ in how far the largest value of an image is from their mean: each is taken
    relative to the mean of its null maxima, a null run to that of the others.
    """
    largest: list[NDArray[Any]] = []
    found = []
    for statistic in statistics:
        stack = [statistic.of(each) for each in (observed, *nulls)]
        scores, usual, spread = _standardised(stack, statistic.least, windows)
        maxima = np.array([float(each.max()) for each in scores])
        units = _units(maxima)
        relative = [each / unit for each, unit in zip(scores, units, strict=True)]
        pairs = zip(largest, relative, strict=True)
        largest = [np.maximum(*pair) for pair in pairs] if largest else relative
        found.append((statistic, maxima[0], usual, spread, units[0]))
    # In standard deviations again: those of the statistic with the lightest tail.
    unit = float(min(each[-1] for each in found))
    return Score(
        largest[0] * unit,
        tuple(float(each.max() * unit) for each in largest[1:]),
        tuple(
            StatisticScore(statistic, float(most / own * unit), usual, float(spread * own / unit))
            for statistic, most, usual, spread, own in found
        ),
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
    others = [total / runs, *((total - each) / (runs - 1) for each in maxima[1:])]
    return np.maximum(others, _LEAST_MAXIMUM)


def _standardised(
    stack: list[NDArray[Any]], least: float, windows: Windows
) -> tuple[list[NDArray[Any]], float, float]:
    """Return each map minus the mean of the null runs, over their spread; without its own run.

    And the medians of the mean and of the spread.
    """
    runs, inside = len(stack) - 1, windows.inside
    uneven = windows.unevenness(stack[0].shape)
    total = np.sum(stack[1:], axis=0, dtype=np.float64)
    squares = np.sum([np.square(each, dtype=np.float64) for each in stack[1:]], axis=0)
    found: list[NDArray[Any]] = []
    medians: list[float] = []
    for turn, each in enumerate(stack):
        own = 0.0 if turn == 0 else each.astype(np.float64)
        left = runs if turn == 0 else runs - 1
        mean = (total - own) / left
        variance = np.maximum((squares - np.square(own)) / left - np.square(mean), 0.0)
        even = (variance / uneven).astype(np.float32)
        pooled = windows.smooth(even, windows.variance * _POOLED**2) * uneven
        pooled = np.maximum(pooled * left / (left - 1), least**2)
        spread = np.sqrt(pooled * (1 + 1 / left))
        values = ((each - mean) / spread).astype(np.float32)
        found.append(values if inside is None else np.where(inside, values, np.float32(-np.inf)))
        if turn == 0:
            medians = [_median(np.asarray(each), inside) for each in (mean, spread)]
    return found, medians[0], medians[1]


def _median(values: NDArray[Any], inside: NDArray[np.bool_] | None) -> float:
    return float(np.median(values if inside is None else values[inside]))
