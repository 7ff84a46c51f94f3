"""Writes steps as a plain array in a NPY file, the step being the first axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.full_disk import full_disk_named
from napari_diffusion.io.layout import slabs
from napari_diffusion.io.record_reader import write_record

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

    from napari_diffusion.io.file_image import Source
    from napari_diffusion.io.step_record import StepRecord


class NpyWriter:
    """A NPY file in the source's own axes, many steps along a first one, the record beside it."""

    def __init__(self, path: Path, source: Source, dtype: DTypeLike, count: int) -> None:
        self._many = count > 1
        self._shape = source.image.shape
        self._dtype = np.dtype(dtype).newbyteorder("=")
        self._count = self._end = 0
        self._path = path
        #: A step that is begun does not count: those before it are whole.
        self.separate = True
        with full_disk_named(path.parent):
            self._file = path.open("wb")
            self._write_header()

    def write(self, image: NDArray[Any], record: StepRecord) -> None:
        """Append a step."""
        del record
        with full_disk_named(self._path.parent):
            for slab in slabs(image):
                slab.astype(self._dtype, copy=False).tofile(self._file)
            self._end = self._file.tell()
            self._count += 1
            self._write_header()

    def finish(self, record: StepRecord) -> None:
        """Cut off a step that is not whole, and close the file."""
        self._file.truncate(self._end)
        self._file.close()
        with full_disk_named(self._path.parent):
            write_record(self._path, record)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write_header(self) -> None:
        # numpy leaves room in the header for a first axis of any length.
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self._count, *self._shape) if self._many else self._shape,
        }
        self._file.seek(0)
        np.lib.format.write_array_header_1_0(self._file, header)
        self._file.flush()
        self._end = max(self._end, self._file.tell())
        self._file.seek(self._end)
