"""Whether rows and columns differ by their phase, as after enlargement by a whole factor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Differences of order 1, 2 and 3. Samples put half-way show in odd orders only, samples repeated
# or put between in all.
_TAPS = ((1.0, -1.0), (1.0, -2.0, 1.0), (1.0, -3.0, 3.0, -1.0))
ORDERS = len(_TAPS)

# Larger differences count as this quantile: one edge does not rule a line.
_LARGEST = 0.95

# Of the usual difference: floor of the logarithm.
_FLOOR = 1e-3

_MOST_NEGATIVE = -300.0


def line_differences(plane: NDArray[np.float64], axis: int) -> list[NDArray[np.float64]]:
    """Return for each order the logarithm of the mean difference along an axis, line by line."""
    lines = np.moveaxis(plane, axis, 0)
    found = []
    for taps in _TAPS:
        count = len(lines) - len(taps) + 1
        steps = np.abs(sum(tap * lines[k : k + count] for k, tap in enumerate(taps)))
        most = float(np.quantile(steps[:, :: max(steps.shape[1] // 256, 1)], _LARGEST))
        mean = np.minimum(steps, most).mean(1)
        found.append(np.log(mean + _FLOOR * (mean.mean() + 1e-30)))
    return found


def log10_p_of_period(line: NDArray[np.float64], period: int) -> float:
    """Return log₁₀ of the chance that phases differ so much, from an F test."""
    from scipy import stats

    phases = _phases(line, period)
    between, within = _variances(phases)
    freedom = period - 1, phases.size - period
    value = stats.f.logsf(between / (within + 1e-12), *freedom) / np.log(10)
    return float(max(value, _MOST_NEGATIVE))


def log10_p_of_blocks(line: NDArray[np.float64], period: int) -> float:
    """Return log₁₀ of the chance that the 8 phases of blocks differ beyond a divisor of 8."""
    from scipy import stats

    phases = _phases(line, 8)
    means = phases.mean(0)
    shared = np.tile(means.reshape(-1, period).mean(0), 8 // period)
    extra = len(phases) * ((means - shared) ** 2).sum() / (8 - period)
    within = _variances(phases)[1]
    value = stats.f.logsf(extra / (within + 1e-12), 8 - period, phases.size - 8) / np.log(10)
    return float(max(value, _MOST_NEGATIVE))


def _phases(line: NDArray[np.float64], period: int) -> NDArray[np.float64]:
    """Return whole periods in rows, without the slow course of the line."""
    from scipy import ndimage

    flat = line - ndimage.median_filter(line, 4 * period + 1)
    count = len(flat) // period * period
    return np.asarray(flat[:count].reshape(-1, period))


def _variances(phases: NDArray[np.float64]) -> tuple[float, float]:
    repeats, period = phases.shape
    means = phases.mean(0)
    between = repeats * ((means - means.mean()) ** 2).sum() / (period - 1)
    within = ((phases - means) ** 2).sum() / (phases.size - period)
    return float(between), float(within)
