"""The files of a zarr array: which of them were there when it was opened."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.io.file_image import NotReadable
from napari_diffusion.io.ome_zarr.store import grid_shape

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from zarr.types import AnyArray


@dataclass(frozen=True, eq=False)
class ChunkFiles:
    """Which files of an array were there.

    Attributes
    ----------
    there : ndarray of bool
        For each chunk, or each shard of several.
    newest : int
        When the last of them was written, in nanoseconds.
    """

    there: NDArray[np.bool_]
    newest: int

    @classmethod
    def of(cls, array: AnyArray, path: Path) -> ChunkFiles:
        """Look for the files of an array in its folder."""
        there = np.zeros(grid_shape(array), bool)
        newest = 0
        key: str = array.metadata.encode_chunk_key((0,) * array.ndim)
        pattern = re.compile(re.escape(key).replace("0", r"(\d+)"))
        for name, time in _below(path, key.count("/")):
            match = pattern.fullmatch(name)
            index = tuple(map(int, match.groups())) if match else ()
            if index and all(at < n for at, n in zip(index, there.shape, strict=True)):
                there[index] = True
                newest = max(newest, time)
        return cls(there, newest)

    @property
    def missing(self) -> int:
        """How many of them were not there."""
        return int(np.count_nonzero(~self.there))

    def check(self, index: tuple[int, ...], file: Path) -> None:
        """Refuse values of a file that has gone, come or changed.

        Raises
        ------
        NotReadable
            If the file is not what it was when the array was opened.
        """
        try:
            time = file.stat().st_mtime_ns
        except OSError:
            if self.there[index]:
                raise NotReadable(
                    f"{str(file)!r} is not there any more: copy the image again and start again."
                ) from None
            return
        if not self.there[index] or time > self.newest:
            raise NotReadable(
                f"{str(file)!r} was written after the image was opened: start again when nothing "
                "writes to it."
            )


def _below(path: Path, depth: int) -> Iterator[tuple[str, int]]:
    """Yield the files in a folder, `depth` folders down: their keys, and when they were written."""
    with os.scandir(path) as entries:
        for entry in entries:
            try:
                found = entry.stat()
            except OSError:
                continue  # a link to nothing
            if depth and stat.S_ISDIR(found.st_mode):
                for name, time in _below(path / entry.name, depth - 1):
                    yield f"{entry.name}/{name}", time
            elif not depth and stat.S_ISREG(found.st_mode):
                yield entry.name, found.st_mtime_ns
            elif not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
                raise NotReadable(f"{str(path / entry.name)!r} is no file: it is not read.")
