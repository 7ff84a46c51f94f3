"""The mean of stabilised values over the noise, tabulated both ways for few photons."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Stabilised values from here on belong to the series; below there are nodes this far apart.
TOP = 32.0
NODES_PER_UNIT = 64

# Normal numbers are summed over this many of them, to this many standard deviations.
_NORMALS = 4001
_WIDTH = 9.0

_THREE_EIGHTHS = 0.375


class Table(NamedTuple):
    """A function at evenly spaced places, and the straight line that it begins with.

    Attributes
    ----------
    values : ndarray
        What stands at the places ``first + i / NODES_PER_UNIT``.
    first : float
        The first place.
    lowest, slope : float
        Mean of f without photons, and how much it grows with the first photons.
    """

    values: NDArray[np.float64]
    first: float
    lowest: float
    slope: float


class Expected(NamedTuple):
    """Conversions between photons and the mean of f, in both directions.

    Attributes
    ----------
    of_photons : Table
        Mean of f minus f of the mean, as a function of f of the mean.
    of_values : Table
        Photons minus those of the algebraic inverse, as a function of the mean of f.
    """

    of_photons: Table
    of_values: Table


@functools.lru_cache(maxsize=16)
def expected(squared: float) -> Expected:
    """Return the tables for a read noise of `squared` photons²."""
    lowest, slope = _beginning(squared)
    first = 2 * math.sqrt(_THREE_EIGHTHS + squared)
    places = _places(first)
    photons = np.maximum((places / 2) ** 2 - _THREE_EIGHTHS - squared, 0.0)
    of_photons = Table(mean_of_f(photons, squared) - places, first, lowest, slope)
    values = _places(lowest)
    found = _inverted(values, squared, lowest, slope)
    plain = (values / 2) ** 2 - _THREE_EIGHTHS - squared
    return Expected(of_photons, Table(found - plain, lowest, lowest, slope))


def mean_of_f(
    photons: NDArray[np.float64], squared: float, power: float = 1.0
) -> NDArray[np.float64]:
    """Return the mean of a power of f over Poisson numbers and read noise, at means of photons."""
    most = float(photons.max())
    counts = np.arange(math.ceil(most + 12 * math.sqrt(most) + 24))
    logarithms = np.array([math.lgamma(count + 1.0) for count in counts])
    f = _mean_over_read_noise(counts, squared, power)
    out = np.empty(len(photons))
    for i, mean in enumerate(photons):
        # The chance of every count, added up in one order whatever the table.
        chance = np.exp(counts * math.log(mean) - mean - logarithms) if mean else counts == 0
        out[i] = float(np.sum(chance * f))
    return out


def _mean_over_read_noise(
    counts: NDArray[Any], squared: float, power: float = 1.0
) -> NDArray[np.float64]:
    middles = counts + _THREE_EIGHTHS + squared
    if squared == 0:
        return np.asarray((2 * np.sqrt(middles)) ** power)
    normal = np.linspace(-_WIDTH, _WIDTH, _NORMALS)
    weight = np.exp(-(normal**2) / 2)
    weight /= weight.sum()
    out = np.zeros(len(counts))
    for n, w in zip(normal * math.sqrt(squared), weight, strict=True):
        out += w * (2 * np.sqrt(np.maximum(middles + n, 0.0))) ** power
    return out


def _beginning(squared: float) -> tuple[float, float]:
    """Return the mean of f without photons, and its slope there."""
    none, one = _mean_over_read_noise(np.arange(2), squared)
    return float(none), float(one - none)


def _places(first: float) -> NDArray[np.float64]:
    """Return the places of the nodes, some beyond the top, that cubics need."""
    count = max(math.ceil((TOP - first) * NODES_PER_UNIT), 0) + 4
    return first + np.arange(count) / NODES_PER_UNIT


def _inverted(
    values: NDArray[np.float64], squared: float, lowest: float, slope: float
) -> NDArray[np.float64]:
    """Return the photons whose mean of f has given values, by Newton's rule."""
    photons = np.maximum((values / 2) ** 2 - 0.125 - squared, 0.0)
    photons = np.where(values < lowest + 0.5, (values - lowest) / slope, photons)
    for _ in range(8):
        here = mean_of_f(photons, squared)
        beside = mean_of_f(photons + 1e-4, squared)
        photons = np.maximum(photons - (here - values) * 1e-4 / (beside - here), 0.0)
    return photons
