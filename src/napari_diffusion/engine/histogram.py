"""Quantiles from counts, so that neither order nor chunks can change them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The leading bits of a non-negative float64 order it; 12 bits of its fraction make a bin at most
# 1/4096 wider than its lower edge, from the smallest number to the largest.
_FRACTION_BITS = 12
_DROPPED_BITS = 52 - _FRACTION_BITS

# Half the last bit of a float32: numbers so near to a bin are counted in it, so that an image has
# the same counts in float32 and in float64.
_HALF = 1 << 28

# Values counted at a time: what is made of them stays in the cache.
_PIECE = 1 << 17

#: The largest relative width of a bin.
WIDTH = 2.0**-_FRACTION_BITS


@dataclass
class Histogram:
    """Counts of non-negative numbers in bins of equal relative width.

    Attributes
    ----------
    zeros : int
        How many are 0.
    first : int
        The first bin of `counts`; those of all float64 would be too many.
    counts : ndarray
        Counts of the other numbers.
    """

    zeros: int = 0
    first: int = 0
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def add(self, values: NDArray[Any], counts: NDArray[np.int64] | None = None) -> None:
        """Count finite values of 0 or more, once each or as often as `counts` says."""
        # A value of 0, and one that is nearly as small, is in bin 0.
        bits = np.asarray(values, np.float64).ravel().view(np.uint64)
        bins = ((bits + np.uint64(_HALF)) >> np.uint64(_DROPPED_BITS)).astype(np.int64)
        kept = bins > 0
        bins, more = bins[kept], None if counts is None else counts[kept]
        self.zeros += bits.size - bins.size if counts is None else int(counts[~kept].sum())
        if bins.size:
            self._reach(int(bins.min()), int(bins.max()) + 1)
            # Whole numbers below 2⁵³ add up exactly in float64 too.
            found = np.bincount(bins - self.first, more, len(self.counts))
            self.counts += found.astype(np.int64, copy=False)

    def ranges(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """Return between which numbers those in each bin lie that has some, and how many it has."""
        chosen = np.flatnonzero(self.counts)
        low, high = (
            ((self.first + chosen + i << _DROPPED_BITS) - _HALF).view(np.float64) for i in (0, 1)
        )
        return low, high, self.counts[chosen]

    def joined(self, other: Histogram) -> Histogram:
        """Return the counts of both."""
        both = Histogram(self.zeros + other.zeros, self.first, self.counts.copy())
        if len(other.counts):
            both._reach(other.first, other.first + len(other.counts))
            both.counts[other.first - both.first :][: len(other.counts)] += other.counts
        return both

    def _reach(self, first: int, end: int) -> None:
        """Make room for the bins from `first` to before `end`."""
        if len(self.counts):
            first, end = min(first, self.first), max(end, self.first + len(self.counts))
        counts = np.zeros(end - first, np.int64)
        counts[self.first - first :][: len(self.counts)] = self.counts
        self.first, self.counts = first, counts

    def without_zeros(self) -> Histogram:
        """Return the counts of the numbers above 0."""
        return Histogram(0, self.first, self.counts)

    @property
    def total(self) -> int:
        """How many values were counted."""
        return self.zeros + int(self.counts.sum())

    def mean(self) -> float:
        """Return the mean of the counted values, each taken as the middle of its bin."""
        middles, counts = self._middles()
        return float(np.sum(middles * counts) / max(self.total, 1))

    def root_mean_square(self) -> float:
        """Return the root of the mean square of the counted values, as `mean` takes them."""
        middles, counts = self._middles()
        return float(np.sqrt(np.sum(middles**2 * counts) / max(self.total, 1)))

    def binned(self, edges: NDArray[Any]) -> NDArray[np.int64]:
        """Return how many of the counted values lie between each two neighbouring edges."""
        middles, counts = self._middles()
        return np.histogram(middles, edges, weights=counts)[0].astype(np.int64)

    def _middles(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the middles of the bins that are not empty, and their counts."""
        chosen = np.flatnonzero(self.counts)
        low, high = (_edges(self.first + chosen + i) for i in (0, 1))
        middles, counts = (low + high) / 2, self.counts[chosen]
        if self.zeros:
            middles, counts = np.append(0.0, middles), np.append(self.zeros, counts)
        return middles, counts

    def quantile(self, fraction: float) -> float:
        """Return the value that a fraction of the counted ones do not exceed, 0 without any."""
        if not self.total:
            return 0.0
        rank = fraction * (self.total - 1) + 0.5
        if rank <= self.zeros:
            return 0.0
        cumulative = self.zeros + np.cumsum(self.counts)
        chosen = int(np.searchsorted(cumulative, rank, side="left"))
        below = cumulative[chosen] - self.counts[chosen]
        # Counted values are taken as spread evenly over their bin.
        within = (rank - below) / self.counts[chosen]
        low, high = (float(edge) for edge in _edges(self.first + chosen + np.arange(2)))
        return low + (high - low) * float(min(max(within, 0.0), 1.0))


def _edges(bins: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the lower edges of bins."""
    return (bins << _DROPPED_BITS).view(np.float64)
