"""Reads MRC files: volumes, images, stacks of images, and stacks of volumes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.file_image import Source
from napari_diffusion.io.formats.mrc_header import HEADER_BYTES, MrcHeader
from napari_diffusion.io.memory import fits
from napari_diffusion.io.physical_size import warn
from napari_diffusion.io.record_reader import beside, read_record
from napari_diffusion.io.stored.file_parts import lazy_parts
from napari_diffusion.io.stored.file_state import FileState
from napari_diffusion.io.stored.mapped_values import MappedValues

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_diffusion.io.step_record import StepRecord


def read_mrc(path: Path, lazy: bool | None = None) -> Source:
    """Read an MRC file in the order t, z, y, x; no more is allocated than it holds."""
    file_state = FileState.of(path)
    with path.open("rb") as file:
        raw = file.read(HEADER_BYTES)
        header = MrcHeader.of(path, raw, path.stat().st_size)
        extended = file.read(header.start - HEADER_BYTES)
    _warn_of_angles(path.name, header)
    order = sorted(range(len(header.shape)), key=lambda axis: "tzyx".index(header.axes[axis]))
    if lazy is None:
        lazy = not fits(header.shape, header.dtype)
    stored = _in_parts(file_state, header, order) if lazy else None
    image = _values(path, header, order) if stored is None else lazy_parts(stored)
    lengths, unit = header.sizes(path.name)
    return Source(
        name=path.name,
        image=image,
        stored=stored,
        axes="".join(header.axes[axis] for axis in order),
        letters=header.axes,
        lengths=lengths,
        place=header.place(path.name, lengths, unit),
        unit=unit,
        record=_record(path),
        header={"mrc": header.fields.tobytes(), "extended": extended},
    )


def _in_parts(file: FileState, header: MrcHeader, order: list[int]) -> MappedValues:
    native = header.dtype.newbyteorder("=")
    return MappedValues(file, header.start, header.shape, header.dtype, order=order, dtype=native)


def _values(path: Path, header: MrcHeader, order: list[int]) -> NDArray[Any]:
    """Return the values in the byte order of the machine."""
    values = np.fromfile(path, header.dtype, math.prod(header.shape), offset=header.start)
    if not header.dtype.isnative:
        values = values.byteswap(inplace=True).view(header.dtype.newbyteorder("="))
    return values.reshape(header.shape).transpose(order)


def _warn_of_angles(name: str, header: MrcHeader) -> None:
    angles = [float(header.fields["cellb"][angle]) for angle in ("alpha", "beta", "gamma")]
    if any(angle and abs(angle - 90) > 1e-3 for angle in angles):
        said = ", ".join(f"{angle:g}" for angle in angles)
        warn(name, f"has a cell with the angles {said}: its axes are taken as perpendicular.")


def _record(path: Path) -> StepRecord | None:
    try:
        return read_record(path)
    except (ValueError, RecursionError):
        warn(path.name, f"has a record that cannot be read, {beside(path).name!r}: it is not used.")
        return None
