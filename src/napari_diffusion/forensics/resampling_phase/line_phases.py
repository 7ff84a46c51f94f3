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


def log10_p_of_period(line: NDArray[np.float64], period: int, part: int = 1) -> float:
    """Return log₁₀ of the chance that phases differ so much beyond period `part`, by an F test."""
    from scipy import stats

    phases = _phases(line, period)
    means = phases.mean(0)
    shared = np.tile(means.reshape(-1, part).mean(0), period // part)
    between = len(phases) * ((means - shared) ** 2).sum() / (period - part)
    within = ((phases - means) ** 2).sum() / (phases.size - period)
    freedom = period - part, phases.size - period
    value = stats.f.logsf(between / (within + 1e-12), *freedom) / np.log(10)
    return float(max(value, _MOST_NEGATIVE))


def log10_p_of_factor(line: NDArray[np.float64], factor: int) -> float:
    """Return log₁₀ p of a period that is more than that of any of its parts, such as 2 of 6."""
    parts = [k for k in range(1, factor) if factor % k == 0]
    return max(log10_p_of_period(line, factor, part) for part in parts)


def _phases(line: NDArray[np.float64], period: int) -> NDArray[np.float64]:
    """Return whole periods in rows, without the slow course of the line."""
    from scipy import ndimage

    # Whole periods: with one line more, the median would follow the phase in the middle.
    flat = line - ndimage.median_filter(line, 4 * period)
    count = len(flat) // period * period
    return np.asarray(flat[:count].reshape(-1, period))
