"""Runs of frames that return: diagonals of the matrix of distances between frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.forensics.sequence.frame_distance import distances, neighbour_distance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.engine.threads import Threads

# Steps around a frame that say what is usual: motion begins and ends within a few.
_AROUND = 9

# In sequences that hardly change everything returns: so many pairs of a strip of the matrix, and so
# many runs, are kept.
_PAIRS, _RUNS = 20_000, 20


@dataclass(frozen=True)
class RepeatedRun:
    """Frames that return later, one after the other.

    Attributes
    ----------
    first, later : int
        Where the two runs begin.
    length : int
        How many frames each has.
    ratio : float
        Their mean distance over that of neighbours in time.
    """

    first: int
    later: int
    length: int
    ratio: float


@dataclass(frozen=True, eq=False)
class Repeats:
    """What returns in a sequence.

    Attributes
    ----------
    nearest : ndarray
        Of each frame, the least distance from an earlier one, over that of neighbours in time;
        infinite where none is early enough.
    runs : tuple of RepeatedRun
        The closest first.
    least : float
        The least ratio of all pairs of runs, returned or not; infinite in short sequences.
    """

    nearest: NDArray[np.float64]
    runs: tuple[RepeatedRun, ...]
    least: float


def repeats_of(
    features: NDArray[np.float64],
    moved: NDArray[np.int64],
    length: int,
    apart: int,
    ratio: float,
    threads: Threads,
) -> Repeats:
    """Return the runs of at least `length` frames whose mean distance is below `ratio`.

    Parameters
    ----------
    features : ndarray
        See `features_of`.
    moved : ndarray of int
        How many steps before each frame were not frozen: a frozen run is no repeat of itself.
    length, apart : int
        Frames in a run, and moved steps between two of them, at least.
    ratio : float
        In distances of neighbours in time.
    threads : Threads
        Polled for a stop.
    """
    usual = neighbour_distance(features, _AROUND)
    nearest, least = np.full(len(features), np.inf), np.inf
    pairs = [np.empty((0, 3))]
    for start, matrix in distances(features, length):
        threads.poll()
        rows = np.arange(start, start + len(matrix))
        scaled = matrix / usual[rows, None]
        scaled[np.isnan(scaled) | (moved[None] - moved[rows, None] < apart)] = np.inf
        nearest = np.minimum(nearest, scaled.min(axis=0))
        means = _diagonal_means(scaled, length)
        least = min(least, float(means.min(initial=np.inf)))
        pairs.append(_closest(means, ratio) + np.array([start, 0.0, 0.0]))
    runs = [_trimmed(r, features, usual, ratio) for r in _joined(np.concatenate(pairs), length)]
    return Repeats(nearest, tuple(runs), least)


def _diagonal_means(scaled: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Return the mean of `length` values down the diagonal from each one."""
    rows, columns = (n - length + 1 for n in scaled.shape)
    if min(rows, columns) < 1:
        return np.empty((0, 0))
    total = np.zeros((rows, columns))
    for i in range(length):
        total += scaled[i : i + rows, i : i + columns]
    return total / length


def _trimmed(
    run: RepeatedRun, features: NDArray[np.float64], usual: NDArray[np.float64], ratio: float
) -> RepeatedRun:
    """Return a run without the frames at its ends that do not return themselves."""
    frames = np.arange(run.length)
    difference = features[run.first + frames] - features[run.later + frames]
    own = np.sqrt(np.mean(difference**2, axis=1)) / usual[run.first + frames]
    returned = np.flatnonzero(own < ratio)
    begin, end = int(returned[0]), int(returned[-1]) + 1
    mean = float(own[begin:end].mean())
    return RepeatedRun(run.first + begin, run.later + begin, end - begin, mean)


def _closest(means: NDArray[np.float64], ratio: float) -> NDArray[np.float64]:
    """Return (row, column, value) of the values below `ratio`, the least ones of very many."""
    row, column = np.nonzero(means < ratio)
    value = means[row, column]
    if len(value) > _PAIRS:
        kept = np.argpartition(value, _PAIRS)[:_PAIRS]
        row, column, value = row[kept], column[kept], value[kept]
    return np.stack([row, column, value], axis=1)


def _joined(pairs: NDArray[np.float64], length: int) -> tuple[RepeatedRun, ...]:
    """Return the runs of (first, later, ratio), without those that overlap a closer one."""
    runs: list[RepeatedRun] = []
    pairs = pairs[np.lexsort((pairs[:, 0], pairs[:, 2]))]
    while len(pairs) and len(runs) < _RUNS:
        first, later, ratio = pairs[0]
        same = pairs[:, 1] - pairs[:, 0] == later - first
        starts = _unbroken(pairs[same, 0], first, length)
        begin, end = starts.min(), starts.max() + length
        runs.append(RepeatedRun(int(begin), int(begin + later - first), int(end - begin),
                                float(ratio)))  # fmt: skip
        shift = begin + later - first
        apart_first = (pairs[:, 0] + length <= begin) | (pairs[:, 0] >= end)
        apart_later = (pairs[:, 1] + length <= shift) | (pairs[:, 1] >= shift + end - begin)
        pairs = pairs[apart_first | apart_later]
    return tuple(runs)


def _unbroken(starts: NDArray[np.float64], first: float, length: int) -> NDArray[np.float64]:
    """Return the starts that are joined to `first` by runs that overlap."""
    starts = np.unique(starts)
    group = np.cumsum(np.diff(starts, prepend=starts[0]) > length)
    return np.asarray(starts[group == group[np.searchsorted(starts, first)]])
