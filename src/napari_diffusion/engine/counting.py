"""Runs a local measurement over a whole image, in memory or chunk by chunk."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.image import Image, is_dask
from napari_diffusion.engine.histogram import Histogram
from napari_diffusion.engine.threads import Threads, with_halo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

# Stands where a pixel cannot be measured; such pixels are not counted.
NOT_MEASURED = -1.0

# Measured at a time.
SLAB_VOXELS = 1 << 20


def measured(
    image: Image,
    function: Callable[..., NDArray[Any]],
    halo: Sequence[int],
    *,
    joined: bool = False,
    around: float | None = None,
    tally: Callable[[], Any] = Histogram,
) -> Any:
    """Count what a function measures at every pixel of an image.

    Parameters
    ----------
    image : Image
        The whole source.
    function : callable
        ``function(block, mask, grid, drive)`` returns one number per pixel: 0 or more, or
        NOT_MEASURED.
    halo : sequence of 5 int
        How far the function reaches.
    joined : bool
        Whether the function returns one number for all channels of a pixel together.
    around : float, optional
        Count the distances from this number instead of the numbers.
    tally : callable
        Makes what counts: its ``add(values)`` gets the numbers, in any order and in parts.
    """
    if is_dask(image.data):
        from napari_diffusion.engine.chunks import chunk_histogram

        return chunk_histogram(image, function, halo, joined, around, tally)
    total = tally()
    for core in _slabs(image.data.shape, halo):
        padded, inner = with_halo(core, halo, image.data.shape)
        mask = None if image.mask is None else np.ascontiguousarray(image.mask[padded])
        origin = [part.start + o for part, o in zip(padded, image.grid.origin, strict=True)]
        block = np.ascontiguousarray(image.data[padded])
        values = function(block, mask, image.grid.at(origin), Threads())
        inside = None if image.mask is None else image.mask[core]
        count(total, values[(inner[0], slice(None), *inner[2:])], inside, around)
    return total


def _slabs(shape: Sequence[int], halo: Sequence[int]) -> Iterator[tuple[slice, ...]]:
    """Cut a canonical shape into slabs with all channels, so that measuring takes little memory."""
    t, c, z, y, x = shape
    axis = 2 if z > 1 else 3
    thick = max(SLAB_VOXELS * shape[axis] // (c * z * y * x), 4 * halo[axis], 1)
    frames = t if halo[0] else 1
    for t0 in range(0, t, frames):
        for first in range(0, shape[axis], thick):
            core = [slice(0, size) for size in shape]
            core[0] = slice(t0, min(t0 + frames, t))
            core[axis] = slice(first, min(first + thick, shape[axis]))
            yield tuple(core)


def count(
    histogram: Any,
    values: NDArray[Any],
    mask: NDArray[np.bool_] | None,
    around: float | None,
) -> None:
    """Add the values inside a mask, or their distances from a number, to a histogram."""
    if mask is not None:
        values = values[mask if mask.shape == values.shape else mask.any(axis=1, keepdims=True)]
    values = values[values >= 0]
    if around is not None:
        values = np.abs(values - around)
    histogram.add(np.minimum(values, np.finfo(np.float32).max))


def part_of(image: Image, box: Sequence[slice]) -> Image:
    """Return a part of an image as an image of its own, its windows at the same places."""
    plain = dataclasses.replace(image, alpha=None, holes=None)
    part = plain.cut(box)
    shape: Any = tuple(part.data.shape)
    return dataclasses.replace(part, grid=dataclasses.replace(part.grid, shape=shape))


def both(region: Any, mask: Any, name: str = "region_mask") -> Any:
    """Return where a region and a mask are; `name` is what the user calls the region."""
    region = np.asarray(region)
    if mask is None:
        return region
    mask = np.asarray(mask)
    if mask.shape != region.shape:
        raise ValueError(
            f"{name} and mask must have the same shape (got {region.shape} and {mask.shape})."
        )
    return (region != 0) & (mask != 0)
