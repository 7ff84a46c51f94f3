"""Sub-steps taken in waves: rows that one has just written are read by the next from the cache."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine import threads as driving

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.engine.threads import Threads

    Advance = Callable[[NDArray[Any], NDArray[Any], int, int], object]
    Step = Callable[[int, int], object]

# Memory that all sub-steps of a wave may take together: a part of what processors share.
WAVE_BYTES = 1 << 22


def advanced(
    advance: Advance, block: NDArray[Any], count: int, lag: int, threads: Threads
) -> NDArray[Any]:
    """Return a block after `count` sub-steps, taken by `in_waves`.

    Parameters
    ----------
    advance : callable
        ``advance(u, out, start, stop)`` writes the site rows start…stop−1 of one sub-step.
    block : ndarray
        Canonical (t, c, z, y, x); not written.
    count : int
        Number of sub-steps, 1 or more.
    lag, threads
        See `in_waves`.
    """
    buffers = [np.empty_like(block) for _ in range(min(count, 2))]

    def step(i: int) -> Step:
        u, out = block if i == 0 else buffers[(i - 1) % 2], buffers[i % 2]
        return lambda start, stop: advance(u, out, start, stop)

    in_waves([step(i) for i in range(count)], block.shape, 2 * block.itemsize, lag, threads)
    return buffers[(count - 1) % 2]


def in_waves(
    steps: Sequence[Step], shape: Sequence[int], sample_bytes: int, lag: int, threads: Threads
) -> None:
    """Take steps one after the other on all site rows, each near behind the one before.

    The threads take a stretch of rows each. Within it the first step runs ahead by a band, and
    every other one follows as near as it can. A stretch has no neighbours to take from, so from
    step to step it ends `lag` rows earlier; what is left open between two stretches is done when
    both are finished. Each row of each step is computed once, whoever does it.

    Parameters
    ----------
    steps : sequence of callable
        ``step(start, stop)`` takes site rows start…stop−1 of one step. A step may write over what
        the step before the last one wrote.
    shape : sequence of 5 int
        Canonical (t, c, z, y, x).
    sample_bytes : int
        What a pixel takes in all arrays that the steps go over.
    lag : int
        How many site rows away the farthest neighbour of a pixel lies.
    threads : Threads
        Shares stretches among threads.
    """
    t, c, z, y, x = shape
    rows, row_bytes = t * z * y, c * x * sample_bytes
    stretches = min(threads.count, math.ceil(rows * c * x / driving.TILE_VOXELS), rows)
    together = WAVE_BYTES // (row_bytes * max(lag, 1))
    if stretches > 1:
        together = min(together, rows // (4 * stretches * max(lag, 1)))
    together = min(max(together, 1), len(steps))
    edges = [rows * i // stretches for i in range(stretches + 1)]
    # About as much as a processor has for itself.
    band = max(driving.TILE_VOXELS // (c * x), 1)
    for first in range(0, len(steps), together):
        wave = [_Step(step, threads) for step in steps[first : first + together]]
        threads.each(
            lambda a, b, wave=wave: _stretch(wave, a, b, rows, lag, band),
            list(itertools.pairwise(edges)),
        )
        gaps = [(edge,) for edge in edges[1:-1]] if len(wave) > 1 else []
        threads.each(lambda edge, wave=wave: _gap(wave, edge, lag), gaps)


class _Step:
    """One step, which looks at the stop token first."""

    def __init__(self, step: Step, threads: Threads) -> None:
        self._step, self._threads = step, threads

    def __call__(self, start: int, stop: int) -> None:
        if stop > start:
            self._threads.poll()
            self._step(start, stop)


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
