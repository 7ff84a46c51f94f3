"""The memory that the control groups of Linux leave to a process, as in containers and jobs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_OWN = Path("/proc/self/cgroup")
_ROOT = Path("/sys/fs/cgroup")

# Limits, usage, and the page cache in it that is given back when memory is needed.
_VERSIONS = {
    1: (("memory.limit_in_bytes",), "memory.usage_in_bytes", "total_inactive_file"),
    2: (("memory.max", "memory.high"), "memory.current", "inactive_file"),
}


def memory_left(own: Path = _OWN, root: Path = _ROOT) -> float:
    """Return the bytes that the groups of this process leave; infinity without a limit.

    Parameters
    ----------
    own : path
        The file that names the groups.
    root : path
        Where their folders are: a process is limited by its own group and by all above it.
    """
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return math.inf
    left = math.inf
    for line in lines:
        _, kinds, name = line.split(":", 2)
        if kinds and "memory" not in kinds.split(","):
            continue
        version = 1 if kinds else 2
        # Beside groups of version 1, those of version 2 have a folder of their own.
        for top in (root / "memory",) if kinds else (root, root / "unified"):
            for folder in _upwards(top, name):
                left = min(left, _left_in(folder, version))
    return left


def _upwards(top: Path, name: str) -> Iterator[Path]:
    """Yield the folders of a group and of those above it; a container may see the last only."""
    folder = top / name.strip("/")
    if ".." in folder.parts:
        folder = top
    yield folder
    while folder != top:
        folder = folder.parent
        yield folder


def _left_in(folder: Path, version: int) -> float:
    limits, usage, cache = _VERSIONS[version]
    limit = min(_number(folder / name) for name in limits)
    if limit == math.inf:
        return limit
    used = _number(folder / usage)
    return max(limit - max(used - _cached(folder / "memory.stat", cache), 0), 0)


def _number(file: Path) -> float:
    """Return the number in a file; infinity where there is none."""
    try:
        return float(file.read_text())  # "max" is no number
    except (OSError, ValueError):
        return math.inf


def _cached(file: Path, name: str) -> float:
    try:
        pairs = (line.split() for line in file.read_text().splitlines())
        return next((float(value) for key, value in pairs if key == name), 0.0)
    except (OSError, ValueError):
        return 0.0
