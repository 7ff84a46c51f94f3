"""How high peaks of the spectrum stand above their surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Side of the windows in pixels.
SIZE = 64

# Windows are evenly spread; so many say all.
_MOST = 2000

# Steps of frequency from a peak to its surroundings.
_AWAY = (-6, -5, -4, 4, 5, 6)

_HALF, _QUARTER = SIZE // 2, SIZE // 4

# Coarser frequencies are steep, and are not compared.
_COARSEST = 8


@dataclass(frozen=True, eq=False)
class Heights:
    """Logarithm of the power, (y, x) frequencies from 0; heights of peaks; heights elsewhere."""

    power: NDArray[np.float64]
    peaks: dict[str, float]
    others: NDArray[np.float64]


def heights_of(plane: NDArray[np.float64]) -> Heights:
    """Return the heights at ½ and ¼ of the sampling rate, and at all other frequencies."""
    power = _mean_power(plane)
    inside = power - np.median([np.roll(power, (a, b), (0, 1)) for a in _AWAY for b in _AWAY], 0)
    # The axes hold edges and borders: there, only frequencies on the same axis are alike.
    inside[0] = power[0] - np.median([np.roll(power[0], a) for a in _AWAY], 0)
    inside[:, 0] = power[:, 0] - np.median([np.roll(power[:, 0], a) for a in _AWAY], 0)
    away = np.abs(np.fft.fftfreq(SIZE) * SIZE)
    fine = np.hypot(away[:, None], away[None]) >= _COARSEST + max(_AWAY)
    special = (away % _QUARTER < 2) | (away % _QUARTER > _QUARTER - 2)
    others = fine & ~(special[:, None] & special[None])
    peaks = {
        "corner": inside[_HALF, _HALF],
        "axes": max(inside[_HALF, 0], inside[0, _HALF]),
        "quarters": max(
            inside[y, x]
            for y in (0, _QUARTER, _HALF)
            for x in (0, _QUARTER, _HALF)
            if _QUARTER in (y, x)
        ),
    }
    return Heights(power, {k: float(v) for k, v in peaks.items()}, inside[others])


def _mean_power(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log₁₀ of power, averaged in the logarithm: one bright edge does not rule."""
    views = np.lib.stride_tricks.sliding_window_view(plane, (SIZE, SIZE))
    views = views[:: SIZE // 2, :: SIZE // 2]
    total = views.shape[0] * views.shape[1]
    chosen = np.linspace(0, total - 1, min(total, _MOST)).astype(int)
    hann = np.outer(*[np.hanning(SIZE + 1)[:-1]] * 2)
    floor = float(plane.var()) * 1e-9
    sums = np.zeros((SIZE, SIZE))
    for part in np.array_split(chosen, max(len(chosen) // 100, 1)):
        tiles = views[part // views.shape[1], part % views.shape[1]]
        tiles = (tiles - tiles.mean((1, 2), keepdims=True)) * hann
        power = np.abs(np.fft.fft2(tiles)) ** 2 / (hann**2).sum()
        sums += np.log10(power + floor).sum(0)
    return sums / len(chosen)


def radial_power(
    power: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return frequencies of rings in cycles per pixel, and mean and highest power in each."""
    away = np.fft.fftfreq(SIZE) * SIZE
    ring = np.rint(np.hypot(away[:, None], away[None])).astype(int)
    rings = range(1, int(ring.max()) + 1)
    parts = [power[ring == k] for k in rings]
    frequency = np.array(rings) / SIZE
    return frequency, np.array([p.mean() for p in parts]), np.array([p.max() for p in parts])
