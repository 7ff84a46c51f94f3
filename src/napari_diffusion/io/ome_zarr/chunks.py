"""The values in the chunks of a zarr array, safely decoded."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.file_image import NotReadable
from napari_diffusion.io.ome_zarr.bombs import check_size
from napari_diffusion.io.ome_zarr.store import file_chunks
from napari_diffusion.io.stored.file_parts import lazy_image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from zarr.types import AnyArray

    from napari_diffusion.io.ome_zarr.chunk_files import ChunkFiles


class StoredValues:
    """The values of an array, read in parts; every fault in a chunk is one sentence.

    Parameters
    ----------
    array : zarr array
        Checked.
    path : path
        Its folder.
    files : ChunkFiles, optional
        Which chunks were there; if they are not any more, or are others, none of them is read.
    """

    def __init__(self, array: AnyArray, path: Path, files: ChunkFiles | None = None) -> None:
        self._array, self._path, self._place = array, path, path.absolute()
        self._files = files
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __getitem__(self, key: Any) -> NDArray[Any]:
        touched = list(self._touched(key))
        for _, file in touched:
            check_size(self._array, file)
        try:
            values = np.asarray(self._array[key])
        except MemoryError:
            raise
        except Exception as error:
            # gzip's own errors are of the system, but have no number.
            if isinstance(error, OSError) and error.errno is not None:
                raise
            why = " ".join(str(error).split()) or type(error).__name__
            raise NotReadable(f"{str(self._path)!r} has a chunk that is broken: {why}") from error
        # Afterwards: what was not there, zarr has filled.
        if self._files is not None:
            for index, file in touched:
                self._files.check(index, file)
        return values

    def in_memory(self) -> NDArray[Any]:
        """Return all values."""
        return self[(slice(None),) * self.ndim]

    def lazy(self) -> NDArray[Any]:
        """Return a dask array with the chunks of the file."""
        return lazy_image(self, self._array.chunks)

    def _touched(self, key: Any) -> Iterator[tuple[tuple[int, ...], Path]]:
        """Yield the places of chunks or shards that an index reaches, and their files."""
        parts = key if isinstance(key, tuple) else (key,)
        parts += (slice(None),) * (self.ndim - len(parts))
        ranges = [
            _touched(part, length, size)
            for part, length, size in zip(parts, self.shape, file_chunks(self._array), strict=True)
        ]
        for index in itertools.product(*ranges):
            yield index, self._place / self._array.metadata.encode_chunk_key(index)


def _touched(part: Any, length: int, size: int) -> range:
    """Return the chunks along an axis that an index, a slice or a list of indices reaches."""
    if isinstance(part, slice):
        reached = range(*part.indices(length))
        ends = [reached[0], reached[-1]] if reached else []
    else:
        ends = np.atleast_1d(part).tolist()
    return range(min(ends) // size, max(ends) // size + 1) if ends else range(0)
