"""Whether a TIFF file holds the pixels that it declares, before any of them is decoded."""

from __future__ import annotations

import contextlib
import logging
import math
import struct
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.io import memory
from napari_diffusion.io.file_image import NotReadable
from napari_diffusion.io.memory import written_bytes
from napari_diffusion.io.physical_size import warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    import tifffile

    Page = tifffile.TiffPage | tifffile.TiffFrame

# No codec of photos or measurements packs closer; smaller images do no harm.
_PACKED, _HARMLESS = 2000, 2**28
# As many as tifffile takes for a list of tags.
_TAGS = 4096


@contextlib.contextmanager
def complaints() -> Iterator[list[str]]:
    """Collect what tifffile logs of a file, which it would read past."""
    said: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    logger, collector = logging.getLogger("tifffile"), Collector(logging.WARNING)
    logger.addHandler(collector)
    try:
        yield said
    finally:
        logger.removeHandler(collector)


def check_chain(file: tifffile.TiffFile) -> tuple[str, ...]:
    """Refuse pages that form a loop, and return a remark on pages behind the end of the file.

    A loop of many pages tifffile would follow without end.
    """
    tiff, handle = file.tiff, file.filehandle
    seen: set[int] = set()
    offset: int | None = file.pages.first.offset
    while offset:
        if offset in seen:
            raise NotReadable(f"{str(handle.path)!r} is damaged: its pages form a loop.")
        seen.add(offset)
        count = _number(handle, offset, tiff.tagnoformat)
        if count is None or count > _TAGS:
            pages = f"{len(seen) - 1} page" + ("" if len(seen) == 2 else "s")
            return (f"is cut off or damaged: no more than its first {pages} can be read.",)
        offset = _number(handle, offset + tiff.tagnosize + count * tiff.tagsize, tiff.offsetformat)
    return ()


def _number(handle: tifffile.FileHandle, offset: int, form: str) -> int | None:
    """Return a number at an offset of a file; None behind its end."""
    if offset >= handle.size:
        return None
    handle.seek(offset)
    raw = handle.read(struct.calcsize(form))
    return int(struct.unpack(form, raw)[0]) if len(raw) == struct.calcsize(form) else None


def planes(path: str, series: tifffile.TiffPageSeries) -> list[Page | None]:
    """Return the pages that hold the image: only the first of those in one piece."""
    if series.dataoffset:
        return [series.keyframe]
    try:
        return list(series)
    except IndexError as error:
        raise NotReadable(
            f"{path!r} is cut off: it holds less than the {len(series)} planes that it declares. "
            "Copy it again from where it was made."
        ) from error


def check_size(
    path: str, series: tifffile.TiffPageSeries, pages: list[Page | None], *, lazy: bool
) -> None:
    """Refuse a size that the file cannot hold, or the memory: if lazy, that of a strip or tile."""
    if min(series.shape, default=0) <= 0:
        shape = " × ".join(map(str, series.shape)) or "no"
        raise NotReadable(f"{path!r} holds no image: it declares {shape} pixels.")
    page = series.keyframe
    # Each is decoded as a whole, however little of it lies in the image.
    piece = _piece_size(page) * series.dtype.itemsize
    declared = max(math.prod(series.shape) * series.dtype.itemsize, piece)
    files = {page.parent.filehandle.path: page.parent.filehandle.size for page in pages if page}
    held, free = sum(files.values()), memory.free_memory()
    if declared > max(_HARMLESS, _PACKED * held):
        raise NotReadable(
            f"{path!r} declares {written_bytes(declared)} of pixels and is {written_bytes(held)} "
            "long: it is damaged."
        )
    if lazy and not page.is_final and piece > max(free, _HARMLESS):
        raise NotReadable(
            f"{path!r} has strips or tiles of {written_bytes(piece)}, and {written_bytes(free)} of "
            "memory are free: convert it to OME-Zarr, which is read in chunks."
        )
    if not lazy and declared > free:
        raise NotReadable(
            f"{path!r} holds {written_bytes(declared)} of pixels, and {written_bytes(free)} of "
            "memory are free: convert it to OME-Zarr, which is read in chunks."
        )
    size = page.size
    if not series.dataoffset and len(pages) * size < math.prod(series.shape):
        raise NotReadable(
            f"{path!r} declares {math.prod(series.shape) // size} planes and holds {len(pages)}: "
            "it is cut off."
        )


def check_stored(
    path: str, series: tifffile.TiffPageSeries, pages: list[Page | None]
) -> tuple[str, ...]:
    """Refuse what is cut off, and return a remark on strips and tiles that are not stored.

    Files of GDAL leave out strips and tiles without data.
    """
    if series.dataoffset:
        _check_end(path, series.keyframe, series.dataoffset + series.nbytes)
        return _wrong_count(series.keyframe)
    left_out = total = 0
    for page in pages:
        if page is not None:
            left_out += _left_out(path, page, page.keyframe or series.keyframe)
            total += math.prod(page.chunked)
    if not left_out:
        return ()
    if left_out == total:
        raise NotReadable(f"{path!r} holds no pixels: none of its {total} strips is stored.")
    parts = "tiles" if series.keyframe.is_tiled else "strips"
    value = series.keyframe.nodata
    return (
        f"stores no pixels for {left_out} of {total} {parts} ({_share(left_out, total)}): "
        f"they are filled with {value:g}.",
    )


def missing_planes(pages: list[Page | None]) -> tuple[str, ...]:
    """Return a remark on planes that lie in no file."""
    missing = sum(page is None for page in pages)
    if not missing:
        return ()
    return (
        f"is incomplete: {missing} of {len(pages)} planes ({_share(missing, len(pages))}) are in "
        "no file, their pixels are 0 and not valid.",
    )


def segment_of(page: Page, index: int) -> tuple[int, int]:
    """Return the first byte and the length of a strip or tile; 0 if it is not stored."""
    if index >= min(len(page.dataoffsets), len(page.databytecounts)):
        return 0, 0
    return page.dataoffsets[index], page.databytecounts[index]


def warn_of_complaints(name: str, said: list[str]) -> None:
    """Warn once of what tifffile logged."""
    if said:
        # The messages begin with the object that says them.
        first = said[0].rpartition("> ")[2].strip()
        more = f", and {len(said) - 1} more" if len(said) > 1 else ""
        warn(name, f"is not quite a regular TIFF ({first}{more}): compare it with its original.")


def _piece_size(page: tifffile.TiffPage) -> int:
    """Return the values in the largest strip or tile; as tifffile decodes it, with all colours."""
    if page.is_tiled:
        return int(page.tilewidth * page.tilelength * page.tiledepth * page.samplesperpixel)
    return int(min(page.rowsperstrip, page.imagelength) * page.imagewidth * page.samplesperpixel)


def _left_out(path: str, page: Page, keyframe: tifffile.TiffPage) -> int:
    """Return how many strips or tiles of a page are not stored."""
    if not len(page.dataoffsets) or not len(page.databytecounts):
        raise NotReadable(
            f"{path!r} is damaged: one of its planes does not say where its pixels are."
        )
    size = page.parent.filehandle.size
    count = math.prod(page.chunked)
    offsets = np.asarray(page.dataoffsets[:count], np.float64)
    lengths = np.asarray(page.databytecounts[:count], np.float64)
    pairs = min(len(offsets), len(lengths))
    stored = (offsets[:pairs] > 0) & (lengths[:pairs] > 0)
    ends = (offsets[:pairs] + lengths[:pairs])[stored]
    if ends.size and ends.max() > size:
        _cut_off(path, float(ends.max()), size)
    needed = keyframe.size * int(keyframe.bitspersample) // 8
    if keyframe.compression == 1 and stored.sum() == count and lengths.sum() < needed:
        _cut_off(path, needed, float(lengths.sum()), " in a plane")
    if keyframe.is_contiguous and stored.any():
        _check_end(path, page, float(offsets[0]) + page.nbytes)
    return count - int(stored.sum())


def _wrong_count(page: tifffile.TiffPage) -> tuple[str, ...]:
    """Return a remark on counts of bytes that are too small; libtiff reads past them too."""
    said, needed = sum(page.databytecounts), page.nbytes
    if said >= needed:
        return ()
    return (
        f"says that its pixels take {written_bytes(said)}, and they take {written_bytes(needed)}: "
        "what follows them in the file is read.",
    )


def _check_end(path: str, page: Page, end: float) -> None:
    size = page.parent.filehandle.size
    if end > size:
        _cut_off(path, end, size)


def _cut_off(path: str, declared: float, held: float, where: str = "") -> None:
    raise NotReadable(
        f"{path!r} is cut off: it declares {declared:,.0f} bytes{where} and holds {held:,.0f}. "
        "Copy it again from where it was made."
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.3g}%"
