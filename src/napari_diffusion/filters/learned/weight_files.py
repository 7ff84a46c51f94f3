"""Files of what was learned, named by their SHA-256 and found by it.

A recipe from elsewhere opens no file of its choice: it finds the very weights that it was made
with, or none. They are looked for among the files that a user of this program has named, in the
folder of weights, and beside the recipes that were opened; nowhere else.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from napari_diffusion.filters.learned.archive import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

#: How a recipe names what was learned, before the hash.
PREFIX = "sha256:"

_FOLDER = "NAPARI_DIFFUSION_WEIGHTS"

# Those that a user of this program has named by their file, by name.
_given: dict[str, bytes] = {}

# The folders of recipes that were opened, in that order.
_beside: dict[Path, None] = {}


def name_of_bytes(data: bytes) -> str:
    """Return how a recipe names a file with this content."""
    return PREFIX + hashlib.sha256(data).hexdigest()


def is_name(text: str) -> bool:
    """Return whether a text is "sha256:" and a hash."""
    digest = text.removeprefix(PREFIX)
    return (
        text.startswith(PREFIX) and len(digest) == 64 and not set(digest) - set("0123456789abcdef")
    )


def spoken(name: str) -> str:
    """Return a name for people, with the beginning of the hash."""
    return f"SHA-256 {name.removeprefix(PREFIX)[:12]}…" if is_name(name) else name


def keep(data: bytes) -> str:
    """Keep the content of a file that the user has named; return how a recipe names it."""
    name = name_of_bytes(data)
    _given[name] = data
    return name


def write(path: str | Path, data: bytes, overwrite: bool) -> Path:
    """Write a file of weights; return its path.

    Raises
    ------
    ValueError
        If its name does not end in .npz.
    FileExistsError
        If there is one already, and it must not be overwritten.
    """
    path = Path(path)
    if path.suffix.lower() != ".npz":
        raise ValueError(f"Weights are written to a .npz file (got {str(path)!r}).")
    with path.open("wb" if overwrite else "xb") as file:
        file.write(data)
    return path


def look_beside(recipe: Path) -> None:
    """Look for what is not found elsewhere in the folder of a recipe that the user has opened."""
    _beside[recipe.absolute().parent] = None


def weights_folder() -> Path:
    """Return where weights are kept: NAPARI_DIFFUSION_WEIGHTS, or a folder of the user."""
    given = os.environ.get(_FOLDER, "")
    return Path(given) if given else Path.home() / ".napari-diffusion" / "weights"


def found(name: str) -> bytes:
    """Return the content of the file of a name.

    Raises
    ------
    ValueError
        If it is nowhere to be found.
    """
    if name in _given:
        return _given[name]
    for each in (weights_folder(), *_beside):
        for data in _contents(each):
            if name_of_bytes(data) == name:
                return data
    raise ValueError(
        f"The weights {name} are not here: put their .npz file into {str(weights_folder())!r}, or "
        "beside the recipe."
    )


def _contents(place: Path) -> Iterator[bytes]:
    """Yield what the .npz files in a folder hold, in the order of their names."""
    try:
        paths = sorted(place.glob("*.npz"))
    except OSError:
        return
    for path in paths:
        try:
            # A pipe or a device is never opened: it may block.
            if path.is_file():
                yield read_bytes(path)
        except (OSError, ValueError):
            continue
