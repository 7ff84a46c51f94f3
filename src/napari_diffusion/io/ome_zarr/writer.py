"""Writes OME-Zarr 0.5: one image, a group with one image per step, or a stack of steps."""

from __future__ import annotations

import itertools
import os
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.durability import sync_file, sync_folder, sync_tree
from napari_diffusion.io.full_disk import full_disk_named
from napari_diffusion.io.layout import Layout
from napari_diffusion.io.ome_zarr.chunks import StoredValues
from napari_diffusion.io.ome_zarr.description import KEY
from napari_diffusion.io.ome_zarr.image import ZarrImage
from napari_diffusion.io.ome_zarr.series import set_attributes, write_series
from napari_diffusion.io.ome_zarr.store import check_array, has_metadata, opened_array
from napari_diffusion.io.output_path import remove
from napari_diffusion.io.record_reader import step_entry
from napari_diffusion.io.step_record import sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

    from napari_diffusion.io.file_image import Source
    from napari_diffusion.io.ome_zarr.pyramid import Run
    from napari_diffusion.io.step_record import StepEntry, StepRecord

# Where a step is written until it is whole.
_UNFINISHED = ".unfinished"

_STEPS = "steps"


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

    def write_array(self, folder: Path, record: StepRecord, run: Run) -> None:
        """Take an array as the image; see `Output.write_array`."""
        del record
        with full_disk_named(self._path):
            self._image.link(folder, run)
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
        self._path, self._source, self._count = path, source, count
        self._dtype, self._durable = np.dtype(dtype), durable
        there = itertools.takewhile(lambda step: has_metadata(path / _name(step)), whole)
        self._steps = [step_entry(record) for record in there]
        self.kept = len(self._steps)
        if self.kept:
            self._clear()
            self._list(whole[self.kept - 1])
        else:
            remove(path)
            self._create()

    def write(self, image: NDArray[Any], record: StepRecord) -> None:
        """Write a step as an image of its own."""
        self._write(record, lambda made: made.write(image))

    def write_array(self, folder: Path, record: StepRecord, run: Run) -> None:
        """Take an array as the image of a step; see `Output.write_array`."""
        self._write(record, lambda made: made.link(folder, run))

    def _write(self, record: StepRecord, fill: Callable[[ZarrImage], None]) -> None:
        aside = self._path / _UNFINISHED
        with full_disk_named(self._path):
            try:
                made = ZarrImage(aside, self._source)
                fill(made)
                made.describe(f"step {record['step']}", {**record, "complete": True})
                if self._durable:
                    sync_tree(aside)
                os.replace(aside, self._path / _name(record))
            except BaseException:
                shutil.rmtree(aside, ignore_errors=True)
                raise
            if self._durable:
                sync_folder(self._path / _STEPS)
            self._steps.append(step_entry(record))
            self._list(record)

    def image(self, index: int) -> NDArray[Any]:
        """Return a step that is whole, read as it is needed."""
        return _values(self._path, f"{_name(self._steps[index])}/0", self._source)

    def finish(self, record: StepRecord) -> None:
        """Say that the run is complete, if all its steps are there."""
        self._list(record)

    def close(self) -> None:
        """Do nothing: no file is open."""

    def _create(self) -> None:
        import zarr
        from yaozarrs import v05

        whole = v05.Bf2Raw.model_validate({"bioformats2raw.layout": 3})
        attributes = {
            "ome": whole.model_dump(mode="json", by_alias=True),
            KEY: {"complete": False, "steps": []},
        }
        zarr.create_group(str(self._path), zarr_format=3, attributes=attributes)
        zarr.create_group(str(self._path / _STEPS), zarr_format=3)

    def _clear(self) -> None:
        """Remove what is not whole."""
        _clear_pieces(self._path)
        known = {_name(step) for step in self._steps}
        for folder in (self._path / _UNFINISHED, *self._path.glob(f"{_STEPS}/[0-9]*")):
            if str(folder.relative_to(self._path).as_posix()) not in known:
                remove(folder)

    def _list(self, record: StepRecord) -> None:
        if self._steps:
            images = [_name(step) for step in self._steps]
            write_series(self._path, images, self._source, self._dtype)
        complete = len(self._steps) == self._count
        kept = sealed({**record, "steps": self._steps, "complete": complete})
        set_attributes(self._path, {KEY: kept})
        if self._durable:
            _sync_metadata(self._path)


class ZarrStackWriter:
    """One image whose first axis is the step.

    Its length on disk is the number of whole steps at any time: each is written beyond the end
    first.
    """

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
        del dtype
        self._path, self._source, self._count, self._durable = path, source, count, durable
        self.kept = min(len(whole), _length(path)) if whole else 0
        self._steps = [step_entry(record) for record in whole[: self.kept]]
        if not self.kept:
            remove(path)
        self._image = ZarrImage(path, source, count, self.kept)
        if self.kept:
            _clear_pieces(path)
            self._clear(self.kept)
            self._describe(whole[self.kept - 1])

    def write(self, image: NDArray[Any], record: StepRecord) -> None:
        """Append a step."""
        index = len(self._steps)
        with full_disk_named(self._path):
            try:
                self._image.write(image, index)
                if self._durable:
                    for level in self._path.glob(f"[0-9]*/c/{index}"):
                        sync_tree(level)
            except BaseException:
                self._clear(index)
                raise
            self._image.show_steps(index + 1)
            self._steps.append(step_entry(record))
            self._describe(record)

    def image(self, index: int) -> NDArray[Any]:
        """Return a step that is whole, read as it is needed."""
        return _values(self._path, "0", self._source, index)

    def finish(self, record: StepRecord) -> None:
        """Say that the stack is complete, if all its steps are there."""
        if self._steps:
            self._describe(record)

    def close(self) -> None:
        """Do nothing: no file is open."""

    def _clear(self, count: int) -> None:
        """Remove what is not whole: chunks of more than `count` steps."""
        for step in self._path.glob("[0-9]*/c/[0-9]*"):
            if step.name.isdigit() and int(step.name) >= count:
                shutil.rmtree(step, ignore_errors=True)

    def _describe(self, record: StepRecord) -> None:
        complete = len(self._steps) == self._count
        kept = {**record, "steps": self._steps, "complete": complete}
        self._image.describe(self._source.name, kept)
        if self._durable:
            _sync_metadata(self._path)


def _name(step: StepRecord | StepEntry) -> str:
    return f"{_STEPS}/{step['step']:04}"


def _clear_pieces(store: Path) -> None:
    """Remove the files that zarr had not written whole."""
    for piece in store.rglob("*.partial"):
        piece.unlink()


def _sync_metadata(store: Path) -> None:
    for file in (store / "zarr.json", *store.glob("*/zarr.json")):
        sync_file(file)


def _length(path: Path) -> int:
    """Return how many steps each level of a stack has chunks of."""
    levels = [level.parent for level in path.glob("[0-9]*/zarr.json")]
    return min((opened_array(path, level.name)[0].shape[0] for level in levels), default=0)


def _values(store: Path, name: str, source: Source, *leading: int) -> NDArray[Any]:
    """Return an array of the store as a dask array, in the order of the source."""
    array, path = opened_array(store, name)
    check_array(array, path)
    values = StoredValues(array, path).lazy()[leading]
    return Layout.of(source.axes or "").given_back(values)
