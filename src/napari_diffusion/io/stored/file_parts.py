"""Values in files of which parts are read, and dask arrays of them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_diffusion.io.file_image import Stored

    #: What an axis is indexed by.
    Part = int | slice | list[int] | NDArray[np.integer[Any] | np.bool_]

#: Slices with a start and a stop, one for each axis.
Box = tuple[slice, ...]

# Chunks of this size are read fast, and a few of them are little memory.
_CHUNK_BYTES = 1 << 24


class FileParts(ABC):
    """Values in a file, of which a box is read at a time.

    Attributes
    ----------
    shape : tuple of int
        Of all values.
    dtype : dtype
        Of what is read.
    piece : tuple of int
        Shape of what is read at once, however little of it is asked for.
    order : tuple of int
        The axes, from that whose neighbours lie farthest apart in the file.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    piece: tuple[int, ...]
    order: tuple[int, ...]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __getitem__(self, key: Part | tuple[Part, ...]) -> NDArray[Any]:
        parts = key if isinstance(key, tuple) else (key,)
        parts += (slice(None),) * (self.ndim - len(parts))
        pairs = [_around(part, size) for part, size in zip(parts, self.shape, strict=True)]
        box = tuple(each for each, _ in pairs)
        sizes = [each.stop - each.start for each in box]
        values = self.read(box) if all(sizes) else np.empty(sizes, self.dtype)
        return values[tuple(each for _, each in pairs)]

    @abstractmethod
    def read(self, box: Box) -> NDArray[Any]:
        """Return a new array of the values in a box that is not empty."""


class ChangedParts(FileParts):
    """Values in a file that are changed one by one when they are read.

    Parameters
    ----------
    held : FileParts
        As they are in the file.
    """

    def __init__(self, held: FileParts) -> None:
        self.held = held
        self.shape, self.dtype, self.piece, self.order = (
            held.shape,
            held.dtype,
            held.piece,
            held.order,
        )


def _around(part: Part, size: int) -> tuple[slice, Part]:
    """Return the slice around an index, a slice or a list of indices, and what that is in it."""
    if isinstance(part, slice):
        reached = range(*part.indices(size))
        if not reached:
            return slice(0, 0), slice(0, 0)
        first, last = min(reached[0], reached[-1]), max(reached[0], reached[-1])
        if reached.step == 1:
            return slice(first, last + 1), slice(None)
        return slice(first, last + 1), slice(None, None, reached.step)
    indices = np.asarray(part)
    if indices.dtype == bool:
        indices = np.flatnonzero(indices)
    if not indices.size:
        return slice(0, 0), indices.astype(int)
    indices = np.where(indices < 0, indices + size, indices)
    first = int(indices.min())
    if first < 0 or indices.max() >= size:
        raise IndexError(f"index {part!r} is out of bounds for an axis of {size}")
    within = indices - first
    return slice(first, int(indices.max()) + 1), within if within.ndim else int(within)


def lazy_image(stored: Stored, chunks: Sequence[int]) -> NDArray[Any]:
    """Return a dask array of values in a file."""
    import dask.array as da

    empty = np.empty((0,) * stored.ndim, stored.dtype)
    return da.from_array(stored, chunks=tuple(chunks), name=False, meta=empty)


def lazy_parts(parts: FileParts) -> NDArray[Any]:
    """Return a dask array with chunks of whole pieces that lie together in the file."""
    chunk, left = list(parts.piece), _CHUNK_BYTES // parts.dtype.itemsize
    for axis in reversed(parts.order):
        most = left // max(math.prod(chunk) // chunk[axis], 1)
        whole = most // chunk[axis] * chunk[axis]
        chunk[axis] = min(max(whole, chunk[axis]), parts.shape[axis])
        if chunk[axis] < parts.shape[axis]:
            break
    return lazy_image(parts, chunk)
