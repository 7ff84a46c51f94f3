"""Pairs of key points that are more similar to each other than to anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.engine.threads import Threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.forensics.copying.key_points import KeyPoints

# Distance of the best match, of that of the next elsewhere; and in itself (√2: nothing in common).
RATIO, FARTHEST = 0.85, 0.6

# Pixels within which two key points are one structure, and how many of them at most.
ONE_STRUCTURE, MOST_ONE = 4.0, 12

# Descriptors compared at once.
_ROWS = 512

# Where pairs of planes are shared among the threads already.
ONE_THREAD = Threads(count=1, stop=None)


def matched(
    first: KeyPoints, second: KeyPoints, apart: float = 0.0, threads: Threads = ONE_THREAD
) -> NDArray[np.intp]:
    """Return pairs of indices, shape (n, 2), at most one for each place.

    With `apart` both are of the same plane, and a pair lies farther apart than that.
    """
    if len(first) < 3 or len(second) < 3:
        return np.zeros((0, 2), np.intp)
    beside, near = _beside(second), _near(first, apart)
    starts = range(0, len(first), _ROWS)
    found = [np.zeros((0, 2), np.intp)] * len(starts)

    def match(part: int, row: int) -> None:
        found[part] = _matched_rows(first, second, slice(row, row + _ROWS), beside, near)

    threads.each(match, list(enumerate(starts)))
    return _one_for_each_place(np.concatenate(found), first, second)


def _beside(points: KeyPoints) -> NDArray[np.intp]:
    """Return the key points of the same structure as each; their number where there is none."""
    from scipy.spatial import cKDTree

    tree = cKDTree(points.places)
    count = min(MOST_ONE, len(points))
    return np.asarray(tree.query(points.places, count, distance_upper_bound=ONE_STRUCTURE)[1])


def _matched_rows(
    first: KeyPoints,
    second: KeyPoints,
    rows: slice,
    beside: NDArray[np.intp],
    near: NDArray[np.intp],
) -> NDArray[np.intp]:
    own = first.descriptors[rows]
    # The last column is where indices of no key point write.
    likeness = np.empty((len(own), len(second) + 1), np.float32)
    np.matmul(own, second.descriptors.T, out=likeness[:, :-1])
    likeness[:, -1] = -1
    low, high = np.searchsorted(near[:, 0], [rows.start, rows.start + len(own)])
    likeness[near[low:high, 0] - rows.start, near[low:high, 1]] = -1
    every = np.arange(len(own))
    best = likeness[:, :-1].argmax(axis=1)
    highest = likeness[every, best]
    likeness[every[:, None], beside[best]] = -1
    next_best = likeness[:, :-1].max(axis=1)
    ours, theirs = (np.sqrt(np.maximum(2 - 2 * each, 0)) for each in (highest, next_best))
    use = (highest > 0) & (next_best > 0) & (ours < RATIO * theirs) & (ours < FARTHEST)
    return np.column_stack([every[use] + rows.start, best[use]])


def _near(points: KeyPoints, apart: float) -> NDArray[np.intp]:
    """Return the pairs of key points of one plane that lie no farther apart, by the first."""
    from scipy.spatial import cKDTree

    if not apart:
        return np.zeros((0, 2), np.intp)
    pairs = cKDTree(points.places).query_pairs(apart, output_type="ndarray")
    itself = np.repeat(np.arange(len(points))[:, None], 2, axis=1)
    both = np.concatenate([pairs, pairs[:, ::-1], itself]).astype(np.intp)
    return both[np.argsort(both[:, 0], kind="stable")]


def _one_for_each_place(
    pairs: NDArray[np.intp], first: KeyPoints, second: KeyPoints
) -> NDArray[np.intp]:
    """Drop pairs of the same two places: a structure with two directions has two descriptors."""
    ends = np.hstack([first.places[pairs[:, 0]], second.places[pairs[:, 1]]])
    kept = np.unique(np.rint(ends / 2).astype(np.int64), axis=0, return_index=True)[1]
    return pairs[np.sort(kept)]
