"""The pages of a TIFF file, of which only the strips and tiles are decoded that are asked for."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.file_image import NotReadable
from napari_diffusion.io.stored.file_parts import FileParts
from napari_diffusion.io.stored.file_state import FileState
from napari_diffusion.io.stored.mapped_values import MappedValues
from napari_diffusion.io.tiff import storage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import tifffile
    from numpy.typing import NDArray

    from napari_diffusion.io.stored.file_parts import Box
    from napari_diffusion.io.tiff.storage import Page


class PageValues(FileParts):
    """The values of an image that is stored page by page.

    Parameters
    ----------
    file : FileState
        The first file of the image.
    pages : sequence of pages or None
        Of an open file; None for those that are in no file.
    shape : tuple of int
        Of the image; its last axes are those of a page.
    ome : bool
        Whether OME-XML says which pages these are.
    """

    def __init__(
        self, file: FileState, pages: list[Page | None], shape: tuple[int, ...], *, ome: bool
    ) -> None:
        keyframe = _prepared(pages)
        self._file, self._ome, self.shape = file, ome, shape
        self.dtype = np.dtype(keyframe.dtype)
        self._pages: list[Page | None] | None = pages
        self._leading = leading_axes(shape, keyframe) or 0
        inside = _axes_in_page(shape[self._leading :], keyframe)
        self._axes = tuple(None if axis is None else self._leading + axis for axis in inside)
        piece = [1] * len(shape)
        for axis, size in zip(self._axes, _segment_shape(keyframe), strict=True):
            if axis is not None:
                piece[axis] = min(size, shape[axis])
        self.piece, self.order = tuple(piece), tuple(range(len(shape)))
        # A set has several.
        paths = {page.parent.filehandle.path for page in pages if page is not None}
        self._files = {path: FileState.of(Path(path)) for path in paths}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_pages": None}

    def read(self, box: Box) -> NDArray[Any]:
        """Return a new array of the values in a box."""
        if self._pages is None:
            self._pages = self._opened()
        out = np.empty([each.stop - each.start for each in box], self.dtype)
        inside = tuple(slice(0, 1) if axis is None else box[axis] for axis in self._axes)
        planes = out.reshape(-1, *(each.stop - each.start for each in inside))
        leading = [range(each.start, each.stop) for each in box[: self._leading]]
        for plane, index in zip(planes, itertools.product(*leading), strict=True):
            page = self._pages[_number(index, self.shape)]
            if page is None:
                plane[...] = 0
            else:
                read_page(page, self._files[page.parent.filehandle.path], inside, plane)
        return out

    def _opened(self) -> list[Page | None]:
        """Return the pages of the file, which another process had opened."""
        import tifffile

        with (
            self._file.opened(),
            storage.complaints(),
            tifffile.TiffFile(self._file.place) as file,
        ):
            if not self._ome:
                file.is_ome = False
            pages = storage.planes(str(self._file.path), file.series[0])
            _prepared(pages)
            return pages


def read_page(page: Page, file: FileState, box: Box, out: NDArray[Any]) -> None:
    """Read a part of a page; its axes, and those of `out`, are tifffile's five."""
    keyframe: Any = page.keyframe
    if is_in_one_piece(page):
        held = keyframe.dtype.newbyteorder(keyframe.parent.byteorder)
        out[...] = MappedValues(file, page.dataoffsets[0], keyframe.shaped, held).read(box)
        return
    with file.opened() as handle:
        for index in _touched(keyframe, box):
            data = None
            start, length = storage.segment_of(page, index)
            if start and length:
                handle.seek(start)
                data = handle.read(length)
            try:
                decoded = keyframe.decode(data, index, jpegtables=page.jpegtables)
                _place(decoded, keyframe, box, out)
            except MemoryError:
                raise
            except Exception as error:
                # The decoders raise whatever they meet first.
                why = " ".join(str(error).split()) or type(error).__name__
                raise NotReadable(
                    f"{str(file.path)!r} has a strip or tile that is broken: {why}"
                ) from error


def is_in_one_piece(page: Page) -> bool:
    """Return whether the values of a page are in the file as they are in memory.

    Whether strips or tiles are there and follow each other, tifffile asks only the keyframe.
    """
    keyframe: Any = page.keyframe
    if not keyframe.is_final or not page.dataoffsets[0]:
        return False
    # Some formats have counts of bytes that say nothing.
    return _is_adjacent(page) or not _is_adjacent(keyframe)


def _is_adjacent(page: Page) -> bool:
    starts, sizes = np.asarray(page.dataoffsets), np.asarray(page.databytecounts)
    return np.array_equal(starts[:-1] + sizes[: len(starts) - 1], starts[1:])


def leading_axes(shape: Sequence[int], keyframe: tifffile.TiffPage) -> int | None:
    """Return how many axes of an image count its pages; None if its last axes are not a page's."""
    wanted = [size for size in keyframe.shaped if size != 1]
    for count in reversed(range(len(shape) + 1)):
        if [size for size in shape[count:] if size != 1] == wanted:
            return count
    return None


def _axes_in_page(shape: Sequence[int], keyframe: tifffile.TiffPage) -> tuple[int | None, ...]:
    """Return which axis of a page each of tifffile's five is: of those longer than one pixel."""
    longer = iter(axis for axis, size in enumerate(shape) if size != 1)
    return tuple(None if size == 1 else next(longer) for size in keyframe.shaped)


def _prepared(pages: list[Page | None]) -> tifffile.TiffPage:
    """Have tifffile look up what decoding needs while the file is open; return a keyframe."""
    keyframes: list[Any] = [page.keyframe for page in pages if page is not None]
    for keyframe in set(keyframes):
        keyframe.decode, keyframe.nodata, keyframe.is_final  # noqa: B018
    return keyframes[0]


def _segment_shape(keyframe: tifffile.TiffPage) -> tuple[int, ...]:
    """Return the shape of a strip or tile along the axes of tifffile: colours, z, y, x, colours."""
    if keyframe.is_tiled:
        depth, length, width = keyframe.tiledepth, keyframe.tilelength, keyframe.tilewidth
    else:
        depth, length, width = 1, keyframe.rowsperstrip, keyframe.imagewidth
    return 1, depth, length, width, keyframe.shaped[-1]


def _touched(keyframe: tifffile.TiffPage, box: Box) -> Iterator[int]:
    """Yield the numbers of the strips or tiles that a box reaches."""
    steps = _segment_shape(keyframe)
    counts = [-(-size // step) for size, step in zip(keyframe.shaped, steps, strict=True)]
    ranges = [
        range(each.start // step, (each.stop - 1) // step + 1)
        for each, step in zip(box, steps, strict=True)
    ]
    for index in itertools.product(*ranges):
        yield _number(index, counts)


def _number(index: Sequence[int], sizes: Sequence[int]) -> int:
    """Return the place of an index in C order."""
    number = 0
    for at, size in zip(index, sizes, strict=False):
        number = number * size + at
    return number


def _place(decoded: Any, keyframe: tifffile.TiffPage, box: Box, out: NDArray[Any]) -> None:
    """Copy what a box has of a decoded strip or tile."""
    segment, start, shape = decoded
    target, source = [], []
    for first, length, size, part in zip(start, (1, *shape), keyframe.shaped, box, strict=True):
        low, high = max(first, part.start), min(first + length, size, part.stop)
        target.append(slice(low - part.start, high - part.start))
        source.append(slice(low - first, high - first))
    out[tuple(target)] = keyframe.nodata if segment is None else segment[None][tuple(source)]
