"""Shares tiles of work among threads and checks the stop token between tiles."""

from __future__ import annotations

import concurrent.futures
import contextlib
import contextvars
import functools
import itertools
import math
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from napari_diffusion.engine.tiles import tiles, with_halo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray


# A tile is long enough to hide the 80 µs a barrier costs and short enough to stop within a blink.
TILE_VOXELS = 1 << 18


class Stopped(Exception):  # noqa: N818 - being stopped is no error
    """The run was stopped; the steps yielded before are complete and stay valid."""


class StopToken(Protocol):
    """Anything with ``is_set()``, such as a `threading.Event`."""

    def is_set(self) -> bool:
        """Return whether the run has been asked to stop."""
        ...


_stop: contextvars.ContextVar[StopToken | None] = contextvars.ContextVar("stop", default=None)


@contextlib.contextmanager
def stoppable(stop: StopToken | None) -> Iterator[None]:
    """Let what is measured within stop too, though nobody hands it the token."""
    before = _stop.set(stop)
    try:
        yield
    finally:
        _stop.reset(before)


_wanted: int | None = None


def use_threads(count: int | None) -> None:
    """Let all that begins from now on use so many threads; None: as many as without this."""
    global _wanted
    _wanted = count


def num_threads() -> int:
    """Return how many threads a run uses.

    As many as `use_threads` was told, else NAPARI_DIFFUSION_THREADS, else the processors given.
    """
    if _wanted is not None:
        return _wanted
    wanted = os.environ.get("NAPARI_DIFFUSION_THREADS", "")
    if wanted:
        if not wanted.isdecimal() or int(wanted) < 1:
            raise ValueError(
                f"NAPARI_DIFFUSION_THREADS must be a whole number of 1 or more (got {wanted!r})."
            )
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@functools.cache
def _pool(process: int, threads: int) -> concurrent.futures.ThreadPoolExecutor:
    # Keyed by the process too, because threads do not survive a fork.
    del process
    return concurrent.futures.ThreadPoolExecutor(threads, thread_name_prefix="napari-diffusion")


@dataclass(frozen=True)
class Threads:
    """The threads that share the work on a block.

    Attributes
    ----------
    count : int
        Their number, which never changes a bit of a result.
    stop : StopToken or None
        Polled between tiles; once set, `Stopped` is raised. That of `stoppable` if not given.
    """

    count: int = field(default_factory=num_threads)
    stop: StopToken | None = field(default_factory=lambda: _stop.get())

    def each(self, work: Callable[..., object], tiles: Sequence[tuple[Any, ...]]) -> None:
        """Call ``work(*tile)`` for every tile, shared among the threads; wait for all."""
        threads = min(self.count, len(tiles))
        if threads <= 1:
            self._work_through(work, tiles)
            return
        pool = _pool(os.getpid(), self.count)
        others = [
            pool.submit(self._work_through, work, tiles[share::threads])
            for share in range(1, threads)
        ]
        try:
            self._work_through(work, tiles[::threads])
        finally:
            concurrent.futures.wait(others)
        for other in others:
            other.result()

    def _work_through(self, work: Callable[..., object], tiles: Sequence[tuple[Any, ...]]) -> None:
        for tile in tiles:
            self.poll()
            work(*tile)

    def poll(self) -> None:
        """Raise `Stopped` if the run has been asked to stop."""
        if self.stop is not None and self.stop.is_set():
            raise Stopped("The run was stopped between two tiles.")

    def bands(self, rows: int, row_voxels: int) -> list[tuple[int, int]]:
        """Cut `rows` into half-open bands: short enough to stop soon, even over the threads."""
        wanted = math.ceil(rows * row_voxels / TILE_VOXELS)
        bands = min(rows, math.ceil(wanted / self.count) * self.count if wanted > 1 else 1)
        edges = [rows * i // bands for i in range(bands + 1)]
        return list(itertools.pairwise(edges))

    def tiled(
        self,
        function: Callable[..., NDArray[Any]],
        block: NDArray[Any],
        halo: Sequence[int],
        work_per_voxel: int = 1,
        beside: Sequence[NDArray[Any]] = (),
    ) -> NDArray[Any]:
        """Apply a local array function tile by tile, each tile with its halo.

        Parameters
        ----------
        function : callable
            Maps an array to one of the same shape; a result depends on pixels within `halo`.
        block : ndarray
            Canonical (t, c, z, y, x).
        halo : sequence of 5 int
            Reach of `function` along each axis.
        work_per_voxel : int
            How many times longer than a simple filter a voxel takes: tiles are as much smaller.
        beside : sequence of ndarray
            Arrays of the block's shape, of which `function` gets the same tile as well.
        """
        out = np.empty(block.shape, block.dtype)

        def work(core: tuple[slice, ...]) -> None:
            padded, inner = with_halo(core, halo, block.shape)
            out[core] = function(block[padded], *(each[padded] for each in beside))[inner]

        voxels = max(TILE_VOXELS // work_per_voxel, 1)
        self.each(work, [(tile,) for tile in tiles(block.shape, halo, voxels)])
        return out
