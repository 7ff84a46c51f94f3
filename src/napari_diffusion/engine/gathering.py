"""Gathers what is measured of lazy images at the same time, so that they are read once for all."""

from __future__ import annotations

import contextvars
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from napari_diffusion.core.dask_array import is_dask
from napari_diffusion.engine.block import Block
from napari_diffusion.engine.slab_reading import Slab, loaded, slab_pixels, slabs
from napari_diffusion.engine.threads import Stopped, Threads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.counting import Measurement, Tally

R = TypeVar("R")
T = TypeVar("T", bound="Tally")


class _Gathering:
    """Measurements that wait until whatever could still ask for another one waits too."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.running, self.closed = 0, False
        self.waiting: list[tuple[Measurement[Any], Future[Any]]] = []

    def more(self, count: int) -> None:
        """Say that so many more functions run, or less."""
        with self.changed:
            self.running += count
            self.changed.notify()

    def tallied(self, measurement: Measurement[T]) -> T:
        """Wait for the pass in which this is measured."""
        found: Future[T] = Future()
        with self.changed:
            if self.closed:
                raise Stopped("What is measured together was interrupted.")
            self.waiting.append((measurement, found))
            self.more(-1)
        return found.result()

    def serve(self) -> None:
        """Measure what waits, in one pass each time, until no function runs any more."""
        batch: list[tuple[Measurement[Any], Future[Any]]] = []
        try:
            while batch := self._all_that_wait():
                _served(batch)
        finally:
            # Nobody waits any more, unless this was interrupted.
            with self.changed:
                self.closed = True
                for _, found in (*batch, *self.waiting):
                    if not found.done():
                        found.set_exception(Stopped("What is measured together was interrupted."))

    def _all_that_wait(self) -> list[tuple[Measurement[Any], Future[Any]]]:
        with self.changed:
            self.changed.wait_for(lambda: self.running == 0)
            batch, self.waiting = self.waiting, []
            self.running = len(batch)
            return batch


def _served(batch: list[tuple[Measurement[Any], Future[Any]]]) -> None:
    try:
        totals = in_one_pass([measurement for measurement, _ in batch])
    except BaseException as error:
        for _, found in batch:
            found.set_exception(error)
    else:
        for (_, found), total in zip(batch, totals, strict=True):
            found.set_result(total)


_current: contextvars.ContextVar[_Gathering | None] = contextvars.ContextVar(
    "gathering", default=None
)


def gathered(measurement: Measurement[T]) -> T:
    """Return what is counted of a lazy image, in one pass with what is measured meanwhile."""
    gathering = _current.get()
    if gathering is not None:
        return gathering.tallied(measurement)
    total: T = in_one_pass([measurement])[0]
    return total


def together(image: Image, functions: Sequence[Callable[[], Any]]) -> list[Any]:
    """Return what functions return that measure an image, which is read as seldom as can be.

    Of a lazy image they run side by side. When all of them wait for a measurement, these are made
    in one pass over the image. The first failure is raised when all have ended.
    """
    if not is_dask(image.data) or len(functions) < 2:
        return [function() for function in functions]
    outer = _current.get()
    gathering, left = outer or _Gathering(), len(functions)
    gathering.more(left - (outer is not None))

    def run(function: Callable[[], R]) -> R:
        nonlocal left
        _current.set(gathering)
        try:
            return function()
        finally:
            with gathering.changed:
                left -= 1
                # The last one leaves its place to the function that waits for them all.
                if left or outer is None:
                    gathering.more(-1)

    with ThreadPoolExecutor(len(functions), "measuring") as pool:
        made = [pool.submit(contextvars.copy_context().run, run, each) for each in functions]
        if outer is None:
            gathering.serve()
    return [each.result() for each in made]


def in_one_pass(measurements: Sequence[Measurement[Any]]) -> list[Any]:
    """Return what is counted in one pass over images that fit together, such as channels."""
    totals = [each.tally() for each in measurements]
    for size in dict.fromkeys(_size(each.image) for each in measurements):
        _count([pair for pair in zip(measurements, totals, strict=True)
                if _size(pair[0].image) == size])  # fmt: skip
    return totals


def _size(image: Image) -> tuple[int, ...]:
    t, _, z, y, x = image.data.shape
    return t, z, y, x


def _count(wanted: Sequence[tuple[Measurement[Any], Any]]) -> None:
    """Count in slabs, each read once with the widest halo."""
    images = list({id(each.image): each.image for each, _ in wanted}.values())
    halo = [max(reach) for reach in zip(*(each.halo for each, _ in wanted), strict=True)]
    channels, threads = sum(image.data.shape[1] for image in images), Threads()

    def read(box: tuple[slice, ...]) -> list[NDArray[Any]]:
        threads.poll()
        return [array for pair in loaded(images, box) for array in pair if array is not None]

    def count(slab: Slab) -> None:
        parts = iter(slab.arrays)
        for image in images:
            values, mask = next(parts), None if image.mask is None else next(parts)
            origin = [a + b for a, b in zip(image.grid.origin, slab.origin, strict=True)]
            block = Block(values, image.grid.at(origin), mask, threads)
            core = (slab.core[0], slice(0, values.shape[1]), *slab.core[2:])
            for each, total in wanted:
                if each.image is image:
                    each.count(block, core, total)

    for slab in slabs(images[0].data.chunks, halo, slab_pixels() // channels, read):
        count(slab)
        # So that it goes before the next one is read.
        del slab
