"""The inputs of a batch: what files, folders and patterns stand for."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING

from napari_diffusion.io import step_paths
from napari_diffusion.io.reader import FORMATS, STORES, is_dicom_series

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ENDINGS = tuple(ending for each in FORMATS for ending in each.endings)


def batch_inputs(given: Iterable[str | Path], outputs: Path) -> list[Path]:
    """Return the images that files, folders and patterns stand for, each once.

    Parameters
    ----------
    given : iterable of str or path
        A file or a store is itself, whatever it holds. A folder stands for the images in it by
        name, those in folders within left out, and the steps of runs; a pattern such as
        ``"day*/*.tif"`` for what it fits. What stands for nothing stays, so that it is reported.
    outputs : path
        The folder of the outputs.

    Raises
    ------
    FileExistsError
        If that is one of the folders: the outputs would be images in it.
    """
    given = list(given)
    for each in map(Path, given):
        if _is_loose(each) and outputs.exists() and each.samefile(outputs):
            raise FileExistsError(
                f"{str(outputs)!r} is the folder of inputs too: choose another one for the outputs."
            )
    return images_of(given)


def images_of(given: Iterable[str | Path]) -> list[Path]:
    """Return the images that files, folders and patterns stand for; see `batch_inputs`."""
    found = {os.path.realpath(path): path for each in given for path in _expanded(each)}
    return list(found.values())


def _expanded(given: str | Path) -> Iterator[Path]:
    path = Path(given)
    if os.path.lexists(path) or not glob.has_magic(str(given)):
        yield from (_images_in(path) if _is_loose(path) else ()) or [path]
        return
    found = [Path(each) for each in sorted(glob.glob(str(given), recursive=True))]
    # A pattern is of images: what else it fits was hardly meant.
    yield from [each for each in found if _is_image(each)] or found or [path]


def _images_in(folder: Path) -> list[Path]:
    names = sorted(each for each in os.listdir(folder) if not each.startswith("."))
    return [folder / name for name in names if _is_image(folder / name)]


def _is_loose(path: Path) -> bool:
    return path.is_dir() and not _is_store(path) and not is_dicom_series(path)


def _is_store(folder: Path) -> bool:
    return any((folder / name).exists() for name in STORES)


def _is_image(path: Path) -> bool:
    """Say whether a name is that of an image; whether it can be read is seen later."""
    if not path.is_dir():
        return path.name.lower().endswith(_ENDINGS)
    try:
        return (_is_store(path) and len(step_paths(path)) < 2) or is_dicom_series(path)
    except (ValueError, OSError):
        return True  # what is wrong with it is said when it is read
