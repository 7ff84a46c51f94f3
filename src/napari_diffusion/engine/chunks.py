"""Runs components over the chunks of a dask array, lazily: each chunk is a block in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from napari_diffusion.core.no_data import check_present
from napari_diffusion.engine.block import Block
from napari_diffusion.engine.gathering import gathered
from napari_diffusion.engine.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import dask.array as da
    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.image import Array, Image
    from napari_diffusion.core.noise_scale import NoiseScale
    from napari_diffusion.engine.block import BlockFilter, BlockNoise
    from napari_diffusion.engine.counting import Measurement, Tally

T = TypeVar("T", bound="Tally")


@dataclass(frozen=True)
class Chunks:
    """The executor of dask arrays: the scheduler has the threads, a chunk takes one.

    Chunks get the halo that the component declares; a component without one gets whole axes.
    Results are equal to those in memory.
    """

    def add_noise(
        self, image: Image, noise: BlockNoise, noise_scale: NoiseScale, address: Address
    ) -> da.Array:
        """Return the values with noise added, lazily; see `Executor.add_noise`."""

        def work(block: Block) -> NDArray[Any]:
            return block.with_noise(noise, noise_scale, address)

        return _on_blocks(work, image, noise.halo(image.grid))

    def apply_filter(self, image: Image, chosen: BlockFilter) -> da.Array:
        """Return the filtered values, lazily; see `Executor.apply_filter`."""

        def work(block: Block) -> NDArray[Any]:
            return block.filtered(chosen)

        return _on_blocks(work, _with_whole_channels(image), chosen.halo(image.grid))

    def mapped(
        self, function: Callable[[NDArray[Any], Threads], NDArray[Any]], values: Array
    ) -> da.Array:
        """Return what a function makes of every value, lazily; see `Executor.mapped`."""
        import dask.array as da

        def work(block: NDArray[Any]) -> NDArray[Any]:
            return function(np.ascontiguousarray(block), Threads(count=1))

        meta = np.empty((0,) * 5, values.dtype)
        return da.map_blocks(work, values, dtype=values.dtype, meta=meta)

    def tallied(self, measurement: Measurement[T]) -> T:
        """Count what is measured, together with what else is; see `Executor.tallied`."""
        return gathered(measurement)


def _with_whole_channels(image: Image) -> Image:
    """Return an image whose chunks have all channels: joint ones share an edge map."""
    return image if image.grid.shape[1] == 1 else image.with_data(image.data.rechunk({1: -1}))


def _on_blocks(
    work: Callable[[Block], NDArray[Any]], image: Image, halo: Sequence[int] | None
) -> da.Array:
    """Map a function over chunks with their halos."""
    import dask.array as da

    values, grid = image.data, image.grid
    if halo is None:
        values = values.rechunk(dict.fromkeys(grid.along_axes, -1))
        halo = (0,) * 5
    depth = {axis: min(reach, grid.shape[axis]) for axis, reach in enumerate(halo)}
    arrays = [values] if image.mask is None else [values, _like(image.mask, values)]
    padded = [
        da.overlap.overlap(array, depth=depth, boundary="none", allow_rechunk=True)
        for array in arrays
    ]
    # Where chunks are thinner than the halo, overlap has merged some: count from what it made.
    cores = [_core_chunks(padded[0].chunks[axis], depth[axis]) for axis in range(5)]
    starts = [np.concatenate([[0], np.cumsum(core)[:-1]]) for core in cores]

    def block_work(*blocks: NDArray[Any], block_info: Any = None) -> NDArray[Any]:
        location = block_info[0]["chunk-location"]
        origin = [
            int(starts[axis][i]) - (depth[axis] if i else 0) + grid.origin[axis]
            for axis, i in enumerate(location)
        ]
        block, *inside = (np.ascontiguousarray(each) for each in blocks)
        mask = inside[0] if inside else None
        check_present(block if mask is None else block[mask], "A chunk")
        return work(Block(block, grid.at(origin), mask, Threads(count=1)))

    done = da.map_blocks(
        block_work,
        *padded,
        dtype=values.dtype,
        meta=np.empty((0,) * 5, values.dtype),
        chunks=padded[0].chunks,
    )
    return da.overlap.trim_internal(done, depth, boundary="none")


def _core_chunks(padded: Sequence[int], depth: int) -> list[int]:
    last = len(padded) - 1
    return [size - depth * ((i > 0) + (i < last)) for i, size in enumerate(padded)]


def _like(mask: Array, values: da.Array) -> da.Array:
    import dask.array as da

    return da.asarray(mask, chunks=values.chunks).rechunk(values.chunks)
