"""Reads a large array in slabs of whole chunks, each once, with what lies around them."""

from __future__ import annotations

import contextlib
import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.no_data import check_present
from napari_diffusion.engine.tiles import with_halo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image

    Box = tuple[slice, ...]
    Masked = tuple[NDArray[Any], NDArray[np.bool_] | None]
    Arrays = list[NDArray[Any]]

# Pixels of a slab, over all channels. A chunk with more is read whole nevertheless.
SLAB_PIXELS = 1 << 24

# Bytes for a pixel of a slab, with all that is measured of it.
_PIXEL_BYTES = 56

_memory: int | None = None


def slab_pixels() -> int:
    """Return how many pixels a slab has: as many as `slabs_within` was told there is memory for."""
    return SLAB_PIXELS if _memory is None else min(_memory // _PIXEL_BYTES, SLAB_PIXELS)


@contextlib.contextmanager
def slabs_within(memory: int) -> Iterator[None]:
    """Let what is measured of large images take no more than so many bytes, in all threads."""
    global _memory
    before, _memory = _memory, memory
    try:
        yield
    finally:
        _memory = before


@dataclass(frozen=True)
class Slab:
    """A part of some arrays.

    Attributes
    ----------
    arrays : list of ndarray
        The part of each array.
    origin : tuple of 5 int
        Where it begins.
    core : tuple of 5 slice
        Where the pixels lie in it that no other slab has as its own.
    """

    arrays: Arrays
    origin: tuple[int, ...]
    core: Box


def slabs(
    chunks: Sequence[Sequence[int]],
    halo: Sequence[int],
    pixels: int,
    read: Callable[[Box], Arrays],
) -> Iterator[Slab]:
    """Yield slabs of arrays that share their chunks and fit together in all but their channels.

    Slabs follow each other along one axis, where nothing is read twice: each keeps the end of the
    one before. Where whole planes are too large for a slab, the image is read in several columns,
    and the chunks around a column twice.

    Parameters
    ----------
    chunks : sequence of 5 sequences of int
        Sizes of the chunks along each axis.
    halo : sequence of 5 int
        How much lies around a core.
    pixels : int
        How many a slab may have in one channel; it has at least one chunk.
    read : callable
        Returns the parts of all arrays in a box of all channels.
    """
    shape = [sum(sizes) for sizes in chunks]
    march, cuts = _cuts(chunks, halo, pixels)
    columns = [[slice(0, n)] if axis == march else cuts[axis] for axis, n in enumerate(shape)]
    for column in itertools.product(*columns):
        outer, inner = with_halo(column, halo, shape)
        yield from _along(march, cuts[march], halo[march], outer, inner, read)


def loaded(images: Sequence[Image], box: Box) -> list[Masked]:
    """Return the values and the mask of lazy images in a box of all channels.

    Raises
    ------
    ValueError
        For values that are missing.
    """
    import dask.array as da

    part = (box[0], slice(None), *box[2:])
    lazy = [(each.data[part], None if each.mask is None else each.mask[part]) for each in images]
    found: list[Masked] = []
    # What the images have in common is read once.
    for values, mask in da.compute(*lazy):
        check_present(values if mask is None else values[mask], "A chunk")
        found.append(
            (np.ascontiguousarray(values), None if mask is None else np.ascontiguousarray(mask))
        )
    return found


def _along(
    axis: int,
    layers: Sequence[slice],
    halo: int,
    outer: Box,
    inner: Box,
    read: Callable[[Box], Arrays],
) -> Iterator[Slab]:
    """Yield the slabs of a column, layer by layer."""
    arrays: Arrays = []
    done = 0
    for layer in layers:
        new = read(_with(outer, axis, layer))
        if arrays:
            # What the layer before has left: its last pixels, and the halo before them.
            new = [np.concatenate(pair, axis) for pair in zip(arrays, new, strict=True)]
        arrays = new
        del new
        first = layer.stop - arrays[0].shape[axis]
        end = layer.stop - (0 if layer is layers[-1] else halo)
        if end > done:
            origin = [part.start for part in _with(outer, axis, slice(first, layer.stop))]
            yield Slab(arrays, tuple(origin), _with(inner, axis, slice(done - first, end - first)))
            done = end
        left = _with((slice(None),) * 5, axis, slice(max(done - halo - first, 0), None))
        arrays = [array[left].copy() for array in arrays]


def _with(box: Box, axis: int, part: slice) -> Box:
    return (*box[:axis], part, *box[axis + 1 :])


def _cuts(
    chunks: Sequence[Sequence[int]], halo: Sequence[int], pixels: int
) -> tuple[int, list[list[slice]]]:
    """Return the axis that slabs follow each other along, and the cuts along every axis.

    What lies around a slab counts as well. Frames apart cost nothing, so they are cut first, then
    the axis of the slabs, and others only where they must.
    """
    places = [axis for axis in (0, 2, 3, 4) if len(chunks[axis]) > 1]
    march = next((axis for axis in places if halo[axis]), places[0] if places else 3)
    cuts = [[slice(0, sum(sizes))] for sizes in chunks]
    apart = [axis for axis in places if not halo[axis] and axis != march]
    others = [axis for axis in places if halo[axis] and axis != march]
    for axis in (*apart, march, *others):
        around = [2 * reach for reach in halo]
        area = math.prod(
            max(part.stop - part.start for part in each) + around[n] * (len(each) > 1)
            for n, each in enumerate(cuts)
            if n not in (1, axis)
        )
        if area * sum(chunks[axis]) > pixels:
            cuts[axis] = _merged(chunks[axis], max(pixels // area - around[axis], 1))
    return march, cuts


def _merged(sizes: Sequence[int], most: int) -> list[slice]:
    """Return neighbouring chunks together, as long as they are no thicker than this."""
    found: list[slice] = []
    for end, size in zip(itertools.accumulate(sizes), sizes, strict=True):
        if found and end - found[-1].start <= most:
            found[-1] = slice(found[-1].start, end)
        else:
            found.append(slice(end - size, end))
    return found
