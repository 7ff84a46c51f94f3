"""The hash of an image's values: equal in every file format and for every chunking."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import DTypeLike, NDArray

#: Bytes of a leaf of the tree.
BLOCK_BYTES = 1 << 26

# What is read, and copied in the order of the hash, where nobody says how much may be.
_MEMORY_BYTES = 1 << 27

# What a hash is of, so that the bytes of one kind cannot pass for those of another.
_LEAF, _NODE, _WHOLE = b"\x00", b"\x01", b"\x02"


class Sliceable(Protocol):
    """Values that are read in parts: an array of numpy, dask or zarr."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Pixels along each axis."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""

    def __getitem__(self, key: tuple[slice, ...], /) -> NDArray[Any]:
        """Return a part."""


class MerkleHash:
    """The SHA-256 of values by the tree of RFC 6962, over blocks of 64 MiB.

    The bytes are those of the values in C order, little-endian. A leaf is the SHA-256 of a zero
    byte and a block, a node that of a one byte and its two children; each left child is the
    largest perfect tree that leaves something to the right one. The whole is the SHA-256 of a two
    byte, the type and shape as in ``<f4 (3, 512, 512)``, and the root.

    Parameters
    ----------
    dtype : dtype
        Type of the values.
    shape : tuple of int
        Pixels along each axis.
    block_bytes : int
        Size of a leaf.
    """

    def __init__(
        self, dtype: DTypeLike, shape: tuple[int, ...], block_bytes: int = BLOCK_BYTES
    ) -> None:
        sizes = tuple(int(length) for length in shape)
        self._header = f"{canonical_type(dtype).str} {sizes}".encode()
        self._block_bytes = block_bytes
        # The roots of perfect trees, the largest first: one for each binary digit of the count.
        self._roots: list[bytes] = []
        self._count = self._filled = 0
        self._leaf = hashlib.sha256(_LEAF)

    def update(self, values: bytes | bytearray | memoryview) -> None:
        """Add the next bytes."""
        left = memoryview(values).cast("B")
        while left:
            part = left[: self._block_bytes - self._filled]
            self._leaf.update(part)
            self._filled += len(part)
            left = left[len(part) :]
            if self._filled == self._block_bytes:
                self._add(self._leaf.digest())
                self._leaf, self._filled = hashlib.sha256(_LEAF), 0

    def hexdigest(self) -> str:
        """Return the hash of the bytes so far."""
        last = [self._leaf.digest()] if self._filled else []
        roots = self._roots + last
        root = roots.pop() if roots else hashlib.sha256().digest()
        while roots:
            root = _node(roots.pop(), root)
        return hashlib.sha256(_WHOLE + self._header + root).hexdigest()

    def _add(self, root: bytes) -> None:
        """Add a leaf; two perfect trees of one size become one."""
        whole = self._count
        while whole & 1:
            root = _node(self._roots.pop(), root)
            whole >>= 1
        self._roots.append(root)
        self._count += 1


def canonical_type(dtype: DTypeLike) -> np.dtype[Any]:
    """Return the type whose bytes are hashed: little-endian."""
    return np.dtype(dtype).newbyteorder("<")


def hash_of(values: Sliceable, memory_bytes: int = _MEMORY_BYTES) -> str:
    """Return the hash of an array's type, shape and values; see `MerkleHash`.

    Parameters
    ----------
    values : array
        Of numpy, dask or zarr, or anything with a shape and a type that slices give parts of.
    memory_bytes : int
        How much of it may be in memory; with more of it chunks are decoded less often.

    Notes
    -----
    The axes are in the order of the array, and the hash depends on it. The hashes in a record are
    of arrays in the order of ``axes`` of its grid, so that they do not depend on the format.
    """
    dtype = canonical_type(values.dtype)
    found = MerkleHash(dtype, values.shape)
    # One half is read, the other a copy of it in the order of the hash.
    most = memory_bytes // 2
    for region in slabs_of(values.shape, dtype.itemsize, chunks_of(values), most):
        part = np.asarray(values[region])
        found.update(np.ascontiguousarray(part, dtype).reshape(-1).view(np.uint8).data)
    return found.hexdigest()


def chunks_of(values: Sliceable) -> tuple[int, ...]:
    """Return the shape of the chunks of an array; 1 along each axis of one that has none."""
    # dask's own attribute "chunks" has the lengths of each, zarr's their shape.
    found = getattr(values, "chunksize", None) or getattr(values, "chunks", None)
    return tuple(found or (1,) * len(values.shape))


def slabs_of(
    shape: tuple[int, ...], itemsize: int, chunks: tuple[int, ...], most: int
) -> Iterator[tuple[slice, ...]]:
    """Yield regions in C order of at most `most` bytes, which begin with chunks if they can."""
    if not shape or 0 in shape:
        yield tuple(slice(0, length) for length in shape)
        return
    length, row = shape[0], math.prod(shape[1:]) * itemsize
    if row > most and len(shape) > 1:
        for index in range(length):
            for rest in slabs_of(shape[1:], itemsize, chunks[1:], most):
                yield (slice(index, index + 1), *rest)
        return
    rows = _rows(max(most // row, 1), max(chunks[0], 1))
    whole = tuple(slice(0, each) for each in shape[1:])
    edge = max(chunks[0], 1)
    start = 0
    while start < length:
        stop = min(start + rows, length)
        if rows < edge:  # no part reaches into two chunks
            stop = min(stop, start - start % edge + edge)
        yield (slice(start, stop), *whole)
        start = stop


def _rows(most: int, chunk: int) -> int:
    """Return how many rows are read at once: whole chunks, or equal parts of one."""
    if most >= chunk:
        return most - most % chunk
    return -(-chunk // -(-chunk // most))


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()
