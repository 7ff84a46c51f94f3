"""What stays after a loss of power: files and folders written to the disk itself."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Disks write what several threads wait for in one go.
_THREADS = 8


def sync_file(path: Path) -> None:
    """Wait until the content of a file is on the disk."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can be asked to."""
    if os.name == "nt":
        return
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def sync_tree(path: Path) -> None:
    """Wait until a folder and everything in it is on the disk."""
    with ThreadPoolExecutor(_THREADS) as pool:
        for folder, _, files in os.walk(path, topdown=False):
            list(pool.map(sync_file, (Path(folder, name) for name in files)))
            sync_folder(Path(folder))


def write_durably(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all, also after a loss of power."""
    aside = path.with_name(f"{path.name}.unfinished")
    aside.unlink(missing_ok=True)  # it might lead elsewhere
    with aside.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)
    sync_folder(path.parent)
