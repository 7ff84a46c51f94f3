"""The values of a TIFF file as they are shown, in memory or to be read in parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.io.file_image import NotReadable
from napari_diffusion.io.physical_size import warn
from napari_diffusion.io.stored.file_parts import lazy_parts
from napari_diffusion.io.stored.file_state import FileState
from napari_diffusion.io.stored.mapped_values import MappedValues
from napari_diffusion.io.tiff.nodata import ValidPixels, no_data_mark, valid_pixels
from napari_diffusion.io.tiff.page_values import (
    PageValues,
    is_in_one_piece,
    leading_axes,
    read_page,
)
from napari_diffusion.io.tiff.pixels import InvertedValues, inverted, white_value

if TYPE_CHECKING:
    import tifffile
    from numpy.typing import NDArray

    from napari_diffusion.io.stored.file_parts import FileParts
    from napari_diffusion.io.tiff.storage import Page


@dataclass(frozen=True, eq=False)
class TiffValues:
    """The values of an image.

    Attributes
    ----------
    image, valid, stored
        As those of a source.
    """

    image: NDArray[Any]
    valid: NDArray[np.bool_] | None = None
    stored: FileParts | None = None


def in_memory(
    path: Path,
    series: tifffile.TiffPageSeries,
    pages: list[Page | None],
    shape: tuple[int, ...],
) -> TiffValues:
    """Read all values; those of `pages` that are None lie in no file."""
    page, there = series.keyframe, _are_there(pages)
    image = np.asarray(series.asarray())
    if image.shape != tuple(series.shape):
        raise NotReadable(
            f"{str(path)!r} declares {series.shape} pixels and holds {image.shape}: it is damaged."
        )
    if not series.dataoffset:
        _correct(image, pages)
    mark = no_data_mark(path.name, page, image.dtype)
    valid = None if mark is None else valid_pixels(path.name, image, mark)
    if not there.all():
        valid = np.ones(image.shape, bool) if valid is None else valid
        valid.reshape(there.size, -1)[~there] = False
    white = white_value(path.name, page, image.dtype)
    if white is not None:
        image = inverted(image, white)
    return TiffValues(image.reshape(shape), None if valid is None else valid.reshape(shape))


def are_readable_in_parts(series: tifffile.TiffPageSeries) -> bool:
    """Return whether a part of the image is a part of the file too."""
    page = series.keyframe
    if series.transform is not None or page.jpegheader is not None:
        return False
    return bool(series.dataoffset) or leading_axes(series.shape, page) is not None


def in_parts(
    file: FileState,
    series: tifffile.TiffPageSeries,
    pages: list[Page | None],
    shape: tuple[int, ...],
    *,
    ome: bool,
) -> TiffValues:
    """Return the values as dask array, and what it reads them from; see `PageValues`."""
    name, page = file.path.name, series.keyframe
    held: FileParts
    if series.dataoffset:
        held = _in_one_piece(file, series, shape)
    else:
        held = PageValues(file, pages, shape, ome=ome)
    valid = None
    mark = no_data_mark(name, page, held.dtype)
    there = _are_there(pages)
    if mark is not None:
        warn(name, f"marks values as no data, by {mark}: they are left out as they are read.")
    if mark is not None or not there.all():
        leading = 0 if series.dataoffset else leading_axes(shape, page) or 0
        marked = ValidPixels(held, mark, there.reshape(shape[:leading]))
        valid = lazy_parts(marked)
    white = white_value(name, page, held.dtype)
    if white is not None:
        held = InvertedValues(held, white)
    return TiffValues(lazy_parts(held), valid, held)


def _correct(image: NDArray[Any], pages: list[Page | None]) -> None:
    """Read those pages again that tifffile has taken for values in a row, and are not.

    Their strips lie apart, or hold differences, which it has summed up over the ends of rows.
    """
    for number, page in enumerate(pages):
        if page is None or page.keyframe is None:
            continue
        if page.keyframe.is_contiguous and not is_in_one_piece(page):
            shaped = page.keyframe.shaped
            out = image.reshape(len(pages), *shaped)[number]
            file = FileState.of(Path(page.parent.filehandle.path))
            read_page(page, file, tuple(slice(0, size) for size in shaped), out)


def _are_there(pages: list[Page | None]) -> NDArray[np.bool_]:
    return np.array([page is not None for page in pages], bool)


def _in_one_piece(
    file: FileState, series: tifffile.TiffPageSeries, shape: tuple[int, ...]
) -> MappedValues:
    parent: Any = series.parent
    path = Path(parent.filehandle.path)
    if path != file.place:
        file = FileState.of(path)
    held = series.dtype.newbyteorder(parent.byteorder)
    return MappedValues(file, series.dataoffset or 0, shape, held, dtype=series.dtype)
