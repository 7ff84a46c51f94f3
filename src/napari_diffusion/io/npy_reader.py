"""Reads NPY files."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.file_image import NotReadable, Source

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_MAGIC = b"\x93NUMPY"


def read_npy(path: Path, lazy: bool | None = None) -> Source:
    """Read a NPY file; nothing in it is run, and no more is allocated than it holds."""
    del lazy
    return Source(name=path.name, image=npy_values(path))


def npy_values(path: Path) -> NDArray[Any]:
    """Return the array in a NPY file; raise `NotReadable` if the file is shorter than it says."""
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise NotReadable(f"{str(path)!r} is not a NPY file.")
        file.seek(0)
        version = np.lib.format.read_magic(file)
        header = {(1, 0): np.lib.format.read_array_header_1_0}.get(
            version, np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = header(file)
        if dtype.hasobject:
            raise NotReadable(f"{str(path)!r} cannot be read: it holds Python objects, not pixels.")
        needed = math.prod(shape) * dtype.itemsize
        held = path.stat().st_size - file.tell()
        if needed > held:
            raise NotReadable(
                f"{str(path)!r} is cut off: its header declares {needed} bytes of pixels, and it "
                f"holds {held}."
            )
        file.seek(0)
        return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
