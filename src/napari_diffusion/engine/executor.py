"""Executors, which run components on an image: in memory or on the chunks of a dask array."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from napari_diffusion.core.image import is_dask
from napari_diffusion.engine.counting import Measurement, counted
from napari_diffusion.engine.histogram import Histogram
from napari_diffusion.engine.in_memory import InMemory
from napari_diffusion.engine.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.image import Array, Image
    from napari_diffusion.core.noise_scale import NoiseScale
    from napari_diffusion.engine.block import BlockFilter, BlockNoise
    from napari_diffusion.engine.counting import Measure, Tally
    from napari_diffusion.engine.threads import StopToken

T = TypeVar("T", bound="Tally")


class Executor(Protocol):
    """Runs components over whole images; every executor gives the same bits."""

    def add_noise(
        self, image: Image, noise: BlockNoise, noise_scale: NoiseScale, address: Address
    ) -> Array:
        """Return the values with noise added; outside the mask they are unchanged."""
        ...

    def apply_filter(self, image: Image, chosen: BlockFilter) -> Array:
        """Return the filtered values; outside the mask they are unchanged."""
        ...

    def mapped(
        self, function: Callable[[NDArray[Any], Threads], NDArray[Any]], values: Array
    ) -> Array:
        """Return what a function makes of every value by itself, of the same type."""
        ...

    def tallied(self, measurement: Measurement[T]) -> T:
        """Count what is measured at every pixel of an image."""
        ...


def executor_for(values: Array, stop: StopToken | None = None) -> Executor:
    """Return the executor for an array; `stop` ends a run within a tile."""
    if is_dask(values):
        from napari_diffusion.engine.chunks import Chunks

        return Chunks()
    return InMemory(Threads() if stop is None else Threads(stop=stop))


def measured(
    image: Image,
    measure: Measure,
    halo: Sequence[int],
    *,
    around: float | None = None,
) -> Histogram:
    """Count what a function measures at every pixel of an image.

    Parameters
    ----------
    image : Image
        The whole source.
    measure : callable
        ``measure(block)`` returns one number per pixel, or one for all its channels: 0 or more, or
        NOT_MEASURED.
    halo : sequence of 5 int
        How far it reaches.
    around : float, optional
        Count the distances from this number instead of the numbers.
    """
    chosen = counted if around is None else functools.partial(counted, around=around)
    return tallied(Measurement(image, measure, halo, Histogram, chosen))


def tallied(measurement: Measurement[T]) -> T:
    """Count as `measured` does, with what a measurement says."""
    return executor_for(measurement.image.data).tallied(measurement)
