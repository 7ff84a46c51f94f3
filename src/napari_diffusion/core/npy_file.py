"""The array in a NPY file from anyone: nothing is run, and no more allocated than it holds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_MAGIC = b"\x93NUMPY"


def npy_values(path: Path) -> NDArray[Any]:
    """Return the array in a NPY file.

    Raises
    ------
    ValueError
        If it is no NPY file, holds Python objects, or is shorter than its header says.
    """
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise ValueError(f"{str(path)!r} is not a NPY file.")
        file.seek(0)
        read = np.lib.format.read_array_header_1_0
        if np.lib.format.read_magic(file) != (1, 0):
            read = np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        if dtype.hasobject:
            raise ValueError(f"{str(path)!r} holds Python objects instead of pixels.")
        needed, held = math.prod(shape) * dtype.itemsize, path.stat().st_size - file.tell()
        if min(shape, default=0) < 0 or needed > held:
            raise ValueError(
                f"{str(path)!r} is cut off: its header declares an array of shape {shape} and type "
                f"{dtype}, and {held} bytes of it are there."
            )
        file.seek(0)
        return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
