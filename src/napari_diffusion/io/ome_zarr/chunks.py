"""The chunks of a zarr array: which are there, and their values, safely decoded."""

from __future__ import annotations

import itertools
import math
import os
import re
import stat
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.file_image import NotReadable
from napari_diffusion.io.ome_zarr.bombs import check_size
from napari_diffusion.io.ome_zarr.store import file_chunks, grid_shape

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from zarr.types import AnyArray


class StoredValues:
    """The values of an array, read in parts; every fault in a chunk is one sentence.

    Parameters
    ----------
    array : zarr array
        Checked.
    path : path
        Its folder.
    """

    def __init__(self, array: AnyArray, path: Path) -> None:
        self._array, self._path = array, path
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __getitem__(self, key: Any) -> NDArray[Any]:
        for file in self._files(key):
            check_size(self._array, file)
        try:
            return np.asarray(self._array[key])
        except MemoryError:
            raise
        except Exception as error:
            # gzip's own errors are of the system, but have no number.
            if isinstance(error, OSError) and error.errno is not None:
                raise
            why = " ".join(str(error).split()) or type(error).__name__
            raise NotReadable(f"{str(self._path)!r} has a chunk that is broken: {why}") from error

    def in_memory(self) -> NDArray[Any]:
        """Return all values."""
        return self[(slice(None),) * self.ndim]

    def lazy(self) -> Any:
        """Return a dask array with the chunks of the file."""
        import dask.array as da

        empty = np.empty((0,) * self.ndim, self.dtype)
        return da.from_array(self, chunks=self._array.chunks, name=False, meta=empty)

    def _files(self, key: Any) -> Iterator[Path]:
        parts = key if isinstance(key, tuple) else (key,)
        parts += (slice(None),) * (self.ndim - len(parts))
        ranges = [
            _touched(part, length, size)
            for part, length, size in zip(parts, self.shape, file_chunks(self._array), strict=True)
        ]
        for index in itertools.product(*ranges):
            yield self._path / self._array.metadata.encode_chunk_key(index)


def _touched(part: Any, length: int, size: int) -> range:
    """Return the chunks along an axis that an index, a slice or a list of indices reaches."""
    if isinstance(part, slice):
        reached = range(*part.indices(length))
        ends = [reached[0], reached[-1]] if reached else []
    else:
        ends = np.atleast_1d(part).tolist()
    return range(min(ends) // size, max(ends) // size + 1) if ends else range(0)


def missing_chunks(array: AnyArray, path: Path) -> tuple[int, int]:
    """Return how many files of an array are not there, and how many there should be."""
    grid = grid_shape(array)
    key: str = array.metadata.encode_chunk_key((0,) * array.ndim)
    pattern = re.compile(re.escape(key).replace("0", r"(\d+)"))
    depth = key.count("/")
    found = 0
    for each in _below(path, depth):
        match = pattern.fullmatch(each)
        if match and all(int(at) < n for at, n in zip(match.groups(), grid, strict=True)):
            found += 1
    return math.prod(grid) - found, math.prod(grid)


def _below(path: Path, depth: int) -> Iterator[str]:
    """Yield the files in a folder, `depth` folders down, as their keys."""
    with os.scandir(path) as entries:
        for entry in entries:
            try:
                mode = entry.stat().st_mode
            except OSError:
                continue  # a link to nothing
            if depth and stat.S_ISDIR(mode):
                yield from (
                    f"{entry.name}/{below}" for below in _below(path / entry.name, depth - 1)
                )
            elif not depth and stat.S_ISREG(mode):
                yield entry.name
            elif not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                raise NotReadable(f"{str(path / entry.name)!r} is no file: it is not read.")
