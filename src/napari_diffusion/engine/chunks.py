"""Runs the components over the chunks of a dask array, lazily: the same drive, chunk by chunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.image import Image, is_dask
from napari_diffusion.engine.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.grid import Grid
    from napari_diffusion.core.noise_scale import NoiseScale
    from napari_diffusion.filters import Filter
    from napari_diffusion.noise import Noise


@dataclass(frozen=True)
class Chunks:
    """How a component is run over a dask array: the scheduler has the threads, a chunk takes one.

    Chunks get the halo that the component declares; a component without one gets whole axes.
    Results are equal to those in memory.
    """

    def add_noise(
        self,
        values: Any,
        noise: Noise,
        noise_scale: NoiseScale,
        address: Address,
        grid: Grid,
        mask: Any,
    ) -> Any:
        """Return the values with one step's noise added, lazily."""

        def work(block: NDArray[Any], inside: Any, place: Grid) -> NDArray[Any]:
            first = place.origin[1]
            scale = noise_scale
            if isinstance(scale, tuple):
                scale = scale[first : first + block.shape[1]]
            return Threads(threads=1).add_noise(block, noise, scale, address, place, inside)

        return _mapped(work, values, mask, grid, noise.halo(grid))

    def apply_filter(self, values: Any, chosen: Filter, grid: Grid, mask: Any) -> Any:
        """Return the filtered values, lazily."""
        if grid.shape[1] > 1:
            # Joint channels share an edge map, and lists of one number per channel need them all.
            values = values.rechunk({1: -1})

        def work(block: NDArray[Any], inside: Any, place: Grid) -> NDArray[Any]:
            return Threads(threads=1).apply_filter(block, chosen, place, inside)

        return _mapped(work, values, mask, grid, chosen.halo(grid))


def _mapped(
    work: Callable[..., NDArray[Any]],
    values: Any,
    mask: Any,
    grid: Grid,
    halo: Sequence[int] | None,
) -> Any:
    """Map a function of (block, mask, grid) over chunks with their halos."""
    import dask.array as da

    if halo is None:
        values = values.rechunk(dict.fromkeys(grid.along_axes, -1))
        halo = (0,) * 5
    depth = {axis: min(reach, grid.shape[axis]) for axis, reach in enumerate(halo)}
    arrays = [values] if mask is None else [values, _like(mask, values)]
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
        block = np.ascontiguousarray(blocks[0])
        inside = np.ascontiguousarray(blocks[1]) if len(blocks) > 1 else None
        _check_finite(block, inside)
        return work(block, inside, grid.at(origin))

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


def _like(mask: Any, values: Any) -> Any:
    import dask.array as da

    mask = mask if is_dask(mask) else da.from_array(mask, chunks=values.chunks)
    return mask.rechunk(values.chunks)


def _check_finite(block: NDArray[Any], inside: NDArray[np.bool_] | None) -> None:
    values = block if inside is None else block[inside]
    if values.size and not (np.isfinite(values.min()) and np.isfinite(values.max())):
        count = int(np.count_nonzero(~np.isfinite(values)))
        raise ValueError(
            f"A chunk has {count} NaN or infinite values: use mask=isfinite(image) and fill the "
            "missing values."
        )


def chunk_histogram(
    image: Image,
    function: Callable[..., NDArray[Any]],
    halo: Sequence[int],
    joined: bool,
    around: float | None,
    tally: Callable[[], Any],
) -> Any:
    """Count a local measurement chunk by chunk; see `estimate._measure.measured`."""
    from dask.delayed import delayed

    from napari_diffusion.engine.counting import count

    values, grid = image.data.rechunk({1: -1}), image.grid

    def work(block: NDArray[Any], inside: Any, place: Grid) -> NDArray[Any]:
        measured = function(block, inside, place, Threads(threads=1))
        return np.broadcast_to(measured, block.shape)

    def counted(total: Any, block: NDArray[Any], inside: Any) -> Any:
        # One number for all channels stands in each of them: count it once.
        count(total, block[:, :1] if joined else block, inside, around)
        return total

    mapped = _mapped(work, values, image.mask, grid, halo)
    blocks = mapped.to_delayed().ravel()
    masks = [None] * len(blocks)
    if image.mask is not None:
        masks = _like(image.mask, mapped).to_delayed().ravel()
    # One histogram goes from chunk to chunk: there are never many of them, nor many chunks waiting.
    total = delayed(tally)()
    for block, inside in zip(blocks, masks, strict=True):
        total = delayed(counted)(total, block, inside)
    return total.compute()
