"""The names of outputs: what may be replaced, and when."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

#: Where a step in a folder is written until it is whole.
UNFINISHED_STEP = ".unfinished.ome.tif"

_STEP_FILE = re.compile(rf"step_\d{{4,}}\.ome\.tif|{re.escape(UNFINISHED_STEP)}")
_ZARR_FILES = ("zarr.json", ".zgroup", ".zattrs", ".zarray")


def check_free(path: Path, overwrite: bool) -> None:
    """Refuse a name that is taken; with `overwrite`, only what is no output of a run.

    Raises
    ------
    FileExistsError
        If the path exists and `overwrite` is off, or is a folder with other files than steps.
    FileNotFoundError
        If its folder does not exist.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"The output folder {str(path.parent)!r} does not exist.")
    if not os.path.lexists(path):
        return
    if not overwrite:
        raise FileExistsError(f"{str(path)!r} exists; --overwrite replaces it.")
    if path.is_dir() and not path.is_symlink() and not _is_store(path):
        raise FileExistsError(
            f"{str(path)!r} is a folder with other files than steps, and is not replaced: choose "
            "another name."
        )


def _is_store(folder: Path) -> bool:
    names = [entry.name for entry in folder.iterdir()]
    if any(name in names for name in _ZARR_FILES):
        return True
    return all(_STEP_FILE.fullmatch(name) for name in names)


def check_apart(output: Path, *inputs: Path) -> None:
    """Refuse an output that is an input, lies in one, or contains one."""
    # Path.resolve raises what nobody catches for links that form a loop.
    wanted = Path(os.path.realpath(output))
    for path in inputs:
        read = Path(os.path.realpath(path))
        same = wanted.exists() and read.exists() and wanted.samefile(read)
        if same or wanted == read or wanted in read.parents or read in wanted.parents:
            raise FileExistsError(
                f"{str(output)!r} would overwrite the input {str(path)!r}: choose another name."
            )


def check_no_links(path: Path) -> None:
    """Refuse an unfinished output that is or holds a link: what it leads to would be written."""
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            if Path(folder, name).is_symlink():
                path = Path(folder, name)
    if path.is_symlink():
        raise FileExistsError(f"{str(path)!r} is a link, which no output holds: remove it.")


def publish(partial: Path, path: Path, overwrite: bool) -> None:
    """Rename a complete output to its final name; only then remove what had that name."""
    check_free(path, overwrite)
    old = path.with_name(f"{path.name}.replaced")
    in_the_way = os.path.lexists(path) and (path.is_dir() or partial.is_dir())
    if in_the_way:
        os.replace(path, old)
    try:
        os.replace(partial, path)
    except OSError:
        if in_the_way:
            os.replace(old, path)
        raise
    if in_the_way:
        remove(old)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
