"""Runs the components over an image in memory: tiles over threads, the stop token between tiles."""

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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.grid import Grid
    from napari_diffusion.filters import Filter
    from napari_diffusion.noise import Noise

# A tile is long enough to hide the 80 µs a barrier costs and short enough to stop within a blink.
TILE_VOXELS = 1 << 18

# How many times the size of the image a filter may hold at once, and what it may anyway.
MOST_COPIES = 9
SMALL = 8 << 20


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


def num_threads() -> int:
    """Return how many threads a run uses: NAPARI_DIFFUSION_THREADS, else the processors given."""
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
    """How a component is run over an image in memory.

    Attributes
    ----------
    threads : int
        Threads that share the tiles. Their number never changes a bit of the result.
    stop : StopToken or None
        Polled between tiles; once set, `Stopped` is raised. That of `stoppable` if not given.
    memory : dict or None
        What filters made of which block, where several filters within one share their pilots.
    """

    threads: int = field(default_factory=num_threads)
    stop: StopToken | None = field(default_factory=lambda: _stop.get())
    memory: dict[Any, Any] | None = field(default=None, compare=False, repr=False)

    def each(self, work: Callable[..., object], tiles: Sequence[tuple[Any, ...]]) -> None:
        """Call ``work(*tile)`` for every tile, shared among the threads; wait for all."""
        threads = min(self.threads, len(tiles))
        if threads <= 1:
            self._work_through(work, tiles)
            return
        pool = _pool(os.getpid(), self.threads)
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
        count = min(rows, math.ceil(wanted / self.threads) * self.threads if wanted > 1 else 1)
        edges = [rows * i // count for i in range(count + 1)]
        return list(itertools.pairwise(edges))

    def tiled(
        self,
        function: Callable[[NDArray[Any]], NDArray[Any]],
        block: NDArray[Any],
        halo: Sequence[int],
        work_per_voxel: int = 1,
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
        """
        out = np.empty(block.shape, block.dtype)

        def work(core: tuple[slice, ...]) -> None:
            padded, inner = with_halo(core, halo, block.shape)
            out[core] = function(block[padded])[inner]

        voxels = max(TILE_VOXELS // work_per_voxel, 1)
        self.each(work, [(tile,) for tile in _tiles(block.shape, halo, voxels)])
        return out

    def add_noise(
        self,
        block: NDArray[Any],
        noise: Noise,
        noise_scale: float | tuple[float, ...],
        address: Address,
        grid: Grid,
        mask: NDArray[np.bool_] | None,
    ) -> NDArray[Any]:
        """Return the block with one step's noise added; outside the mask it is unchanged."""
        self.poll()
        noise.check(block, noise_scale, mask)
        return _kept_outside(mask, block, noise.add(block, noise_scale, address, grid, self))

    def apply_filter(
        self,
        block: NDArray[Any],
        chosen: Filter,
        grid: Grid,
        mask: NDArray[np.bool_] | None,
    ) -> NDArray[Any]:
        """Return the filtered block; outside the mask it is unchanged."""
        self.poll()
        if self.memory is None:
            return _kept_outside(mask, block, self._by_parts(block, chosen, grid, mask))
        key = (chosen, id(block))
        if key not in self.memory:
            made = _kept_outside(mask, block, chosen.apply(block, grid, mask, self))
            # With the block itself, so that no other one gets its id.
            self.memory[key] = (block, made)
        return self.memory[key][1]

    def _by_parts(
        self,
        block: NDArray[Any],
        chosen: Filter,
        grid: Grid,
        mask: NDArray[np.bool_] | None,
    ) -> NDArray[Any]:
        """Filter a block part by part where the whole would take too much memory."""
        halo = chosen.halo(grid)
        most = max(SMALL, MOST_COPIES * block.size) // chosen.copies
        if halo is None or block.size <= most:
            return chosen.apply(block, grid, mask, self)
        out = np.empty(block.shape, block.dtype)
        for core in large_tiles(block.shape, halo, most):
            self.poll()
            outer, inner = with_halo(core, halo, block.shape)
            origin = [o + part.start for o, part in zip(grid.origin, outer, strict=True)]
            inside = None if mask is None else np.ascontiguousarray(mask[outer])
            part = np.ascontiguousarray(block[outer])
            out[core] = chosen.apply(part, grid.at(origin), inside, self)[inner]
        return out


def _kept_outside(
    mask: NDArray[np.bool_] | None, before: NDArray[Any], after: NDArray[Any]
) -> NDArray[Any]:
    if mask is not None:
        np.copyto(after, before, where=~mask)
    return after


def with_halo(
    core: Sequence[slice], halo: Sequence[int], shape: Sequence[int]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return the slices of a core with its halo, and of the core inside that padded block."""
    padded = tuple(
        slice(max(part.start - reach, 0), min(part.stop + reach, size))
        for part, reach, size in zip(core, halo, shape, strict=True)
    )
    inner = tuple(
        slice(part.start - outer.start, part.stop - outer.start)
        for part, outer in zip(core, padded, strict=True)
    )
    return padded, inner


def large_tiles(
    shape: Sequence[int], halo: Sequence[int], most: int
) -> Iterator[tuple[slice, ...]]:
    """Cut a canonical shape, but not its channels, into cores of `most` pixels with their halo.

    The axis that is cut is the one where the least is done twice; a core stays as thick as its
    halo.
    """
    counts = [1] * len(shape)

    def padded(axis: int, count: int) -> int:
        return min(math.ceil(shape[axis] / count) + min(count - 1, 2) * halo[axis], shape[axis])

    def work(axis: int) -> float:
        more = (counts[axis] + 1) * padded(axis, counts[axis] + 1)
        return more / (counts[axis] * padded(axis, counts[axis]))

    while math.prod(padded(axis, count) for axis, count in enumerate(counts)) > most:
        cut = [
            axis
            for axis in (0, 2, 3, 4)
            if shape[axis] // (counts[axis] + 1) > halo[axis]
            and padded(axis, counts[axis] + 1) < padded(axis, counts[axis])
        ]
        if not cut:
            break
        counts[min(cut, key=work)] += 1
    edges = [[n * i // count for i in range(count + 1)]
             for n, count in zip(shape, counts, strict=True)]  # fmt: skip
    yield from itertools.product(
        *([slice(a, b) for a, b in itertools.pairwise(each)] for each in edges)
    )


def _tiles(shape: Sequence[int], halo: Sequence[int], voxels: int) -> Iterator[tuple[slice, ...]]:
    """Cut a canonical shape into cores: whole rows, single batch images, bands of y or z."""
    t, c, z, y, x = shape
    # Bands at least as thick as twice the halo keep the work done twice below one half.
    band_y = min(y, max(4 * halo[3], voxels // max(x, 1), 1))
    band_z = min(z, max(4 * halo[2], voxels // max(band_y * x, 1), 1))
    thick_t = 1 if halo[0] == 0 else t
    for t0 in range(0, t, thick_t):
        for c0 in range(c):
            for z0 in range(0, z, band_z):
                for y0 in range(0, y, band_y):
                    yield (
                        slice(t0, min(t0 + thick_t, t)),
                        slice(c0, c0 + 1),
                        slice(z0, min(z0 + band_z, z)),
                        slice(y0, min(y0 + band_y, y)),
                        slice(0, x),
                    )
