"""Writes steps to a folder with one OME-TIFF per step."""

from __future__ import annotations

import contextlib
import itertools
import os
from typing import TYPE_CHECKING, Any

from napari_diffusion.io.durability import sync_file, sync_folder
from napari_diffusion.io.output_path import UNFINISHED_STEP, remove
from napari_diffusion.io.tiff.writer import TiffWriter, checked_type, layout

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

    from napari_diffusion.io.file_image import Source
    from napari_diffusion.io.step_record import StepRecord


class FolderWriter:
    """A folder with one OME-TIFF per step; each gets its name when it is whole."""

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
        del count
        checked_type(dtype)
        self._path, self._source, self._dtype, self._durable = path, source, dtype, durable
        files = [self._step(record) for record in whole]
        there = itertools.takewhile(lambda file: file.is_file(), files)
        self._files = list(there)
        self.kept = len(self._files)
        if not self.kept:
            remove(path)
        path.mkdir(exist_ok=True)

    def write(self, image: NDArray[Any], record: StepRecord) -> None:
        """Write a step into a file of its own."""
        path, aside = self._step(record), self._path / UNFINISHED_STEP
        writer = TiffWriter(aside, self._source, self._dtype, 1)
        try:
            writer.write(image, record)
            writer.finish(record)
            if self._durable:
                sync_file(aside)
            os.replace(aside, path)
        except BaseException:
            with contextlib.suppress(Exception):
                writer.close()
            aside.unlink(missing_ok=True)
            raise
        if self._durable:
            sync_folder(self._path)
        self._files.append(path)

    def image(self, index: int) -> NDArray[Any]:
        """Return a step that is whole, mapped from its file."""
        import tifffile

        arranged = layout(self._source)
        shape = arranged.shape(self._source.image.shape)
        return arranged.given_back(tifffile.memmap(self._files[index], mode="r").reshape(shape))

    def finish(self, record: StepRecord) -> None:
        """Do nothing: every file is complete and has its own record."""
        del record

    def close(self) -> None:
        """Do nothing: no file is open."""

    def _step(self, record: StepRecord) -> Path:
        return self._path / f"step_{record['step']:04}.ome.tif"
