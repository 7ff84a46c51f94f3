"""Where learned weights are found: shipped, given by this program's user, or in the weights folder.

A recipe names weights by their SHA-256, so that a recipe from elsewhere opens no file of its
choice, and finds the weights that it was made with or none.
"""

from __future__ import annotations

import functools
import hashlib
import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_diffusion.filters.learned.weights_file import read_bytes, weights_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_diffusion.filters.learned.network import Network

#: The weights that ship with the package, by name.
SHIPPED = ("photographs",)

#: How a recipe names weights that do not ship with the package.
PREFIX = "sha256:"

_FOLDER = "NAPARI_DIFFUSION_WEIGHTS"


@dataclass(frozen=True, eq=False)
class Weights:
    """Learned weights.

    Attributes
    ----------
    name : str
        That of the shipped ones, else "sha256:" and the hash of their file.
    network : Network
    about : dict
        What they were learned from, how, and how well they hold; from their file, not checked.
    """

    name: str
    network: Network
    about: dict[str, Any]


# Those that a user of this program has named by their file, by hash.
_given: dict[str, bytes] = {}


def name_of(value: str | Path) -> str:
    """Return how a recipe names weights.

    Parameters
    ----------
    value : str or Path
        A shipped name, "sha256:" with a hash, or a file.

    Raises
    ------
    ValueError
        For any other text, and a file that holds no weights.
    """
    text = str(value)
    if text in SHIPPED or _is_hash(text):
        return text
    path = Path(value)
    if path.suffix.lower() != ".npz" or not path.is_file():
        raise ValueError(
            f"weights must be {', '.join(map(repr, SHIPPED))}, a .npz file of weights, or "
            f"{PREFIX!r} with the hash of such a file (got {text!r})."
        )
    data = read_bytes(path)
    weights_in(data, repr(text))
    digest = hashlib.sha256(data).hexdigest()
    _given[digest] = data
    return PREFIX + digest


@functools.lru_cache(maxsize=16)
def weights_named(name: str) -> Weights:
    """Return the weights that a recipe names.

    Raises
    ------
    ValueError
        If they are nowhere to be found.
    """
    if name in SHIPPED:
        data = resources.files(__package__).joinpath("shipped", f"{name}.npz").read_bytes()
        return Weights(name, *weights_in(data, repr(name)))
    digest = name.removeprefix(PREFIX)
    for data in _found(digest):
        return Weights(name, *weights_in(data, repr(name)))
    raise ValueError(
        f"The weights {name!r} are not here: put their .npz file into {str(weights_folder())!r}."
    )


def weights_folder() -> Path:
    """Return where weights are kept: NAPARI_DIFFUSION_WEIGHTS, or a folder of the user."""
    given = os.environ.get(_FOLDER, "")
    return Path(given) if given else Path.home() / ".napari-diffusion" / "weights"


def _found(digest: str) -> Iterator[bytes]:
    """Yield the contents of files with this hash."""
    if digest in _given:
        yield _given[digest]
    for path in sorted(weights_folder().glob("*.npz")):
        try:
            data = read_bytes(path)
        except (OSError, ValueError):
            continue
        if hashlib.sha256(data).hexdigest() == digest:
            yield data


def _is_hash(text: str) -> bool:
    digest = text.removeprefix(PREFIX)
    return (
        text.startswith(PREFIX) and len(digest) == 64 and not set(digest) - set("0123456789abcdef")
    )
