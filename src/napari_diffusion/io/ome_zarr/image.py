"""One OME-Zarr image with its pyramid, written to disk."""

from __future__ import annotations

import math
import os
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.layout import Layout
from napari_diffusion.io.ome_zarr.description import KEY, STEP, description
from napari_diffusion.io.ome_zarr.pyramid import (
    chunk_shape,
    chunk_slices,
    coarser_files,
    fill,
    levels,
)
from napari_diffusion.io.step_record import sealed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from zarr.types import AnyArray

    from napari_diffusion.io.file_image import Source
    from napari_diffusion.io.ome_zarr.pyramid import Run

# A larger chunk of a dask array becomes several chunks of the file.
_MOST_BYTES = 1 << 28


class ZarrImage:
    """An OME-Zarr image in a folder; the metadata that make it an image come last.

    Parameters
    ----------
    path : path
        Of the folder.
    source : Source
        Axes, shape, pixel sizes, place, units and channels.
    count : int, optional
        For a stack, how many steps are to come along its first axis.
    whole : int, optional
        How many steps of a stack are there already; they stay.
    """

    def __init__(
        self, path: Path, source: Source, count: int | None = None, whole: int = 0
    ) -> None:
        import zarr

        self._path, self._source, self._count = path, source, count
        self._layout = Layout.of(source.axes or "")
        shape = self._layout.shape(source.image.shape)
        self._levels = levels(self._layout.axes, shape, source.lengths)
        self._arrays: list[AnyArray] = []
        self._shown = 1
        if whole:
            self._arrays = [self._reopened(index) for index in range(len(self._levels))]
            self.show_steps(whole)
            return
        zarr.create_group(str(path), zarr_format=3, attributes={KEY: {"complete": False}})

    def write(self, image: Any, *leading: int) -> None:
        """Write an image (numpy or dask) and its coarser levels; of a stack, at an index."""
        arranged: Any = self._layout.arranged(image)
        chunks = _regular_chunks(arranged)
        if not self._arrays:
            self._arrays = [
                self._created(index, arranged.dtype, chunks) for index in range(len(self._levels))
            ]
            if self._count is not None:
                self.show_steps(0)
        _store(arranged, chunks, self._arrays[0], leading)
        self._fill(leading)

    def link(self, folder: Path, run: Run) -> None:
        """Take an array in the order of the file as the image, and make its coarser levels.

        Parameters
        ----------
        folder : path
            The array; its files get a second name here, and the first can be removed.
        run : callable
            ``run(function, items)`` calls a function with each item, in any order.
        """
        import zarr

        shutil.copytree(folder, self._path / "0", copy_function=_linked)
        finest: Any = zarr.open_array(str(self._path / "0"), mode="r")
        self._arrays, files = [finest], finest.shards
        for index, level in enumerate(self._levels[1:], 1):
            files = coarser_files(files, finest.chunks, level.step)
            self._arrays.append(self._created(index, finest.dtype, finest.chunks, files))
        self._fill((), run)

    def _fill(self, leading: tuple[int, ...], run: Run = map) -> None:
        """Make the coarser levels."""
        for level, fine, coarse in zip(
            self._levels[1:], self._arrays[:-1], self._arrays[1:], strict=True
        ):
            fill(fine, coarse, level.step, leading, run)

    def describe(self, name: str, record: Mapping[str, Any]) -> None:
        """Write what makes the folder an image: the OME metadata, and the record."""
        import zarr

        ome = description(
            self._source,
            self._layout.axes,
            self._levels,
            name,
            self._limits,
            stack=self._count is not None,
        )
        group = zarr.open_group(str(self._path), mode="r+")
        group.attrs.update({"ome": ome, KEY: sealed(record)})

    def show_steps(self, count: int) -> None:
        """Make the stack as long as it has whole steps."""
        import zarr

        for index in reversed(range(len(self._levels))):
            array = zarr.open_array(str(self._path / str(index)), mode="r+")
            array.resize((count, *array.shape[1:]))
        self._shown = count

    def _created(
        self,
        index: int,
        dtype: np.dtype[Any],
        chunks: tuple[int, ...],
        files: tuple[int, ...] | None = None,
    ) -> AnyArray:
        """Make the array of a level; several chunks may stand in one file."""
        import zarr

        shape = self._levels[index].shape
        stack = self._count is not None
        fitting = chunks
        if files is None:
            fitting = tuple(max(min(size, n), 1) for size, n in zip(chunks, shape, strict=True))
        return zarr.create_array(
            str(self._path / str(index)),
            shape=(self._count, *shape) if self._count is not None else shape,
            chunks=(1,) * stack + fitting,
            shards=files,
            dtype=dtype.newbyteorder("="),
            dimension_names=[STEP] * stack + list(self._layout.axes),
            zarr_format=3,
            # A chunk that is not there has been lost, then, and not left out.
            config={"write_empty_chunks": True},
        )

    def _reopened(self, index: int) -> AnyArray:
        """Return a level of a stack as long as it will be; on the disk it stays as it is."""
        import zarr

        array = zarr.open_array(str(self._path / str(index)), mode="r+")
        said = {**array.metadata.to_dict(), "shape": (self._count, *array.shape[1:])}
        with zarr.config.set({"array.write_empty_chunks": True}):
            return zarr.Array.from_dict(array.store_path, said)

    def _limits(self, channel: int) -> tuple[float, float]:
        """Return the least and the greatest finite value of a channel in the coarsest level."""
        coarsest, stack = self._arrays[-1], self._count is not None
        shape = (self._shown, *coarsest.shape[1:]) if stack else coarsest.shape
        ends: list[float] = []
        axis = self._layout.axes.find("c") + stack
        for part in chunk_slices(shape, coarsest.shards or coarsest.chunks):
            box = list(part)
            if "c" in self._layout.axes:
                box[axis] = slice(channel, channel + 1)
            values = np.asarray(coarsest[tuple(box)])
            finite = values[np.isfinite(values)]
            ends += [float(finite.min()), float(finite.max())] if finite.size else []
        return (min(ends), max(ends)) if ends else (0.0, 1.0)


def _linked(source: str, target: str) -> None:
    """Give a file a second name, or copy it where the disk knows but one."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _regular_chunks(image: Any) -> tuple[int, ...]:
    """Return chunks of one shape: a dask array's own, so that no two of its meet in one."""
    own: tuple[int, ...] | None = getattr(image, "chunksize", None)
    if own is None or math.prod(own) * image.dtype.itemsize > _MOST_BYTES:
        return chunk_shape(image.shape, image.dtype)
    return own


def _store(image: Any, chunks: tuple[int, ...], target: Any, leading: tuple[int, ...]) -> None:
    region = tuple(slice(index, index + 1) for index in leading)
    region += (slice(None),) * image.ndim
    expanded = image[(None,) * len(leading)]
    if isinstance(image, np.ndarray):
        target[region] = expanded
        return
    import dask.array as da

    regular = expanded.rechunk((1,) * len(leading) + chunks)
    da.store([regular], [target], regions=[region], lock=False)
