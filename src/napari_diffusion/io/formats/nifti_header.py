"""The header of a NIfTI file, checked before anything is read by it."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import numpy as np

from napari_diffusion.io.file_image import NotReadable
from napari_diffusion.io.physical_size import warn

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

#: Code and content of what stands between the header and the pixels.
Extensions: TypeAlias = tuple[tuple[int, bytes], ...]

#: Units of length and of time by their code.
UNITS = {1: "meter", 2: "millimeter", 3: "micrometer"}
TIME_UNITS = {8: "second", 16: "millisecond", 24: "microsecond"}

#: The axes of a file, the fastest first.
AXES = "xyztc"

# Extensions are read whole; those of the largest headers are a few megabytes.
_MOST_BETWEEN = 1 << 26

# The size of a header and its magic word, by the version.
_SIZES = {348: (344, b"n+1\0"), 540: (4, b"n+2\0")}


@dataclass(frozen=True)
class NiftiHeader:
    """What the header of a file says, once it is known to agree with the file.

    Attributes
    ----------
    fields : nibabel header
        Every field by its name.
    extensions : tuple
        What stands between the header and the pixels.
    shape : tuple of int
        Along the axes of the file, the fastest first.
    dtype : dtype
        Of the values, in the byte order of the file; with fields R, G, B for colours.
    """

    fields: Any
    extensions: Extensions
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @classmethod
    def read(cls, path: Path, file: IO[bytes], most: int) -> NiftiHeader:
        """Read all before the pixels of a file that can hold `most` bytes, or refuse it."""
        fields = _fields(path, file)
        shape, dtype = _shape(path, fields), _type(path, fields)
        start, passed = _start(fields), len(fields.binaryblock)
        if not passed <= start <= min(most, _MOST_BETWEEN):
            raise NotReadable(
                f"{str(path)!r} is broken: its pixels begin at byte {start} by its header."
            )
        declared = math.prod(shape) * dtype.itemsize
        if declared > most - start:
            raise NotReadable(
                f"{str(path)!r} is cut off: its header declares {declared} bytes of pixels, and it "
                f"holds at most {most - start}."
            )
        between = file.read(start - passed)
        return cls(fields, _extensions(path.name, between, fields.endianness), shape, dtype)

    @property
    def affine(self) -> NDArray[np.float64] | None:
        """The affine, if there is one that can be used."""
        return affine_of(self.fields)


def fields_of(raw: bytes) -> Any:
    """Return a header of nibabel for the bytes of one."""
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    made: Any = Nifti1Header if len(raw) == min(_SIZES) else Nifti2Header
    order = "<" if int.from_bytes(raw[:4], "little") in _SIZES else ">"
    return made(raw, order, check=False)


def affine_of(fields: Any) -> NDArray[np.float64] | None:
    """Return the affine that nibabel prefers; None if there is none, or no usable one."""
    from nibabel.spatialimages import HeaderDataError

    if not (fields["sform_code"] > 0 or fields["qform_code"] > 0):
        return None
    try:
        affine = np.asarray(fields.get_best_affine(), float)
    except HeaderDataError:
        return None
    usable = np.isfinite(affine).all() and np.linalg.norm(affine[:3, :3], axis=0).all()
    return affine if usable else None


def directions_of(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the direction of each axis as a column of length 1."""
    turned = affine[:3, :3]
    return np.asarray(turned / np.linalg.norm(turned, axis=0))


def _fields(path: Path, file: IO[bytes]) -> Any:
    raw = file.read(min(_SIZES))
    orders: tuple[str, ...] = ("<", ">")
    found = {struct.unpack(f"{order}i", raw[:4])[0] for order in orders if len(raw) >= 4}
    size = next(iter(found & set(_SIZES)), 0)
    if size == max(_SIZES):
        raw += file.read(size - len(raw))
    if not size or len(raw) < size:
        raise NotReadable(f"{str(path)!r} is no NIfTI file: its header has no size 348 or 540.")
    at, magic = _SIZES[size]
    if raw[at : at + 3] == magic[:3].replace(b"+", b"i"):
        raise NotReadable(
            f"{str(path)!r} is the header of a NIfTI pair (.hdr, .img): convert both to one .nii."
        )
    if raw[at : at + 4] != magic:
        raise NotReadable(f"{str(path)!r} is no NIfTI file: it has no magic word {magic[:3]!r}.")
    return fields_of(raw)


def _shape(path: Path, fields: Any) -> tuple[int, ...]:
    count = int(fields["dim"][0])
    sizes = tuple(int(size) for size in fields["dim"][1 : max(count, 0) + 1])
    if not 1 <= count <= 7 or min(sizes) < 1:
        raise NotReadable(
            f"{str(path)!r} is broken: its header declares {count} axes of the sizes {sizes}."
        )
    if any(size > 1 for size in sizes[len(AXES) :]):
        raise NotReadable(
            f"{str(path)!r} has more axes than x, y, z, t and channel (got the shape {sizes}): "
            "save the parts one by one."
        )
    shape = sizes[: len(AXES)]
    return (*shape, 1) if count == 1 else shape


def _type(path: Path, fields: Any) -> np.dtype[Any]:
    from nibabel.nifti1 import data_type_codes

    code = int(fields["datatype"])
    try:
        named: Any = data_type_codes.dtype[code]
    except KeyError:
        raise NotReadable(f"{str(path)!r} has an unknown type of values (got {code}).") from None
    dtype = np.dtype(named)
    if dtype.kind == "c":
        raise NotReadable(
            f"{str(path)!r} holds complex values: save their magnitude, for example with nibabel."
        )
    colours = dtype.names is not None
    if not colours and (dtype.kind not in "iuf" or dtype.itemsize > 8):
        label = data_type_codes.label[code]
        raise NotReadable(f"{str(path)!r} holds values of the type {label}: save them as float32.")
    return dtype.newbyteorder(fields.endianness)


def _start(fields: Any) -> int:
    start = float(fields["vox_offset"])
    return int(start) if math.isfinite(start) else -1


def _extensions(name: str, between: bytes, order: str) -> Extensions:
    found = []
    at = 4
    while between[:1] not in (b"", b"\0") and at + 8 <= len(between):
        size, code = struct.unpack_from(f"{order}2i", between, at)
        if size < 8 or at + size > len(between):
            warn(name, f"has a broken header extension of {size} bytes: it is not kept.")
            break
        found.append((code, between[at + 8 : at + size].rstrip(b"\0")))
        at += size
    return tuple(found)
