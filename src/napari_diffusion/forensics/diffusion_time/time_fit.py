"""The time after which a reference looks like an image, with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.forensics.diffusion_time.reference_series import TIMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.forensics.diffusion_time.reference_series import Gaps

# Times below 0 say that the reference is the smoother one. Finely spaced where small.
_TRIED = np.sort(np.concatenate([np.linspace(-0.6, 0.2, 161), np.geomspace(0.205, 8.0, 260)]))

# Parts of the image that are left out in turn, for the error of the time.
_PARTS = 8

# Calibrated so that intervals hold the time used, on images of which a half is the reference of the
# other: least relative error, factor of the error between parts, and what two halves of untouched
# images differ by, in pixels².
_LEAST, _FACTOR, _APART = 0.25, 3.0, 0.04


@dataclass(frozen=True)
class FoundTime:
    """A diffusion time in pixels², its 95 % interval, and the time in flat and in steep regions."""

    value: float
    low: float
    high: float
    flat: float
    steep: float
    sensitivity: float


def time_of(gaps: Gaps) -> FoundTime:
    """Return the diffusion time of least squares between logarithms of power spectra."""
    values = gaps.values
    order = np.argsort(gaps.steepness)
    third = len(order) // 3
    value = _least(values.mean(1))
    low, high = _interval(value, values)
    flat, steep = (_least(values[:, part].mean(1)) for part in (order[:third], order[-third:]))
    fall = values.mean(1)
    at = int(np.searchsorted(TIMES, 0.25))
    sensitivity = float(np.abs(fall[at] - fall[0]).mean())
    return FoundTime(value, low, high, flat, steep, sensitivity)


def _least(gaps: NDArray[np.float64]) -> float:
    """Return the time at which the gaps, (times, rings), are least."""
    columns = []
    for ring in gaps.T:
        slope = (ring[1] - ring[0]) / TIMES[1]
        before = ring[0] + slope * _TRIED
        columns.append(np.where(_TRIED < 0, before, np.interp(_TRIED, TIMES, ring)))
    cost = (np.stack(columns, 1) ** 2).sum(1)
    return float(_TRIED[int(np.argmin(cost))])


def _interval(value: float, gaps: NDArray[np.float64]) -> tuple[float, float]:
    """Return the interval, from how much the time differs between parts of the image."""
    parts = np.array_split(np.arange(gaps.shape[1]), _PARTS)
    left = [_least(np.delete(gaps, part, 1).mean(1)) for part in parts]
    logs = np.log(np.maximum(np.array(left) + 0.05, 0.005))
    error = np.sqrt((1 - 1 / _PARTS) * ((logs - logs.mean()) ** 2).sum())
    width = float(np.hypot(_LEAST, _FACTOR * error))
    centre = max(value + 0.05, 0.005)
    low = min(centre * np.exp(-width) - 0.05, value) - _APART
    high = max(centre * np.exp(width) - 0.05, value) + _APART
    return float(low), float(high)
