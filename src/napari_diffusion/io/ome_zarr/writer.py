"""Writes OME-Zarr 0.5: one image, a group with one image per step, or a stack of steps."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.full_disk import full_disk_named
from napari_diffusion.io.ome_zarr.description import KEY
from napari_diffusion.io.ome_zarr.image import ZarrImage
from napari_diffusion.io.ome_zarr.series import set_attributes, write_series
from napari_diffusion.io.record_reader import step_entry

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

    from napari_diffusion.io.file_image import Source
    from napari_diffusion.io.step_record import StepEntry, StepRecord

# Where a step is written until it is whole.
_UNFINISHED = ".unfinished"


class ZarrWriter:
    """One image at the root of the store."""

    separate = False

    def __init__(self, path: Path, source: Source, dtype: DTypeLike, count: int) -> None:
        del dtype, count
        self._path, self._name, self._written = path, source.name, False
        self._image = ZarrImage(path, source)

    def write(self, image: NDArray[Any], record: StepRecord) -> None:
        """Write the image."""
        del record
        with full_disk_named(self._path):
            self._image.write(image)
            self._written = True

    def finish(self, record: StepRecord) -> None:
        """Write the metadata."""
        if self._written:
            with full_disk_named(self._path):
                self._image.describe(self._name, {**record, "complete": True})

    def close(self) -> None:
        """Do nothing: no file is open."""


class ZarrRunWriter:
    """A group of OME-Zarr images, one per step, listed in order as a collection.

    What stands in the group is whole at any time: a step is written aside and gets its name when
    it is complete, and only then is it listed.
    """

    separate = True

    def __init__(self, path: Path, source: Source, dtype: DTypeLike, count: int) -> None:
        import zarr
        from yaozarrs import v05

        self._path, self._source, self._count = path, source, count
        self._dtype = np.dtype(dtype)
        self._steps: list[StepEntry] = []
        whole = v05.Bf2Raw.model_validate({"bioformats2raw.layout": 3})
        zarr.create_group(
            str(path),
            zarr_format=3,
            attributes={
                "ome": whole.model_dump(mode="json", by_alias=True),
                KEY: {"complete": False, "steps": []},
            },
        )
        zarr.create_group(str(path / "steps"), zarr_format=3)

    def write(self, image: NDArray[Any], record: StepRecord) -> None:
        """Write a step as an image of its own."""
        aside = self._path / _UNFINISHED
        with full_disk_named(self._path):
            try:
                made = ZarrImage(aside, self._source)
                made.write(image)
                made.describe(f"step {record['step']}", {**record, "complete": True})
                os.replace(aside, self._path / _name(record))
            except BaseException:
                shutil.rmtree(aside, ignore_errors=True)
                raise
            self._steps.append(step_entry(record))
            self._list(record)

    def finish(self, record: StepRecord) -> None:
        """Say that the run is complete, if all its steps are there."""
        self._list(record)

    def close(self) -> None:
        """Do nothing: no file is open."""

    def _list(self, record: StepRecord) -> None:
        if self._steps:
            images = [_name(step) for step in self._steps]
            write_series(self._path, images, self._source, self._dtype)
        complete = len(self._steps) == self._count
        set_attributes(self._path, {KEY: {**record, "steps": self._steps, "complete": complete}})


class ZarrStackWriter:
    """One image whose first axis is the step.

    Its length on disk is the number of whole steps at any time: each is written beyond the end
    first.
    """

    separate = True

    def __init__(self, path: Path, source: Source, dtype: DTypeLike, count: int) -> None:
        del dtype
        self._path, self._source, self._count = path, source, count
        self._image = ZarrImage(path, source, count)
        self._steps: list[StepEntry] = []

    def write(self, image: NDArray[Any], record: StepRecord) -> None:
        """Append a step."""
        index = len(self._steps)
        with full_disk_named(self._path):
            try:
                self._image.write(image, index)
            except BaseException:
                for level in self._path.glob(f"[0-9]*/c/{index}"):
                    shutil.rmtree(level, ignore_errors=True)
                raise
            self._image.show_steps(index + 1)
            self._steps.append(step_entry(record))
            self._describe(record)

    def finish(self, record: StepRecord) -> None:
        """Say that the stack is complete, if all its steps are there."""
        if self._steps:
            self._describe(record)

    def close(self) -> None:
        """Do nothing: no file is open."""

    def _describe(self, record: StepRecord) -> None:
        complete = len(self._steps) == self._count
        kept = {**record, "steps": self._steps, "complete": complete}
        self._image.describe(self._source.name, kept)


def _name(step: StepRecord | StepEntry) -> str:
    return f"steps/{step['step']:04}"
