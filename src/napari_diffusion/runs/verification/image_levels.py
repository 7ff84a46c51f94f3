"""The levels of a saved OME-Zarr image: which chunks are missing, and whether they agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.io import NotReadable
from napari_diffusion.io.ome_zarr.chunk_files import ChunkFiles
from napari_diffusion.io.ome_zarr.chunks import StoredValues
from napari_diffusion.io.ome_zarr.pyramid import chunk_slices, coarser
from napari_diffusion.io.ome_zarr.store import check_array, opened_array

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from zarr.types import AnyArray

# So many missing chunks are named, and the others counted.
_MOST_NAMED = 3


def opened_level(image: Path, level: int) -> tuple[AnyArray, StoredValues, str]:
    """Open a level of an image; return words on its missing chunks too, empty without any.

    Raises
    ------
    NotReadable
        If it is not there, or no array of numbers.
    """
    array, folder = opened_array(image, str(level))
    check_array(array, folder)
    files = ChunkFiles.of(array, folder)
    values = StoredValues(array, folder, files)
    if not files.missing:
        return array, values, ""
    named = [str(tuple(map(int, at))) for at in np.argwhere(~files.there)[:_MOST_NAMED]]
    more = f" and {files.missing - len(named)} more" if files.missing > len(named) else ""
    verb = "is" if files.missing == 1 else "are"
    return array, values, f"chunk {', '.join(named)}{more} {verb} missing."


def level_faults(image: Path) -> Iterator[str]:
    """Yield a sentence on the first level of an image of ours that has a fault.

    A level is the means of the one before, and so needs no hash of its own.
    """
    level = 1
    while (image / str(level)).is_dir():
        try:
            where = _fault(image, level)
        except (NotReadable, OSError, ValueError) as error:
            where = f"cannot be read: {error}"
        if where:
            yield f"level {level}: {where}"
            return
        level += 1


def _fault(image: Path, level: int) -> str:
    fine, before, _ = opened_level(image, level - 1)
    coarse, values, missing = opened_level(image, level)
    step = [-(-n // max(m, 1)) for n, m in zip(fine.shape, coarse.shape, strict=True)]
    if missing:
        return missing
    if fine.dtype != coarse.dtype or not set(step) <= {1, 2}:
        return f"it has the shape {coarse.shape} and type {coarse.dtype}, and is no level of this."
    for part in chunk_slices(coarse.shape, coarse.chunks):
        chunk = tuple(s.start // size for s, size in zip(part, coarse.chunks, strict=True))
        read = tuple(slice(s.start * by, s.stop * by) for s, by in zip(part, step, strict=True))
        try:
            same = values[part].tobytes() == coarser(before[read], step).tobytes()
        except (NotReadable, OSError) as error:
            return f"chunk {chunk} cannot be read: {error}"
        if not same:
            return f"chunk {chunk} does not hold the means of the level before."
    return ""
