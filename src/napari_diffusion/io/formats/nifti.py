"""Reads NIfTI files, plain and with gzip."""

from __future__ import annotations

import gzip
import json
import math
import zlib
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.file_image import NotReadable, Source
from napari_diffusion.io.formats.nifti_header import (
    AXES,
    TIME_UNITS,
    UNITS,
    Extensions,
    NiftiHeader,
    directions_of,
)
from napari_diffusion.io.ome_zarr.description import KEY
from napari_diffusion.io.physical_size import frame_interval, pixel_sizes, places, warn
from napari_diffusion.io.step_record import as_record

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_diffusion.io.step_record import StepRecord

#: The code of a comment, which is where the record stands.
COMMENT = 6

# No stream of deflate holds more per byte.
_MOST_RATIO = 1100

_PART = 1 << 20

_OTHER_UNITS = {32: "Hz", 40: "ppm", 48: "rad/s"}


def read_nifti(path: Path, lazy: bool | None = None) -> Source:
    """Read a NIfTI file in the order c, t, z, y, x; axes of one plane are left out."""
    del lazy
    header, values = _content(path)
    # The fastest axis comes first in the file, and last here.
    image = _scaled(path.name, header, values).reshape(header.shape[::-1])
    letters = AXES[: image.ndim][::-1]
    kept = tuple(n for n, a in enumerate(letters) if image.shape[n] > 1 or a in "yx")
    axes = "".join(letters[n] for n in kept)
    image = image.reshape([image.shape[n] for n in kept])
    source = Source(
        name=path.name,
        image=image,
        axes=axes,
        letters=letters[::-1],
        record=record_in(header.extensions),
        header={"nifti": header.fields.binaryblock, "extensions": header.extensions},
    )
    return _placed(_with_colours(source), header)


def record_in(extensions: Extensions) -> StepRecord | None:
    """Return the record among the extensions of a header."""
    for code, content in extensions:
        if code == COMMENT and content.startswith(b'{"%s"' % KEY.encode()):
            try:
                return as_record(json.loads(content)[KEY])
            except (ValueError, RecursionError):
                return None
    return None


def read_record(path: Path) -> StepRecord | None:
    """Return the record of a file, without its pixels."""
    with _opened(path) as file:
        return record_in(NiftiHeader.read(path, file, _most(path)).extensions)


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if _is_zipped(path) else path.open("rb")  # type: ignore[return-value]


def _is_zipped(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def _most(path: Path) -> int:
    """Return how many bytes a file can hold, unpacked."""
    return path.stat().st_size * (_MOST_RATIO if _is_zipped(path) else 1)


def _content(path: Path) -> tuple[NiftiHeader, NDArray[Any]]:
    """Return the header and the values as the file has them, in one row."""
    try:
        with _opened(path) as file:
            header = NiftiHeader.read(path, file, _most(path))
            raw = np.empty(math.prod(header.shape) * header.dtype.itemsize, np.uint8)
            held = _fill(raw, file)
            more = held == len(raw) and file.read(1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise NotReadable(f"{str(path)!r} is a broken gzip file: {error}.") from None
    if held < len(raw):
        raise NotReadable(
            f"{str(path)!r} is cut off: its header declares {len(raw)} bytes of pixels, and it "
            f"holds {held}."
        )
    if more and _is_zipped(path):
        raise NotReadable(f"{str(path)!r} holds more than the {len(raw)} bytes of pixels declared.")
    if more:
        warn(path.name, "holds more after its pixels: ignored.")
    return header, raw.view(header.dtype)


def _fill(values: NDArray[np.uint8], file: IO[bytes]) -> int:
    view, held = values.data, 0
    while held < len(view):
        # What is asked of gzip at once it holds twice.
        count = file.readinto(view[held : held + _PART])  # type: ignore[attr-defined]
        if not count:
            break
        held += count
    return held


def _scaled(name: str, header: NiftiHeader, values: NDArray[Any]) -> NDArray[Any]:
    """Return the intensities: what is stored times the slope, plus the intercept."""
    stored = header.dtype
    if stored.names:
        return values
    native = values.astype(stored.newbyteorder("="), copy=False)
    slope, intercept = (float(header.fields[f"scl_{name}"]) for name in ("slope", "inter"))
    if slope == 0 or math.isnan(slope) or (slope, intercept) == (1, 0):
        return native
    if not math.isfinite(slope) or not math.isfinite(intercept):
        warn(name, f"has no usable slope and intercept (got {slope}, {intercept}): not applied.")
        return native
    real = np.dtype(np.float32 if stored.itemsize <= 2 or stored.kind == "f" else np.float64)
    real = np.promote_types(real, native.dtype) if stored.kind == "f" else real
    if real != native.dtype:
        warn(
            name,
            f"stores {native.dtype} with slope {slope:g} and intercept {intercept:g}: its "
            f"intensities are read as {real}.",
        )
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = native.astype(real)
        scaled *= slope
        scaled += intercept
    return scaled


def _with_colours(source: Source) -> Source:
    names = source.image.dtype.names
    if not names:
        return source
    image = source.image.view(np.uint8).reshape(*source.image.shape, len(names))
    if "c" in (source.axes or ""):
        raise NotReadable(f"{source.name!r} has both colours and channels: save them one by one.")
    return source.replaced(image=image, axes=f"{source.axes}c", rgb=True)


def _placed(source: Source, header: NiftiHeader) -> Source:
    """Return the source with the voxel sizes, the frame interval and the place."""
    axes, name, fields = source.axes or "", source.name, header.fields
    code = int(fields["xyzt_units"])
    unit = UNITS.get(code & 7, "")
    sizes = dict(zip("xyz", _sizes(name, header), strict=True))
    found = {a: (sizes[a], unit) for a in "zyx" if a in axes and (unit or sizes[a] != 1)}
    lengths, known = pixel_sizes(name, found)
    given = TIME_UNITS.get(code & 56, _OTHER_UNITS.get(code & 56, ""))
    interval, time_unit = _interval(name, float(fields["pixdim"][4]), given, axes)
    place = {a: (value, unit) for a, value in _place(name, header).items() if a in axes}
    if "t" in axes and fields["toffset"]:
        place["t"] = (float(fields["toffset"]), given)
    return source.replaced(
        lengths=lengths | interval,
        unit=known,
        time_unit=time_unit,
        place=places(name, dict(place), lengths | interval, known, time_unit),
    )


def _interval(name: str, value: float, unit: str, axes: str) -> tuple[dict[str, float], str]:
    said = "t" in axes and (unit or value != 1)
    return frame_interval(name, _decimal(value) if said else None, unit)


def _sizes(name: str, header: NiftiHeader) -> list[float]:
    """Return the voxel sizes along x, y, z: those of the affine if there is one."""
    said = [_decimal(value) for value in header.fields["pixdim"][1:4]]
    if header.affine is None:
        return said
    found = [_decimal(value) for value in np.linalg.norm(header.affine[:3, :3], axis=0)]
    if not np.allclose(found, np.abs(said), rtol=1e-3, equal_nan=True):
        warn(name, f"has the pixel sizes {said} beside {found} in its affine: these are used.")
    return found


def _place(name: str, header: NiftiHeader) -> dict[str, float]:
    """Return the place along x, y, z, unless the axes of the file are turned or mirrored."""
    if header.affine is None:
        return {}
    directions = directions_of(header.affine)
    if np.allclose(directions, np.eye(3), atol=1e-4):
        return dict(zip("xyz", map(_decimal, header.affine[:3, 3]), strict=True))
    mirrored = np.allclose(np.abs(directions), np.eye(3), atol=1e-4)
    warn(
        name,
        f"lies {'mirrored' if mirrored else 'turned'} in space: its image is read as it is stored, "
        "and its orientation is only kept in the header.",
    )
    return {}


def _decimal(value: Any) -> float:
    # Most files have 32 bits: 0.7 is meant, not 0.699999988079071.
    short = np.float32(value)
    return float(str(short)) if abs(float(short) - value) <= 1e-7 * abs(value) else float(value)
