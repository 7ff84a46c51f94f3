"""Whether a file is still the one that was opened."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from napari_diffusion.io.file_image import NotReadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class FileState:
    """A file of which parts are read later, here or by another process.

    Attributes
    ----------
    path : path
        As it is called in messages.
    place : path
        Where it is, from any folder.
    size, time : int
        Its bytes, and when they were last written, in nanoseconds.
    """

    path: Path
    place: Path
    size: int
    time: int

    @classmethod
    def of(cls, path: Path) -> FileState:
        """Return the state of a file as it is now."""
        found = path.stat()
        return cls(path, path.absolute(), found.st_size, found.st_mtime_ns)

    @contextlib.contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Open the file for reading; what was read of it is of no use if an error follows.

        Raises
        ------
        NotReadable
            If the file is not the same before and after.
        """
        try:
            file = self.place.open("rb", buffering=0)
        except (FileNotFoundError, NotADirectoryError):
            raise NotReadable(
                f"{str(self.path)!r} is not there any more: put it back and start again."
            ) from None
        with file:
            self._check(file)
            yield file
            self._check(file)

    def _check(self, file: IO[bytes]) -> None:
        found = os.fstat(file.fileno())
        if (found.st_size, found.st_mtime_ns) != (self.size, self.time):
            raise NotReadable(
                f"{str(self.path)!r} has changed since it was opened: start again when nothing "
                "writes to it."
            )
