"""Writes one image as MRC file, with the record in a file beside it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.units import METRES, factor
from napari_diffusion.io.formats.mrc_header import (
    ANGSTROM,
    HEADER_BYTES,
    byte_order,
    in_order,
    kept_fields,
    length_along,
    place_along,
    with_signed_bytes,
)
from napari_diffusion.io.layout import Layout, slabs
from napari_diffusion.io.record_reader import write_record

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

    from napari_diffusion.io.file_image import Source
    from napari_diffusion.io.step_record import StepRecord

# What each type is written as: MRC has no bytes without a sign.
_TYPES = {"uint8": "uint16"} | {
    name: name for name in ("int8", "int16", "uint16", "float16", "float32")
}

_AXES = ("yx", "zyx", "tyx", "tzyx")

# Space groups: images, a volume, a stack of volumes.
_GROUPS = {"yx": 0, "tyx": 0, "zyx": 1, "tzyx": 401}

_LABEL = b"napari-diffusion: processed".ljust(80)


class MrcWriter:
    """An MRC file with one image; what the header of an MRC source says further is kept."""

    separate = False

    def __init__(self, path: Path, source: Source, dtype: DTypeLike, count: int) -> None:
        if count > 1:
            raise ValueError(
                f"An MRC file holds one image (got {count} steps): use --keep last, .ome.zarr or a "
                "folder."
            )
        self._layout = Layout.of(source.axes or "")
        if self._layout.axes not in _AXES:
            raise ValueError(
                f"An MRC file holds no channels (got the axes {self._layout.axes}): write "
                ".ome.zarr or .ome.tif."
            )
        self._dtype = _checked_type(dtype)
        shape = self._layout.shape(source.image.shape)
        self._header, self._extended = _header(source, self._layout.axes, shape, self._dtype)
        self._path = path
        self._file = path.open("wb")

    def write(self, image: NDArray[Any], record: StepRecord) -> None:
        """Write the image."""
        del record
        self._file.write(bytes(HEADER_BYTES))
        self._file.write(self._extended)
        dtype = self._dtype.newbyteorder(byte_order(self._header))
        found = _Statistics()
        for slab in slabs(self._layout.arranged(image)):
            for part in slab:
                found.add(part)
            slab.astype(dtype, copy=False).tofile(self._file)
        found.enter(self._header)
        self._file.seek(0)
        self._file.write(self._header.tobytes())

    def finish(self, record: StepRecord) -> None:
        """Close the file, and write the record."""
        self._file.close()
        write_record(self._path, record)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _Statistics:
    """Least, greatest and mean intensity and their standard deviation, as programs show them."""

    def __init__(self) -> None:
        self._least, self._most, self._sums, self._count = math.inf, -math.inf, np.zeros(2), 0

    def add(self, part: NDArray[Any]) -> None:
        finite = part[np.isfinite(part)] if part.dtype.kind == "f" else part.ravel()
        if finite.size:
            self._least = min(self._least, float(finite.min()))
            self._most = max(self._most, float(finite.max()))
            self._sums += [np.sum(finite, dtype=float), np.sum(np.square(finite, dtype=float))]
            self._count += finite.size

    def enter(self, header: Any) -> None:
        if not self._count:
            # What MRC2014 has for values that are not determined.
            header["dmin"], header["dmax"], header["dmean"], header["rms"] = 0, -1, -2, -1
            return
        mean, square = self._sums / self._count
        header["dmin"], header["dmax"], header["dmean"] = self._least, self._most, mean
        header["rms"] = math.sqrt(max(square - mean * mean, 0.0))


def _checked_type(wanted: DTypeLike) -> np.dtype[Any]:
    dtype = np.dtype(wanted)
    if dtype.name not in _TYPES:
        # To round float64 in silence would make the record wrong.
        raise TypeError(
            f"MRC does not support {dtype}, only {', '.join(_TYPES)}: write .nii, .ome.zarr or "
            ".npy."
        )
    return np.dtype(_TYPES[dtype.name])


def _header(
    source: Source, axes: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> tuple[Any, bytes]:
    """Return the header of an image, and the extended header if it still describes it."""
    from mrcfile.utils import mode_from_dtype

    kept = source.header.get("mrc")
    fields = _fresh() if kept is None else _untwisted(kept_fields(kept))
    t, z, y, x = (dict(zip(axes, shape, strict=True)).get(axis, 1) for axis in "tzyx")
    extended = source.header.get("extended", b"") if kept and fields["nz"] == t * z else b""
    same = (fields["nx"], fields["ny"], fields["nz"]) == (x, y, t * z)
    fields["nx"], fields["ny"], fields["nz"] = x, y, t * z
    fields["mode"], fields["nsymbt"] = mode_from_dtype(dtype), len(extended)
    # IMOD's flags may say that bytes have no sign, which these have.
    fields = with_signed_bytes(fields)
    if not extended:
        fields["exttyp"] = b""
    volumes = axes == "zyx" and 1 <= fields["ispg"] < 401
    if not same or not (volumes or fields["ispg"] == _GROUPS[axes]):
        fields["ispg"] = fields["ispg"] if volumes else _GROUPS[axes]
        fields["mx"], fields["my"], fields["mz"] = x, y, z
    _enter_lengths(fields, source, axes)
    _enter_place(fields, source, axes)
    _enter_label(fields)
    return fields, extended


def _fresh() -> Any:
    fields = in_order(bytes(HEADER_BYTES), "<")
    fields["map"], fields["nversion"] = b"MAP ", 20141
    fields["cellb"] = (90, 90, 90)
    fields["mapc"], fields["mapr"], fields["maps"] = 1, 2, 3
    return fields


def _untwisted(fields: Any) -> Any:
    """Return a header whose columns are x, rows y and sections z, as values are written."""
    turned = [int(fields[name]) for name in ("mapc", "mapr", "maps")]
    fields["map"] = b"MAP "
    fields["mapc"], fields["mapr"], fields["maps"] = 1, 2, 3
    if sorted(turned) == [1, 2, 3]:
        for kind in ("n{}", "n{}start"):
            found = [int(fields[kind.format(name)]) for name in "xyz"]
            for axis, value in zip(turned, found, strict=True):
                fields[kind.format("xyz"[axis - 1])] = value
    return fields


def _enter_lengths(fields: Any, source: Source, axes: str) -> None:
    """Enter the voxel sizes in ångström; 0 stands for an unknown one."""
    known = source.unit in METRES
    for axis in "xyz":
        # An image has no z: programs expect cubes there.
        name = axis if axis in axes else "x"
        length = source.lengths.get(name, 0.0) * factor(source.unit, ANGSTROM) if known else 0.0
        fields[f"m{axis}"] = max(int(fields[f"m{axis}"]), 1)
        if np.float32(length) != np.float32(length_along(fields, axis)):
            fields["cella"][axis] = length * fields[f"m{axis}"]


def _enter_place(fields: Any, source: Source, axes: str) -> None:
    """Enter the place as origin, unless the header says it already."""
    scale = factor(source.unit, ANGSTROM) if source.unit in METRES else 0.0
    wanted = {axis: source.place.get(axis, 0.0) * scale for axis in "xyz" if axis in axes}
    if np.allclose(list(wanted.values()), [place_along(fields, a) for a in wanted], rtol=1e-6):
        return
    for axis in "xyz":
        fields["origin"][axis], fields[f"n{axis}start"] = wanted.get(axis, 0.0), 0


def _enter_label(fields: Any) -> None:
    used = min(max(int(fields["nlabl"]), 0), 9)
    fields["label"][used] = _LABEL
    fields["nlabl"] = used + 1
