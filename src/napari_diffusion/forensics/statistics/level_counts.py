"""How often each intensity occurs, and which of them are missing or too frequent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.forensics.statistics.value_step import value_step

if TYPE_CHECKING:
    from numpy.typing import NDArray

# More levels than this are counted in bins of equal width, and no comb is read.
_MOST_LEVELS, _BINS = 65_536, 256

# A level is compared with the median of so many levels on either side, of so many pixels at least.
_BESIDE, _ENOUGH = 4, 20

# A missing level has less than this share of that median, a frequent one more than this multiple.
_MISSING, _FREQUENT = 0.2, 1.8


@dataclass(frozen=True, eq=False)
class LevelCounts:
    """The histogram of a channel.

    Attributes
    ----------
    levels, counts : ndarray
        Intensities in equal steps, and the pixels that have each.
    step : float
        Between the values; 0 where they are continuous and counted in bins.
    """

    levels: NDArray[Any]
    counts: NDArray[np.int64]
    step: float

    @classmethod
    def of(cls, values: NDArray[Any]) -> LevelCounts:
        """Count the values of a channel."""
        low, high = float(values.min()), float(values.max())
        step = value_step(values)
        if not step or (high - low) / step >= _MOST_LEVELS:
            counts, edges = np.histogram(values, _BINS, (low, high))
            return cls((edges[:-1] + edges[1:]) / 2, counts, 0.0)
        numbers = np.rint((values.ravel() - low) / step).astype(np.int64)
        counts = np.bincount(numbers)
        return cls(low + step * np.arange(len(counts)), counts, step)

    def beside(self) -> NDArray[Any]:
        """Return the counts of the levels beside each one, a row for each."""
        padded = np.pad(
            self.counts, _BESIDE, mode="reflect" if len(self.counts) > _BESIDE else "edge"
        )
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _BESIDE + 1)
        return np.delete(windows, _BESIDE, axis=1)

    def expected(self) -> NDArray[Any]:
        """Return the median count of the levels beside each one."""
        return np.asarray(np.median(self.beside(), axis=1))

    def comb(self) -> Comb:
        """Return the levels that are missing or too frequent, between the two ends."""
        # Where most levels are missing their median is 0, and their mean is not.
        expected, mean = self.expected(), self.beside().mean(axis=1)
        read = mean >= _ENOUGH
        read[[0, -1]] = False
        if not self.step or not read.any():
            return Comb(self.levels[:0], self.levels[:0], 0)
        missing = read & (self.counts < _MISSING * mean)
        frequent = read & (expected >= _ENOUGH) & (self.counts > _FREQUENT * expected)
        return Comb(self.levels[missing], self.levels[frequent], int(read.sum()))


@dataclass(frozen=True, eq=False)
class Comb:
    """Levels that are missing or too frequent, of so many that were read."""

    missing: NDArray[Any]
    frequent: NDArray[Any]
    read: int

    @property
    def found(self) -> int:
        """How many levels are missing or too frequent."""
        return len(self.missing) + len(self.frequent)

    @property
    def share(self) -> float:
        """Their share of the levels that were read; NaN where none could be."""
        return self.found / self.read if self.read else float("nan")

    def interval(self) -> tuple[float, float]:
        """Return Wilson's 95 % interval of the share."""
        from scipy import stats

        if not self.read:
            return float("nan"), float("nan")
        found = stats.binomtest(self.found, self.read).proportion_ci(method="wilson")
        return float(found.low), float(found.high)
