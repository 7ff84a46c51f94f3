"""What tells whether an input is still the one that a run began with."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TypedDict

# Headers are shorter, and so are the metadata of stores.
_HEADER = 1 << 16


class InputChanged(OSError):  # noqa: N818 - it describes the input
    """The input is no longer what the run began with."""


class Fingerprint(TypedDict):
    """Of a file, or of all files in a folder."""

    files: int
    bytes: int
    newest: int
    header: str


def fingerprint(path: Path) -> Fingerprint:
    """Return how many files there are, their bytes, when the newest was written, and a hash.

    The hash is that of the beginning of a file, or of the metadata of a store.
    """
    files, size, newest = 0, 0, 0
    for file in _files(path):
        found = file.stat()
        files, size, newest = files + 1, size + found.st_size, max(newest, found.st_mtime_ns)
    return {"files": files, "bytes": size, "newest": newest, "header": _header(path)}


def check_unchanged(path: Path, before: Fingerprint) -> None:
    """Refuse an input that has changed since."""
    try:
        changed = fingerprint(path) != before
    except FileNotFoundError:
        changed = True
    if changed:
        raise InputChanged(
            f"{str(path)!r} has changed since the run began: the result is of neither image; start "
            "again when it is whole."
        )


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return [Path(folder, name) for folder, _, names in os.walk(path) for name in names]


def _header(path: Path) -> str:
    names = ("zarr.json", ".zattrs", ".zarray") if path.is_dir() else ("",)
    digest = hashlib.sha256()
    for file in (path / name if name else path for name in names):
        if file.is_file():
            with file.open("rb") as opened:
                digest.update(opened.read(_HEADER))
    return digest.hexdigest()
