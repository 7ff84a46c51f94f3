"""Whether the spectrum of a noise is flat."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.estimate.finding import Finding
from napari_diffusion.estimate.window_spectrum import FINE, FREQUENCY, SIZE

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Windows too few to tell whether noise is white.
FEWEST = 40

# How far a part of the spectrum may be from flat.
_UNEVEN = 0.12

# Row and column noise is measured apart.
_SLANTED = np.multiply.outer(np.arange(SIZE), np.arange(SIZE)) > 0
_ORDER = np.add.outer(np.arange(SIZE), np.arange(SIZE))


def grouped(spectrum: NDArray[np.float64]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return frequency and power of the coefficients with like frequencies, but for the mean."""
    orders = range(1, 2 * SIZE - 1)
    frequencies = tuple(float(FREQUENCY[order == _ORDER].mean()) for order in orders)
    return frequencies, tuple(float(spectrum[order == _ORDER].mean()) for order in orders)


def is_white(spectrum: NDArray[np.float64], count: int, *, whole: bool) -> bool:
    """Say whether nothing speaks against white noise.

    Parameters
    ----------
    spectrum : ndarray
        Mean power of each coefficient.
    count : int
        Over so many windows.
    whole : bool
        Whether the coarse coefficients too hold nothing but noise.
    """
    if count < FEWEST:
        return True
    fine = float(spectrum[FINE].mean())
    for order in range(2 if whole else 3, 2 * SIZE - 2):
        of_order = spectrum[(order == _ORDER) & _SLANTED]
        # Windows overlap by half along both axes.
        chance = 4.5 * math.sqrt(2 / (0.25 * count * of_order.size))
        distance = float(of_order.mean()) / max(fine, 1e-300) - 1
        allowed = _UNEVEN
        if not whole and distance > 0 and order < SIZE:
            # Some structure is left in the calmest windows too.
            allowed = 2 * _UNEVEN if order >= 5 else np.inf
        if abs(distance) > allowed + chance:
            return False
    return True


def spectrum_findings(spectrum: NDArray[np.float64], count: int, *, whole: bool) -> list[Finding]:
    """Return whether the noise is correlated or sharpened; see `is_white` for the parameters."""
    if count < FEWEST:
        return [Finding("few windows", count)]
    if is_white(spectrum, count, whole=whole):
        return []
    finest = float(spectrum[_ORDER >= 11].mean())
    first = 2 if whole else 5
    coarse = float(spectrum[(first <= _ORDER) & (_ORDER < SIZE) & _SLANTED].mean())
    ratio = finest / max(coarse, 1e-300)
    if ratio > 1:
        return [Finding("sharpened", ratio)]
    return [Finding("correlated", ratio, underestimated=not whole)]
