"""How much of the noise whole rows, or whole columns, have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from napari_diffusion.engine.plane_reading import Plane

_MAD_TO_SIGMA = 1.4826

# Variance of a second difference of independent numbers.
_SECOND = 6.0

# Variance of a median of normal numbers by that of their mean.
_MEDIAN = np.pi / 2

# Rows too few to tell their noise from chance, and pixels of a part of a row.
_FEWEST, _PART = 32, 32

# Pixels of a row that its median is taken over, evenly over all of it.
_MOST = 320

#: Planes that say enough, evenly over all of them.
MOST_PLANES = 16


def row_and_column_noise(planes: Iterable[Plane], flat: bool = False) -> tuple[float, float]:
    """Return the standard deviation of what rows have in common, and of what columns have.

    The second difference from row to row keeps none of the image's slopes, and its median along
    the row none of its edges. What these medians vary beyond chance is the rows' own noise. Of
    `flat` planes, which hold nothing but noise, it is what the means vary beyond what parts of the
    rows do. It is 0 where it cannot be told from chance.
    """
    found: tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]] = ([], [])
    for plane, inside in planes:
        values = np.asarray(plane, np.float64)
        if inside is not None:
            values = np.where(np.asarray(inside), values, np.nan)
        for each, turned in zip(found, (values, values.T), strict=True):
            each.append(_means(turned) if flat else _medians(turned))
    parts = [np.concatenate(each, axis=1) for each in found]
    rows, columns = (_spread(each) if flat else _beyond_chance(each) for each in parts)
    return rows, columns


def _means(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of each row, and the variance that chance gives it.

    Chance is what parts of a row vary, so that noise alike in neighbours does not pass for rows'.
    """
    count = values.shape[1] // _PART
    if not count:
        return np.zeros((2, 0))
    parts = values[:, : count * _PART].reshape(len(values), count, _PART).mean(axis=2)
    known = np.isfinite(parts).sum(axis=1)
    parts, known = parts[known >= 2], known[known >= 2]
    if not len(parts):
        return np.zeros((2, 0))
    means = np.nanmean(parts, axis=1)
    return np.stack([means - means.mean(), np.nanvar(parts, axis=1, ddof=1) / known])


def _spread(means: NDArray[np.float64]) -> float:
    middle, chance = means
    if len(middle) < _FEWEST:
        return 0.0
    expected = float(chance.mean())
    excess = float((middle**2).mean()) - expected
    error = np.sqrt(2 / len(middle)) * expected
    return float(np.sqrt(excess)) if excess > 4.5 * error else 0.0


def _medians(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median of each row's second difference, and the variance that chance gives it."""
    if len(values) < 3:
        return np.zeros((2, 0))
    values = values[:, :: max(1, values.shape[1] // _MOST)]
    change = values[:-2] - 2 * values[1:-1] + values[2:]
    known = np.isfinite(change).sum(axis=1)
    change = change[known >= 32]
    if not len(change):
        return np.zeros((2, 0))
    # Ignoring what is missing takes much longer.
    median = np.median if np.isfinite(change).all() else np.nanmedian
    middle = median(change, axis=1)
    spread = _MAD_TO_SIGMA * median(np.abs(change - middle[:, None]), axis=1)
    return np.stack([middle, _MEDIAN * spread**2 / known[known >= 32]])


def _beyond_chance(medians: NDArray[np.float64]) -> float:
    middle, chance = medians
    if len(middle) < _FEWEST:
        return 0.0
    total = (_MAD_TO_SIGMA * float(np.median(np.abs(middle - np.median(middle))))) ** 2
    excess = total - float(np.median(chance))
    # Neighbouring second differences share pixels, and the spread is told by a median.
    error = np.sqrt(2 * 2.7 * 3 / len(middle)) * float(np.median(chance))
    return float(np.sqrt(excess / _SECOND)) if excess > 4.5 * error else 0.0
