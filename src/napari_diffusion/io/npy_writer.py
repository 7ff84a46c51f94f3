"""Writes steps as a plain array in a NPY file, the step being the first axis."""

from __future__ import annotations

import io
import math
import os
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.full_disk import full_disk_named
from napari_diffusion.io.layout import slabs
from napari_diffusion.io.record_reader import write_record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

    from napari_diffusion.io.file_image import Source
    from napari_diffusion.io.step_record import StepRecord


class NpyWriter:
    """A NPY file in the source's own axes, many steps along a first one, the record beside it."""

    #: A step that is begun does not count: those before it are whole.
    separate = True

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
        self._many = count > 1
        self._shape = source.image.shape
        self._dtype = np.dtype(dtype).newbyteorder("=")
        self._path, self._durable, self._count = path, durable, 0
        self._step_bytes = math.prod(self._shape) * self._dtype.itemsize
        # numpy leaves room in the header for a first axis of any length.
        header = io.BytesIO()
        self._write_header(header)
        self._start = header.tell()
        there = (path.stat().st_size - self._start) // max(self._step_bytes, 1) if whole else 0
        self.kept = self._count = max(min(len(whole), there), 0)
        with full_disk_named(path.parent):
            self._file = path.open("r+b" if self.kept else "wb")
            self._enter_count()

    def write(self, image: NDArray[Any], record: StepRecord) -> None:
        """Append a step."""
        del record
        with full_disk_named(self._path.parent):
            for slab in slabs(image):
                slab.astype(self._dtype, copy=False).tofile(self._file)
            self._count += 1
            self._enter_count()
            if self._durable:
                os.fsync(self._file.fileno())

    def image(self, index: int) -> NDArray[Any]:
        """Return a step that is whole, mapped from the file."""
        start = self._start + index * self._step_bytes
        return np.memmap(self._path, self._dtype, "r", start, self._shape)

    def finish(self, record: StepRecord) -> None:
        """Cut off a step that is not whole, and close the file."""
        self._file.truncate(self._start + self._count * self._step_bytes)
        self._file.close()
        with full_disk_named(self._path.parent):
            write_record(self._path, record)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _enter_count(self) -> None:
        """Write into the header how many steps are whole, and go behind them."""
        self._file.seek(0)
        self._write_header(self._file)
        self._file.flush()
        self._file.seek(self._start + self._count * self._step_bytes)

    def _write_header(self, file: IO[bytes]) -> None:
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self._count, *self._shape) if self._many else self._shape,
        }
        np.lib.format.write_array_header_1_0(file, header)
