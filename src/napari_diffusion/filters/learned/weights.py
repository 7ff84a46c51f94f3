"""The weights that a `LearnedDiffusion` names: shipped ones, and files of the user."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_diffusion.filters.learned import weight_files
from napari_diffusion.filters.learned.archive import read_bytes
from napari_diffusion.filters.learned.weight_files import PREFIX as PREFIX
from napari_diffusion.filters.learned.weight_files import weights_folder as weights_folder
from napari_diffusion.filters.learned.weights_file import weights_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_diffusion.filters.learned.network import Network


@dataclass(frozen=True, eq=False)
class Weights:
    """Learned weights.

    Attributes
    ----------
    name : str
        "sha256:" and the hash of their file.
    network : Network
    about : dict
        What they were learned from, how, and how well they hold; from their file, not checked.
    """

    name: str
    network: Network
    about: dict[str, Any]


def is_named(text: str) -> bool:
    """Return whether a text is a shipped name, or "sha256:" and a hash."""
    return text in shipped() or weight_files.is_name(text)


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
    if is_named(text):
        return text
    path = Path(value)
    if path.suffix.lower() != ".npz" or not path.is_file():
        raise ValueError(
            f"weights must be {', '.join(map(repr, shipped()))}, a .npz file of weights, or "
            f"{PREFIX!r} with the hash of such a file (got {text!r})."
        )
    data = read_bytes(path)
    weights_in(data, repr(text))
    return weight_files.keep(data)


def hashed(name: str) -> str:
    """Return "sha256:" and the hash of weights that a recipe names.

    A later version may ship better weights under the same name, but none under the same hash.
    """
    return shipped().get(name, name)


def weights_named(name: str) -> Weights:
    """Return the weights that a recipe names.

    Raises
    ------
    ValueError
        If they are nowhere to be found.
    """
    return _weights(hashed(name))


def spoken(name: str) -> str:
    """Return the name of weights for people: that of the shipped ones, and the hash."""
    digest = hashed(name)
    names = [each for each, other in shipped().items() if other == digest]
    return f"{names[0]} ({weight_files.spoken(digest)})" if names else weight_files.spoken(digest)


@functools.cache
def shipped() -> Mapping[str, str]:
    """Return the weights that ship with the package: by their names, "sha256:" and the hash."""
    return {
        name: weight_files.name_of_bytes(data) for name, data in sorted(_shipped_files().items())
    }


@functools.lru_cache(maxsize=16)
def _weights(name: str) -> Weights:
    for each, digest in shipped().items():
        if digest == name:
            data = _shipped_files()[each]
            break
    else:
        data = weight_files.found(name)
    return Weights(name, *weights_in(data, repr(name)))


@functools.cache
def _shipped_files() -> dict[str, bytes]:
    folder = resources.files(__package__).joinpath("shipped")
    files = [each for each in folder.iterdir() if each.name.endswith(".npz")]
    return {each.name.removesuffix(".npz"): each.read_bytes() for each in files}
