"""Runs components over an image in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from napari_diffusion.engine.block import Block
from napari_diffusion.engine.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.image import Array, Image
    from napari_diffusion.core.noise_scale import NoiseScale
    from napari_diffusion.engine.block import BlockFilter, BlockNoise
    from napari_diffusion.engine.counting import Measurement, Tally

T = TypeVar("T", bound="Tally")


@dataclass(frozen=True)
class InMemory:
    """The executor of arrays: the image is one block, and threads share its tiles."""

    threads: Threads = field(default_factory=Threads)

    def add_noise(
        self, image: Image, noise: BlockNoise, noise_scale: NoiseScale, address: Address
    ) -> NDArray[Any]:
        """Return the values with noise added; see `Executor.add_noise`."""
        return self._block(image).with_noise(noise, noise_scale, address)

    def apply_filter(self, image: Image, chosen: BlockFilter) -> NDArray[Any]:
        """Return the filtered values; see `Executor.apply_filter`."""
        return self._block(image).filtered(chosen)

    def mapped(
        self, function: Callable[[NDArray[Any], Threads], NDArray[Any]], values: Array
    ) -> NDArray[Any]:
        """Return what a function makes of every value; see `Executor.mapped`."""
        return function(np.ascontiguousarray(values), self.threads)

    def tallied(self, measurement: Measurement[T]) -> T:
        """Count what is measured, slab by slab; see `Executor.tallied`."""
        block, total = self._block(measurement.image), measurement.tally()
        measurement.count(block, [slice(0, size) for size in block.shape], total)
        return total

    def _block(self, image: Image) -> Block:
        return Block(image.data, image.grid, image.mask, self.threads)
