"""Full disks: room is reserved before it is needed, and errors say what is wrong."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from napari_diffusion.io.memory import written_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

# Disks, quotas and limits on the size of a file.
_NUMBERS = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}

# numpy does not say why it wrote less than it was asked to.
_SHORT = re.compile(r"\d+ requested and \d+ written")

# File systems that cannot reserve room.
_CANNOT = {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}

_ZEROS = bytes(1 << 22)


@contextlib.contextmanager
def full_disk_named(folder: Path) -> Iterator[None]:
    """Call a full disk so, whatever a library calls it.

    Parameters
    ----------
    folder : path
        Where the files are that are written.

    Raises
    ------
    OSError
        With the number ENOSPC, in place of any error that means a full disk.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NUMBERS and not _SHORT.search(str(error)):
            raise
        raise _full(folder) from error


def check_room(folder: Path, size: int, what: str) -> None:
    """Refuse what a disk has no room for, before anything is written.

    Parameters
    ----------
    folder : path
        Where it is to be written; it need not exist yet.
    size : int
        Bytes.
    what : str
        What needs them, such as "the kept steps".

    Raises
    ------
    OSError
        With the number ENOSPC: it says how much is needed, and how much is free.
    """
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    if shutil.disk_usage(place).free < size:
        raise _full(place, size, f" for {what}")


def reserve(file: IO[bytes], start: int, size: int, *, zeros: bool = False) -> None:
    """Reserve room in an open file, so that writing there cannot fail.

    Parameters
    ----------
    file : binary file
        Open for writing; its position stays.
    start, size : int
        First byte, and how many.
    zeros : bool
        Whether zeros are written where the system cannot reserve room.

    Raises
    ------
    OSError
        If there is no room: it says how much is needed, and how much is free.
    """
    # The name of a temporary file may be a number.
    named = isinstance(file.name, str | Path)
    folder = Path(file.name).parent if named else Path(tempfile.gettempdir())
    if shutil.disk_usage(folder).free < size:
        raise _full(folder, size)
    try:
        if not _allocated(file, start, size) and zeros:
            _fill(file, start, size)
    except OSError as error:
        if error.errno not in _NUMBERS:
            raise
        raise _full(folder, size) from error


def _allocated(file: IO[bytes], start: int, size: int) -> bool:
    """Reserve room by the system, if it can."""
    if not hasattr(os, "posix_fallocate"):
        return False
    file.flush()
    try:
        os.posix_fallocate(file.fileno(), start, max(size, 1))
    except OSError as error:
        if error.errno in _CANNOT:
            return False
        raise
    return True


def _fill(file: IO[bytes], start: int, size: int) -> None:
    place = file.tell()
    file.seek(start)
    for first in range(0, size, len(_ZEROS)):
        file.write(_ZEROS[: size - first])
    file.flush()
    file.seek(place)


def _full(folder: Path, size: int = 0, purpose: str = "") -> OSError:
    where = str(folder.resolve())
    free = shutil.disk_usage(where).free
    if free < size:
        words = f"The disk of {where!r} is full: {written_bytes(size)} needed{purpose}, "
        words += f"{written_bytes(free)} free."
    else:
        words = (
            f"No space is left in {where!r}: the disk is full, or its quota or a limit on the size "
            "of files is reached."
        )
    error = OSError(words)
    error.errno = errno.ENOSPC
    return error
