"""Pairs of key points that are more similar to each other than to anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.forensics.copying.key_points import KeyPoints

# Distance of the best match, of that of the next elsewhere; and in itself (√2: nothing in common).
RATIO, FARTHEST = 0.85, 0.6

# Pixels within which two key points are one structure, and how many of them at most.
ONE_STRUCTURE, MOST_ONE = 4.0, 12

# Descriptors compared at once.
_ROWS = 1024


def matched(first: KeyPoints, second: KeyPoints, apart: float = 0.0) -> NDArray[np.intp]:
    """Return pairs of indices, shape (n, 2), at most one for each place.

    With `apart` both are of the same plane, and a pair lies farther apart than that.
    """
    if len(first) < 3 or len(second) < 3:
        return np.zeros((0, 2), np.intp)
    beside = _beside(second)
    found = [
        _matched_rows(first, second, slice(row, row + _ROWS), beside, apart)
        for row in range(0, len(first), _ROWS)
    ]
    return _one_for_each_place(np.concatenate(found), first, second)


def _beside(points: KeyPoints) -> NDArray[np.intp]:
    """Return the key points of the same structure as each; their number where there is none."""
    from scipy.spatial import cKDTree

    tree = cKDTree(points.places)
    count = min(MOST_ONE, len(points))
    return np.asarray(tree.query(points.places, count, distance_upper_bound=ONE_STRUCTURE)[1])


def _matched_rows(
    first: KeyPoints, second: KeyPoints, rows: slice, beside: NDArray[np.intp], apart: float
) -> NDArray[np.intp]:
    own = first.descriptors[rows]
    # The last column is where indices of no key point write.
    likeness = np.empty((len(own), len(second) + 1), np.float32)
    np.matmul(own, second.descriptors.T, out=likeness[:, :-1])
    likeness[:, -1] = -1
    if apart:
        likeness[:, :-1][_near(first.places[rows], second.places, apart)] = -1
    every = np.arange(len(own))
    best = likeness[:, :-1].argmax(axis=1)
    highest = likeness[every, best]
    likeness[every[:, None], beside[best]] = -1
    next_best = likeness[:, :-1].max(axis=1)
    near, far = (np.sqrt(np.maximum(2 - 2 * each, 0)) for each in (highest, next_best))
    use = (highest > 0) & (next_best > 0) & (near < RATIO * far) & (near < FARTHEST)
    return np.column_stack([every[use] + rows.start, best[use]])


def _near(
    first: NDArray[np.float64], second: NDArray[np.float64], apart: float
) -> NDArray[np.bool_]:
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(first, second, "sqeuclidean") <= apart**2)


def _one_for_each_place(
    pairs: NDArray[np.intp], first: KeyPoints, second: KeyPoints
) -> NDArray[np.intp]:
    """Drop pairs of the same two places: a structure with two directions has two descriptors."""
    ends = np.hstack([first.places[pairs[:, 0]], second.places[pairs[:, 1]]])
    kept = np.unique(np.rint(ends / 2).astype(np.int64), axis=0, return_index=True)[1]
    return pairs[np.sort(kept)]
