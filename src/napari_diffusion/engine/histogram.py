"""Quantiles from counts, so that neither order nor chunks can change them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The leading bits of a non-negative float32 order it; 12 bits of its fraction make a bin at most
# 1/4096 wider than its lower edge, from the smallest number to the largest.
_DROPPED_BITS = 11
_BINS = 1 << (31 - _DROPPED_BITS)

#: The largest relative width of a bin.
WIDTH = 2.0 ** (_DROPPED_BITS - 23)


@dataclass
class Histogram:
    """Counts of non-negative numbers in bins of equal relative width."""

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(_BINS, np.int64))

    def add(self, values: NDArray[Any]) -> None:
        """Count finite values of 0 or more."""
        bits = np.ascontiguousarray(values, np.float32).ravel().view(np.uint32)
        self.counts += np.bincount(bits >> _DROPPED_BITS, minlength=_BINS)

    @property
    def total(self) -> int:
        """How many values were counted."""
        return int(self.counts.sum())

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
        edges = [(chosen + i).astype(np.uint32) << _DROPPED_BITS for i in (0, 1)]
        low, high = (each.view(np.float32).astype(np.float64) for each in edges)
        return np.where(chosen == 0, 0.0, (low + high) / 2), self.counts[chosen]

    def quantile(self, fraction: float) -> float:
        """Return the value that a fraction of the counted ones do not exceed, 0 without any."""
        cumulative = np.cumsum(self.counts)
        if cumulative[-1] == 0:
            return 0.0
        rank = fraction * (cumulative[-1] - 1) + 0.5
        chosen = int(np.searchsorted(cumulative, rank, side="left"))
        below = cumulative[chosen] - self.counts[chosen]
        # Counted values are taken as spread evenly over their bin, but 0 is 0.
        within = (rank - below) / self.counts[chosen] if chosen else 0.0
        low, high = _edges(chosen)
        return low + (high - low) * float(min(max(within, 0.0), 1.0))


def _edges(chosen: int) -> tuple[float, float]:
    bits = np.array([chosen, chosen + 1], np.uint32) << _DROPPED_BITS
    low, high = bits.view(np.float32).astype(np.float64)
    return float(low), float(high)
