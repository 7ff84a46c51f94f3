"""The rate of objects over an area, and the interval that holds the long-run rate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: Side of the cells whose counts tell how evenly objects are spread, in pixels.
CELL = 64

# Objects too few to tell whether they keep apart from each other.
_FEW = 30

# Objects that keep apart at most lessen the variance by this factor.
_LEAST = 0.3

_TAIL = 0.025


@dataclass(frozen=True, eq=False)
class Counts:
    """The objects of one plane or volume.

    Attributes
    ----------
    objects, areas : ndarray
        The number of objects in each cell, and its pixels inside the mask.
    shifts : tuple of float
        By how many standard errors each quantity that was measured differs in it, such as the
        strength of its noise; each over all planes of mean 0 and mean square 1, or all 0, and
        uncorrelated with the others.
    """

    objects: NDArray[np.float64]
    areas: NDArray[np.float64]
    shifts: tuple[float, ...] = ()


def counted(
    places: NDArray[np.float64], inside: NDArray[np.bool_], shifts: tuple[float, ...] = ()
) -> Counts:
    """Count objects in the cells of a plane or volume; those outside the mask do not count."""
    shape = inside.shape
    at = np.clip(np.rint(places).astype(np.int64), 0, np.array(shape) - 1)
    at = at[inside[tuple(at.T)]]
    areas = inside.astype(np.float64)
    for axis, size in enumerate(shape):
        areas = np.add.reduceat(areas, np.arange(0, size, CELL), axis=axis)
    objects = np.zeros(areas.shape)
    np.add.at(objects, tuple((at // CELL).T), 1.0)
    return Counts(objects[areas > 0], areas[areas > 0], shifts)


def rate_interval(planes: Sequence[Counts]) -> tuple[int, float, float]:
    """Return the number of objects, and the least and the greatest expected number, at 95 %.

    Garwood's exact interval of a Poisson count, ``χ²(2.5 %; 2n) / 2`` to ``χ²(97.5 %; 2n + 2) / 2``
    of the number divided by its dispersion: objects in clusters tell less than as many apart, and
    peaks that keep their distance tell more. The dispersion is Pearson's, ``Σ (n − m)² / m`` over
    its degrees of freedom, of the cells; or of whole planes, where these differ more than their
    cells tell. How much the logarithm of the rate changes with the `shifts` of the planes is
    added to the interval in quadrature.

    References
    ----------
    Garwood (1936), Fiducial limits for the Poisson distribution; McCullagh and Nelder (1989),
    Generalized linear models, on the dispersion.
    """
    from scipy import stats

    objects, areas = (
        np.array([getattr(each, name).sum() for each in planes]) for name in ("objects", "areas")
    )
    total = float(objects.sum())
    if not total:
        return 0, 0.0, float(stats.chi2.isf(_TAIL, 2) / 2)
    shifts = np.array([each.shifts for each in planes])
    rates = objects / areas * areas.sum() / total
    slopes = shifts.T @ ((rates - 1) * areas) / areas.sum()
    spread = _dispersion_of(planes, objects, areas * np.maximum(1 + shifts @ slopes, 0.01))
    low = float(stats.chi2.ppf(_TAIL, 2 * total / spread) / 2 * spread)
    high = float(stats.chi2.isf(_TAIL, 2 * total / spread + 2) / 2 * spread)
    # What chance adds to the slopes makes the interval wider, never too narrow.
    beyond = float(stats.norm.isf(_TAIL)) ** 2 * float(slopes @ slopes)
    wider = [math.sqrt(math.log(end / total) ** 2 + beyond) for end in (low, high)]
    return round(total), total * math.exp(-wider[0]), total * math.exp(wider[1])


def _dispersion_of(
    planes: Sequence[Counts], objects: NDArray[np.float64], expected: NDArray[np.float64]
) -> float:
    from scipy import stats

    cells = _pearson(
        np.concatenate([each.objects for each in planes]),
        np.concatenate(
            [
                each.areas * weight / each.areas.sum()
                for each, weight in zip(planes, expected, strict=True)
            ]
        ),
    )
    spread = max(cells, 1.0 if objects.sum() < _FEW else _LEAST)
    freedom = len(planes) - 1
    if freedom < 1:
        return spread
    whole = _pearson(objects, expected)
    if stats.chi2.sf(freedom * whole / spread, freedom) > 0.01:
        return spread
    return whole * float(stats.t.isf(_TAIL, freedom) / stats.norm.isf(_TAIL)) ** 2


def _pearson(objects: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    if len(objects) < 2:
        return 1.0
    expected = objects.sum() * weights / weights.sum()
    return float(((objects - expected) ** 2 / expected).sum() / (len(objects) - 1))


def per_million(number: float, pixels: float) -> float:
    """Return a number of objects per million pixels."""
    return 1e6 * number / pixels if pixels else math.nan
