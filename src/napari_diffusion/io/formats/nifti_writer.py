"""Writes one image as NIfTI file, with the record in its header."""

from __future__ import annotations

import gzip
import json
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np

from napari_diffusion.core.units import METRES, SECONDS, factor
from napari_diffusion.io.formats.nifti import COMMENT, record_in
from napari_diffusion.io.formats.nifti_header import (
    AXES,
    TIME_UNITS,
    UNITS,
    affine_of,
    directions_of,
    fields_of,
)
from napari_diffusion.io.layout import Layout, slabs
from napari_diffusion.io.ome_zarr.description import KEY
from napari_diffusion.io.step_record import sealed

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

    from napari_diffusion.io.file_image import Source
    from napari_diffusion.io.step_record import StepRecord

_TYPES = (
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float32", "float64"),
)

# The codes of colours by their number, and of an affine that is no scanner's.
_COLOURS = {3: 128, 4: 2304}
_ALIGNED = 2

# More along an axis needs NIfTI-2.
_MOST = 2**15 - 1

# Fast: noise does not become smaller by more effort.
_EFFORT = 2

_NOTE = b"napari-diffusion: processed"


class NiftiWriter:
    """A NIfTI file with one image; what the header of a NIfTI source says further is kept."""

    separate = False

    def __init__(self, path: Path, source: Source, dtype: DTypeLike, count: int) -> None:
        if count > 1:
            raise ValueError(
                f"A NIfTI file holds one image (got {count} steps): use --keep last, .ome.zarr or "
                "a folder."
            )
        self._source = source
        self._layout = _layout(source)
        shape = self._layout.shape(source.image.shape)
        dtype = _checked_type(dtype, source, shape)
        self._fields = _fields(source, dict(zip(self._layout.axes, shape, strict=True)), dtype)
        self._dtype = dtype.newbyteorder(self._fields.endianness)
        self._image: NDArray[Any] | None = None
        self._raw = path.open("wb")
        self._file = cast(IO[bytes], self._raw)
        if path.suffix.lower() == ".gz":
            # Without name and time: the same image makes the same bytes.
            zipped = gzip.GzipFile("", "wb", _EFFORT, self._raw, 0)
            self._file = cast(IO[bytes], zipped)

    def write(self, image: NDArray[Any], record: StepRecord) -> None:
        """Keep the image: the record stands before it in the file, and is complete at the end."""
        del record
        self._image = self._layout.arranged(image)

    def finish(self, record: StepRecord) -> None:
        """Write the file."""
        if self._image is not None:
            _enter_record(self._fields, self._source, record)
            self._fields.write_to(self._file)
            for slab in slabs(self._image):
                self._file.write(slab.astype(self._dtype, copy=False).data)
            self._image = None
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._raw.close()


def _layout(source: Source) -> Layout:
    given = source.axes or ""
    axes = "".join(axis for axis in "ctzyx" if axis in given or axis in "yx")
    return Layout(given, axes.replace("c", "") + "c" if source.rgb else axes)


def _checked_type(wanted: DTypeLike, source: Source, shape: tuple[int, ...]) -> np.dtype[Any]:
    dtype = np.dtype(wanted)
    if dtype.name not in _TYPES:
        raise TypeError(
            f"NIfTI does not support {dtype}, only {', '.join(_TYPES)}: write .ome.zarr or .npy."
        )
    if source.rgb and (dtype.name != "uint8" or shape[-1] not in _COLOURS):
        raise TypeError(
            f"NIfTI holds colours only as uint8 (got {shape[-1]} of {dtype}): use --dtype source, "
            "or write .ome.tif."
        )
    return dtype


def _fields(source: Source, sizes: dict[str, int], dtype: np.dtype[Any]) -> Any:
    """Return the header of an image; what a NIfTI source said further is kept."""
    from nibabel import nifti1

    first: Any = nifti1.Nifti1Header
    kept = source.header.get("nifti")
    fields = first() if kept is None else fields_of(kept)
    axes = "".join(axis for axis in AXES if axis in sizes and not (source.rgb and axis == "c"))
    shape = [sizes[axis] if axis in axes else 1 for axis in AXES[: AXES.index(axes[-1]) + 1]]
    if max(shape) > _MOST and type(fields) is first:
        fields = _second_version(fields)
    fields["dim"] = [len(shape), *shape, *[1] * (7 - len(shape))]
    fields.set_data_dtype(_COLOURS[sizes["c"]] if source.rgb else dtype)
    fields["scl_slope"], fields["scl_inter"] = 1, 0
    note = bytes(fields["descrip"]).rstrip(b"\0 ")
    if not note.endswith(_NOTE):
        fields["descrip"] = b"; ".join([note[: 78 - len(_NOTE)], _NOTE]) if note else _NOTE
    _enter_sizes(fields, source)
    return fields


def _second_version(fields: Any) -> Any:
    """Return a header of NIfTI-2 that says the same."""
    from nibabel import nifti2

    second: Any = nifti2.Nifti2Header
    made = second(endianness=fields.endianness)
    for name in set(made.keys()) & set(fields.keys()) - {"sizeof_hdr", "magic"}:
        made[name] = fields[name]
    return made


def _enter_sizes(fields: Any, source: Source) -> None:
    """Enter voxel sizes, units, frame interval and place."""
    axes = source.axes or ""
    unit, scale = _written(source.unit, METRES, UNITS, "micrometer", "millimeter")
    time, interval = _written(source.time_unit, SECONDS, TIME_UNITS, "microsecond", "second")
    known = unit or source.unit == "pixel"
    lengths = {a: source.lengths[a] * scale for a in "xyz" if a in source.lengths and known}
    place = {a: source.place.get(a, 0.0) * scale for a in "xyz" if a in axes}
    # A single unknown size is 0 beside known ones: 1 would be a number that nobody measured.
    unknown = 0.0 if lengths else 1.0
    pixdim = [lengths.get(a, unknown if a in axes else 1.0) for a in "xyz"]
    fields["xyzt_units"] = unit | time
    if all(pixdim):
        _enter_affine(fields, pixdim, place, source.header.get("affine"))
    else:
        fields["sform_code"] = fields["qform_code"] = 0
    fields["pixdim"][1:4] = pixdim
    fields["pixdim"][4] = source.lengths.get("t", 1.0) * interval
    fields["toffset"] = source.place.get("t", 0.0) * interval


def _enter_affine(
    fields: Any, sizes: list[float], place: dict[str, float], known: NDArray[np.float64] | None
) -> None:
    """Enter sizes and place into the affine; one that says them already stays as it is.

    `known` is that of a source in another format.
    """
    kept = affine_of(fields)
    if kept is None and known is None and not any(place.values()):
        return
    was = kept if kept is not None else np.eye(4) if known is None else known
    directions = directions_of(was)
    made = np.eye(4)
    made[:3, :3] = directions * sizes
    aligned = kept is not None and np.allclose(directions, np.eye(3), atol=1e-4)
    # The place of an image that lies turned counts from its own first voxel, along its axes.
    moved = np.array([place.get(axis, 0.0) for axis in "xyz"])
    absolute = [place.get(axis, was[n, 3]) for n, axis in enumerate("xyz")]
    made[:3, 3] = absolute if aligned else was[:3, 3] + directions @ moved
    if kept is not None and np.allclose(made, kept, rtol=1e-6, atol=1e-12):
        return
    fields.set_qform(made, int(fields["qform_code"]) or _ALIGNED)
    fields.set_sform(made, int(fields["sform_code"]) or _ALIGNED)


def _written(
    unit: str, sizes: dict[str, float], codes: dict[int, str], small: str, large: str
) -> tuple[int, float]:
    """Return the code of the unit that is written for a unit, and how many of it that is."""
    if unit not in sizes:
        return 0, 1.0
    found = {name: code for code, name in codes.items()}
    wanted = unit if unit in found else small if sizes[unit] < sizes[large] else large
    return found[wanted], factor(unit, wanted)


def _enter_record(fields: Any, source: Source, record: StepRecord) -> None:
    from nibabel.nifti1 import Nifti1Extension, Nifti1Extensions

    text = json.dumps({KEY: sealed(record)}, allow_nan=False).encode()
    kept = source.header.get("extensions", ()) if "nifti" in source.header else ()
    others = [each for each in kept if record_in((each,)) is None]
    fields.extensions = Nifti1Extensions(
        Nifti1Extension(code, content) for code, content in (*others, (COMMENT, text))
    )
    fields["vox_offset"] = 0
