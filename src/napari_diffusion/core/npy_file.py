"""The array in a NPY file from anyone: nothing is run, and no more allocated than it holds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_MAGIC = b"\x93NUMPY"


@dataclass(frozen=True)
class NpyHeader:
    """What a NPY file says of its array, which it holds to the end.

    Attributes
    ----------
    shape, dtype
        Of the array.
    fortran_order : bool
        Whether the first axis runs fastest in the file.
    start : int
        The byte where the values begin.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    fortran_order: bool
    start: int


def npy_header(path: Path) -> NpyHeader:
    """Return the header of a NPY file.

    Raises
    ------
    ValueError
        If it is no NPY file, holds Python objects, or is shorter than its header says.
    """
    with path.open("rb") as file:
        return header_in(file, path.stat().st_size, repr(str(path)))


def header_in(file: BinaryIO, size: int, name: str) -> NpyHeader:
    """Return the header at the beginning of an open NPY file of so many bytes.

    Raises
    ------
    ValueError
        As for `npy_header`.
    """
    if file.read(len(_MAGIC)) != _MAGIC:
        raise ValueError(f"{name} is not a NPY file.")
    file.seek(0)
    read = np.lib.format.read_array_header_1_0
    if np.lib.format.read_magic(file) != (1, 0):
        read = np.lib.format.read_array_header_2_0
    shape, fortran_order, dtype = read(file)
    if dtype.hasobject:
        raise ValueError(f"{name} holds Python objects instead of pixels.")
    needed, held = math.prod(shape) * dtype.itemsize, size - file.tell()
    if min(shape, default=0) < 0 or needed > held:
        raise ValueError(
            f"{name} is cut off: its header declares an array of shape {shape} and type "
            f"{dtype}, and {held} bytes of it are there."
        )
    return NpyHeader(shape, dtype, fortran_order, file.tell())


def npy_values(path: Path) -> NDArray[Any]:
    """Return the array in a NPY file.

    Raises
    ------
    ValueError
        As for `npy_header`.
    """
    with path.open("rb") as file:
        return values_in(file, path.stat().st_size, repr(str(path)))


def values_in(file: BinaryIO, size: int, name: str) -> NDArray[Any]:
    """Return the array in an open NPY file of so many bytes.

    Raises
    ------
    ValueError
        As for `npy_header`.
    """
    header_in(file, size, name)
    file.seek(0)
    return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
