"""Writes steps to OME-TIFF, all in one file along an axis Q."""

from __future__ import annotations

import io
import json
import math
import os
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.readable_name import readable_name
from napari_diffusion.core.units import METRES, PIXEL, SECONDS, SYMBOLS
from napari_diffusion.io.full_disk import full_disk_named, reserve
from napari_diffusion.io.layout import Layout, planes
from napari_diffusion.io.step_record import sealed
from napari_diffusion.io.tiff.description import channels_and_places
from napari_diffusion.io.tiff.ome_xml import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import tifffile
    from numpy.typing import DTypeLike, NDArray

    from napari_diffusion.io.file_image import Resolution, Source
    from napari_diffusion.io.step_record import StepRecord

#: What can stand behind the axis Q of an OME-TIFF.
_BEHIND_Q = ("yx", "zyx", "cyx", "yxc")

_TYPES = ["int8", "int16", "int32", "uint8", "uint16", "uint32", "float32", "float64"]

# Room for the directory of a page, and for the OME-XML beside the record.
_PAGE_BYTES, _END_BYTES = 512, 1 << 14

# Offsets of a classic TIFF have 32 bits.
_CLASSIC_BYTES = 2**32 - 2**25

_CENTIMETRE, _NONE = 3, 1


def layout(source: Source) -> Layout:
    """Return the order of axes of an image in an OME-TIFF."""
    return Layout.of(source.axes or "", colours_last=source.rgb)


def holds_steps(source: Source, count: int) -> bool:
    """Return whether one file can hold that many steps of an image."""
    return count == 1 or layout(source).axes in _BEHIND_Q


class TiffWriter:
    """One OME-TIFF of all steps, along an axis Q where there are many."""

    #: Until the end nothing but the first plane can be read.
    separate = False

    def __init__(
        self,
        path: Path,
        source: Source,
        dtype: DTypeLike,
        count: int,
        whole: Sequence[StepRecord] = (),
        *,
        durable: bool = False,
    ) -> None:
        self._path, self._source, self._durable = path, source, durable
        self._layout = self._layout_of(source)
        self._shape = self._layout.shape(source.image.shape)
        self._dtype = self._checked(dtype)
        self._step_bytes = math.prod(self._shape) * self._dtype.itemsize
        self._big = count * self._step_bytes > _CLASSIC_BYTES
        # Where the first plane begins.
        self._start = self._begun(io.BytesIO()) if whole else 0
        there = (path.stat().st_size - self._start) // max(self._step_bytes, 1) if whole else 0
        self.kept = self._count = max(min(len(whole), there), 0)
        self._raw = path.open("r+b" if self.kept else "w+b")
        self._open()

    def write(self, image: NDArray[Any], record: StepRecord) -> None:
        """Append a step, for which room is reserved, and for what comes after the last one."""
        pages = (self._count + 1) * math.prod(self._shape[: self._layout.axes.index("y")])
        after = _END_BYTES + pages * _PAGE_BYTES + 2 * len(json.dumps(record))
        reserve(self._raw, self._raw.tell(), self._step_bytes + after)
        self._broken = True
        with full_disk_named(self._path.parent):
            # Plane by plane: of an iterator tifffile would append nothing but zeros here.
            for plane in planes(self._layout.arranged(image), self._plane_axes):
                self._append(self._file, plane)
            if self._durable:
                self._raw.flush()
                os.fsync(self._raw.fileno())
        self._broken = False
        if not self._count:
            self._start = self._raw.tell() - self._step_bytes
        self._count += 1

    def image(self, index: int) -> NDArray[Any]:
        """Return a step that is whole, mapped from the file."""
        start = self._start + index * self._step_bytes
        return self._layout.given_back(
            np.memmap(self._path, self._dtype, "r", start, self._shape),
        )

    def finish(self, record: StepRecord) -> None:
        """Close the file, and write its OME-XML."""
        import tifffile

        with full_disk_named(self._path.parent):
            if self._broken:
                self._open()
            self._file.close()
            self._raw.truncate()
            self._raw.close()
            if self._count:
                tifffile.tiffcomment(self._path, self._description(record).encode())

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._raw.close()

    @property
    def _plane_axes(self) -> int:
        """How many axes a plane has: y and x, and colours."""
        return 2 + (self._layout.axes[-1] == "c")

    def _open(self) -> None:
        """Begin the file; planes of whole steps are written once more, where they are.

        So tifffile, which keeps in memory what it has written, goes on behind them, and if this is
        interrupted the file still has the same bytes there.
        """
        import tifffile

        self._raw.seek(0)
        self._raw.truncate(self._start + self._count * self._step_bytes)
        self._file = tifffile.TiffWriter(self._raw, bigtiff=self._big, ome=False)
        shape = self._shape[-self._plane_axes :]
        size = math.prod(shape)
        for index in range(self._count * math.prod(self._shape) // max(size, 1)):
            start = self._start + index * size * self._dtype.itemsize
            plane = np.fromfile(self._path, self._dtype, size, offset=start)
            self._append(self._file, plane.reshape(shape))
        self._broken = False

    def _begun(self, file: IO[bytes]) -> int:
        """Begin a file with one plane, and return where that begins."""
        import tifffile

        with tifffile.TiffWriter(file, bigtiff=self._big, ome=False) as begun:
            plane = np.zeros(self._shape[-self._plane_axes :], self._dtype)
            return self._append(begun, plane)

    def _append(self, file: tifffile.TiffWriter, plane: NDArray[Any]) -> int:
        """Append a plane, and return where it begins."""
        resolution = self._resolution()
        colours = self._layout.axes[-1] == "c"
        place = file.write(
            plane,
            dtype=self._dtype,
            contiguous=True,
            metadata=None,
            # Only holds the place: the number of steps is known at the end.
            description="OME",
            photometric="rgb" if colours else "minisblack",
            extrasamples=("unassalpha",) if colours and self._shape[-1] == 4 else None,
            resolution=resolution[:2],
            resolutionunit=resolution[2],
            software="napari-diffusion",
            returnoffset=True,
        )
        return place[0] if place else 0

    def _layout_of(self, source: Source) -> Layout:
        return layout(source)

    def _checked(self, dtype: DTypeLike) -> np.dtype[Any]:
        return checked_type(dtype)

    def _resolution(self) -> Resolution:
        return resolution_tags(self._source)

    def _description(self, record: StepRecord) -> str:
        """Return the OME-XML."""
        import tifffile

        axes = self._layout.axes.upper()
        samples = 1
        if axes.endswith("C"):
            axes, samples = axes[:-1] + "S", self._shape[-1]
        deep = self._shape[: axes.index("Y")]
        height, width = self._shape[axes.index("Y") :][:2]
        shape = self._shape
        if self._count > 1:
            axes, shape = "Q" + axes, (self._count, *shape)
        planes = self._count * math.prod(deep)
        xml = tifffile.OmeXml(Creator="napari-diffusion")
        xml.addimage(
            self._dtype,
            shape,
            (planes, 1, 1, height, width, samples),
            axes=axes,
            Name=readable_name(self._source.name),
            TypeDescription={"Q": "step"},
            CommentAnnotation={"Namespace": NAMESPACE, "Value": json.dumps(sealed(record))},
            **_physical_sizes(self._source),
            **channels_and_places(self._source, self._layout.axes, self._shape, planes),
        )
        return str(xml.tostring(declaration=True))


def checked_type(wanted: DTypeLike) -> np.dtype[Any]:
    """Return a type that OME-TIFF has; refuse others."""
    dtype = np.dtype(wanted)
    if dtype.name not in _TYPES:
        raise TypeError(
            f"OME-TIFF does not support {dtype}, only {', '.join(_TYPES)}: write .ome.zarr or .npy."
        )
    return dtype


def _physical_sizes(source: Source) -> dict[str, Any]:
    """Return the lengths as OME-XML has them."""
    sizes: dict[str, Any] = {}
    for axis in "xyz":
        if axis in source.lengths and (source.unit in METRES or source.unit == PIXEL):
            sizes[f"PhysicalSize{axis.upper()}"] = source.lengths[axis]
            sizes[f"PhysicalSize{axis.upper()}Unit"] = SYMBOLS.get(source.unit, PIXEL)
    if "t" in source.lengths and source.time_unit in SECONDS:
        sizes["TimeIncrement"] = source.lengths["t"]
        sizes["TimeIncrementUnit"] = SYMBOLS[source.time_unit]
    return sizes


def resolution_tags(source: Source) -> Resolution:
    """Return TIFF's resolution: the source's own, or pixels per centimetre."""
    if source.resolution is not None:
        return source.resolution
    if source.unit not in METRES or not {"x", "y"} <= set(source.lengths):
        return ((1, 1), (1, 1), _NONE)
    metres = METRES[source.unit]
    x, y = (ratio(0.01 / (source.lengths[axis] * metres)) for axis in "xy")
    return (x, y, _CENTIMETRE)


def ratio(value: float) -> tuple[int, int]:
    """Return a number greater than 0 as TIFF has it: numerator and denominator."""
    from fractions import Fraction

    # Numerator and denominator have 32 bits each.
    for limit in (10**6, 10**4, 100, 1):
        fraction = Fraction(value).limit_denominator(limit)
        if 0 < fraction.numerator < 2**32:
            return fraction.numerator, fraction.denominator
    return 1, 1
