"""Sub-steps taken in waves: rows that one has just written are read by the next from the cache."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion import drive as driving

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_diffusion.drive import Drive

    Advance = Callable[[NDArray[Any], NDArray[Any], int, int], object]

# Memory that all sub-steps of a wave may take together: a part of what processors share.
WAVE_BYTES = 1 << 22


def advanced(
    advance: Advance, block: NDArray[Any], count: int, lag: int, drive: Drive
) -> NDArray[Any]:
    """Return a block after `count` sub-steps.

    The threads take a stretch of rows each. Within it the first sub-step runs ahead by a band, and
    every other one follows as near as it can. A stretch has no neighbours to take from, so from
    sub-step to sub-step it ends `lag` rows earlier; what is left open between two stretches is
    done when both are finished. Each row of each sub-step is computed once, whoever does it.

    Parameters
    ----------
    advance : callable
        ``advance(u, out, start, stop)`` writes the site rows start…stop−1 of one sub-step.
    block : ndarray
        Canonical (t, c, z, y, x); not written.
    count : int
        Number of sub-steps, 1 or more.
    lag : int
        How many site rows away the farthest neighbour of a sample lies.
    drive : Drive
        Shares stretches among threads.
    """
    t, c, z, y, x = block.shape
    rows, row_bytes = t * z * y, c * x * block.itemsize
    stretches = min(drive.threads, math.ceil(rows * c * x / driving.TILE_VOXELS), rows)
    together = WAVE_BYTES // (2 * row_bytes * max(lag, 1))
    if stretches > 1:
        together = min(together, rows // (4 * stretches * max(lag, 1)))
    together = min(max(together, 1), count)
    buffers = [np.empty_like(block) for _ in range(min(count, 2))]
    edges = [rows * i // stretches for i in range(stretches + 1)]
    # About as much as a processor has for itself.
    band = max(driving.TILE_VOXELS // (c * x), 1)
    for first in range(0, count, together):
        steps = [
            _Step(advance, block if i == 0 else buffers[(i - 1) % 2], buffers[i % 2], drive)
            for i in range(first, min(first + together, count))
        ]
        drive.each(
            lambda a, b, steps=steps: _stretch(steps, a, b, rows, lag, band),
            list(itertools.pairwise(edges)),
        )
        gaps = [(edge,) for edge in edges[1:-1]] if len(steps) > 1 else []
        drive.each(lambda edge, steps=steps: _gap(steps, edge, lag), gaps)
    return buffers[(count - 1) % 2]


class _Step:
    """One sub-step, from one array to another."""

    def __init__(self, advance: Advance, u: NDArray[Any], out: NDArray[Any], drive: Drive) -> None:
        self._advance, self._u, self._out, self._drive = advance, u, out, drive

    def __call__(self, start: int, stop: int) -> None:
        if stop > start:
            self._drive.poll()
            self._advance(self._u, self._out, start, stop)


def _stretch(steps: list[_Step], start: int, stop: int, rows: int, lag: int, band: int) -> None:
    """Take the steps of the rows from start to stop, but for those that others are needed for."""
    done = [start + (i * lag if start > 0 else 0) for i in range(len(steps))]
    ends = [stop - (i * lag if stop < rows else 0) for i in range(len(steps))]
    while done[-1] < ends[-1]:
        ready = min(done[0] + band, ends[0])
        for i, step in enumerate(steps):
            # Beyond its last row a step finds all it needs.
            upto = ready if i == 0 else ends[i] if ready == ends[i - 1] else ready - lag
            upto = max(upto, done[i])
            step(done[i], upto)
            done[i] = ready = upto


def _gap(steps: list[_Step], edge: int, lag: int) -> None:
    """Take the steps of the rows that two stretches left open between them."""
    for i, step in enumerate(steps):
        step(edge - i * lag, edge + i * lag)
