"""The header of an MRC file, checked before anything is read by it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from napari_diffusion.core.units import PIXEL
from napari_diffusion.io.file_image import NotReadable
from napari_diffusion.io.physical_size import pixel_sizes, places, warn

if TYPE_CHECKING:
    from pathlib import Path

    from napari_diffusion.io.physical_size import Quantity

#: Little-endian or big-endian.
ByteOrder: TypeAlias = Literal["<", ">"]

#: How many bytes a header has.
HEADER_BYTES = 1024

# Where the word MAP stands, and where IMOD signs its files.
_WORD = slice(208, 211)
_IMOD_WORDS = slice(38, 40)
_IMOD_STAMP, _IMOD_SIGNED = 1146047817, 1

#: The unit of the whole header.
ANGSTROM = "angstrom"

# Of stacks of images, whatever their header says.
_STACKS = (".mrcs", ".st", ".ali")

_OTHER_MODES = {
    3: "complex integers: transform them back into an image",
    4: "complex numbers: transform them back into an image",
    16: "RGB colours: save them as TIFF",
    101: "intensities of 4 bits: convert them to 8 bits, for example with IMOD's newstack -mode 0",
}


@dataclass(frozen=True)
class MrcHeader:
    """What the header of a file says, once it is known to agree with the file.

    Attributes
    ----------
    fields : structured scalar
        The header in the byte order of the file, by the names of mrcfile.
    axes : str
        One letter of "tzyx" per axis of the file.
    shape : tuple of int
        In the order of `axes`.
    dtype : dtype
        Of the values, in the byte order of the file.
    start : int
        The byte where they begin.
    """

    fields: Any
    axes: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    start: int

    @classmethod
    def of(cls, path: Path, raw: bytes, size: int) -> MrcHeader:
        """Return the header in the first bytes of a file of `size` bytes, or refuse the file."""
        fields = _fields(path, raw, size)
        axes, shape = _axes(path, fields)
        dtype = _type(path, fields)
        start = HEADER_BYTES + int(fields["nsymbt"])
        if not HEADER_BYTES <= start <= size:
            raise NotReadable(
                f"{str(path)!r} is cut off: its header declares an extended header of "
                f"{fields['nsymbt']} bytes, and the file has {size}."
            )
        declared = math.prod(shape) * dtype.itemsize
        if declared > size - start:
            raise NotReadable(
                f"{str(path)!r} is cut off: its header declares {declared} bytes of pixels, and it "
                f"holds {size - start}."
            )
        if declared < size - start:
            warn(path.name, f"has {size - start - declared} bytes after its pixels: ignored.")
        return cls(fields, axes, shape, dtype, start)

    def sizes(self, name: str) -> tuple[dict[str, float], str]:
        """Return the voxel sizes, and their unit."""
        along = [axis for axis in "zyx" if axis in self.axes]
        found = {axis: length_along(self.fields, axis) for axis in along}
        if not any(found.values()):
            warn(name, "has no voxel size in its header (0): it is unknown.")
            return {}, PIXEL
        return pixel_sizes(name, {axis: (size, ANGSTROM) for axis, size in found.items()})

    def place(self, name: str, lengths: dict[str, float], unit: str) -> dict[str, float]:
        """Return where the first voxel lies: at the origin, or where none is set at the start."""
        along = [axis for axis in "zyx" if axis in self.axes]
        if _has_origin(self.fields) and any(_starts(self.fields).values()):
            warn(name, "has an origin and a start (nxstart …): only the origin is used.")
        found: dict[str, Quantity] = {
            axis: (place_along(self.fields, axis), ANGSTROM if lengths else "") for axis in along
        }
        return places(name, found, lengths, unit)


def length_along(fields: Any, axis: str) -> float:
    """Return the voxel size in ångström; NaN if there is none."""
    count = int(fields[f"m{axis}"])
    return _decimal(fields["cella"][axis] / np.float32(count)) if count > 0 else math.nan


def place_along(fields: Any, axis: str) -> float:
    """Return where the first voxel lies in ångström, in voxels where their size is unknown."""
    if _has_origin(fields):
        return _decimal(fields["origin"][axis])
    length = length_along(fields, axis)
    return _starts(fields)[axis] * (length if 0 < length < math.inf else 1.0)


def with_signed_bytes(fields: Any) -> Any:
    """Return the fields of a header that says to IMOD that its bytes have a sign."""
    words = np.frombuffer(bytearray(fields.tobytes()), "i4").copy()
    words = words.view(words.dtype.newbyteorder(byte_order(fields)))
    if words[_IMOD_WORDS][0] == _IMOD_STAMP:
        words[_IMOD_WORDS.stop - 1] |= _IMOD_SIGNED
    return in_order(words.tobytes(), byte_order(fields))


def byte_order(fields: Any) -> ByteOrder:
    """Return the byte order that the machine stamp says."""
    return ">" if fields["machst"][0] == 0x11 else "<"


def in_order(raw: bytes, order: ByteOrder) -> Any:
    """Return the fields of a header that has a byte order, with the stamp of that order."""
    from mrcfile.dtypes import HEADER_DTYPE
    from mrcfile.utils import machine_stamp_from_byte_order

    fields = np.frombuffer(raw, HEADER_DTYPE.newbyteorder(order), 1).copy()[0]
    fields["machst"] = machine_stamp_from_byte_order(order)
    return fields


def kept_fields(raw: bytes) -> Any:
    """Return the fields of the header of a file that has been read."""
    return in_order(raw, ">" if raw[212:213] == b"\x11" else "<")


def _fields(path: Path, raw: bytes, size: int) -> Any:
    """Return the fields in the byte order of the stamp, or in the other one if only it fits."""
    if len(raw) < HEADER_BYTES:
        raise NotReadable(f"{str(path)!r} is no MRC file: it has less than {HEADER_BYTES} bytes.")
    named = raw[_WORD] == b"MAP"
    stamps: dict[bytes, ByteOrder] = {b"\x44": "<", b"\x11": ">"}
    stamp = stamps.get(raw[212:213])
    orders: tuple[ByteOrder, ...] = (stamp or "<", "<", ">")
    for order in dict.fromkeys(orders):
        fields = in_order(raw, order)
        excess = _excess(fields, size)
        # Of a file without the word only one whose size is exactly right is believed.
        if excess is None or (excess and not named):
            continue
        if not named:
            warn(path.name, "has no word MAP in its header: its sizes fit, so it is read as MRC.")
        elif order != stamp:
            kind = "little" if order == "<" else "big"
            warn(path.name, f"has a wrong machine stamp: it is read as {kind}-endian.")
        return fields
    if not named:
        raise NotReadable(f"{str(path)!r} is no MRC file: it has no word MAP at byte 208.")
    return in_order(raw, stamp or "<")


def _excess(fields: Any, size: int) -> int | None:
    """Return how many bytes a file has more than its header says; None if that is nonsense."""
    from mrcfile.utils import dtype_from_mode

    sizes = [int(fields[name]) for name in ("nx", "ny", "nz")]
    try:
        each = dtype_from_mode(int(fields["mode"])).itemsize
    except ValueError:
        return None
    needed = HEADER_BYTES + int(fields["nsymbt"]) + math.prod(sizes) * each
    return size - needed if min(sizes) > 0 and fields["nsymbt"] >= 0 and needed <= size else None


def _type(path: Path, fields: Any) -> np.dtype[Any]:
    from mrcfile.utils import dtype_from_mode

    mode = int(fields["mode"])
    if mode in _OTHER_MODES:
        raise NotReadable(f"{str(path)!r} holds {_OTHER_MODES[mode]} (mode {mode}).")
    try:
        dtype = np.dtype(dtype_from_mode(mode))
    except ValueError:
        raise NotReadable(f"{str(path)!r} has an unknown mode of values (got {mode}).") from None
    if mode == 0 and _unsigned(path, fields):
        return np.dtype(np.uint8)
    return dtype.newbyteorder(byte_order(fields))


def _unsigned(path: Path, fields: Any) -> bool:
    """Say whether bytes have no sign: IMOD says so, others show it by their greatest value."""
    words = np.frombuffer(fields.tobytes(), np.dtype("i4").newbyteorder(byte_order(fields)))
    stamp, flags = words[_IMOD_WORDS]
    if stamp == _IMOD_STAMP:
        return not flags & _IMOD_SIGNED
    if not (fields["dmin"] >= 0 and 127 < fields["dmax"] <= 255):
        return False
    warn(path.name, f"has bytes up to {float(fields['dmax']):g}: they are read without a sign.")
    return True


def _axes(path: Path, fields: Any) -> tuple[str, tuple[int, ...]]:
    """Return the axes of the file, those of one image left out, and the shape."""
    shape = tuple(int(fields[name]) for name in ("nz", "ny", "nx"))
    if min(shape) < 1:
        raise NotReadable(f"{str(path)!r} has no pixels: its header declares the shape {shape}.")
    letters, group, deep = _letters(fields, path.name), int(fields["ispg"]), int(fields["mz"])
    if 401 <= group <= 630 and deep > 0 and shape[0] % deep == 0:
        if letters != "zyx":
            raise NotReadable(f"{str(path)!r} is a stack of volumes with turned axes: save them "
                              "with the axes x, y, z (mapc 1, mapr 2, maps 3).")  # fmt: skip
        letters, shape = "tzyx", (shape[0] // deep, deep, *shape[1:])
    elif letters[0] == "z" and (path.suffix.lower() in _STACKS or (group == 0 and deep == 1)):
        letters = f"t{letters[1:]}"
    kept = [(a, n) for a, n in zip(letters, shape, strict=True) if n > 1 or a in "yx"]
    return "".join(axis for axis, _ in kept), tuple(size for _, size in kept)


def _letters(fields: Any, name: str = "") -> str:
    """Return the axes of sections, rows and columns."""
    turned = [int(fields[each]) for each in ("maps", "mapr", "mapc")]
    if sorted(turned) == [1, 2, 3]:
        return "".join("xyz"[axis - 1] for axis in turned)
    if any(turned) and name:
        warn(name, f"names its axes {turned[::-1]} (mapc, mapr, maps): read as x, y, z.")
    return "zyx"


def _has_origin(fields: Any) -> bool:
    return any(fields["origin"][axis] for axis in "xyz")


def _starts(fields: Any) -> dict[str, int]:
    """Return how many voxels lie before the first one along each axis."""
    # The names are those of columns, rows and sections.
    named = zip(_letters(fields), "zyx", strict=True)
    return {axis: int(fields[f"n{name}start"]) for axis, name in named}


def _decimal(value: Any) -> float:
    # The file has 32 bits: 1.06 is meant, not 1.059999942779541.
    return float(str(np.float32(value)))
