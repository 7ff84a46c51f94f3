"""Everything of one kind that was learned: what ships with the package, and files of the user."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from napari_diffusion.filters.learned import weight_files
from napari_diffusion.filters.learned.archive import read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from importlib.resources.abc import Traversable

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class WeightShelf(Generic[T]):
    """Where weights of one kind are found by their names.

    Attributes
    ----------
    package : str
        Its folder "shipped" holds what ships, each file under its name.
    read : callable
        Returns the weights in the bytes of a file, and what the file says about them; raises a
        ValueError with the name for others.
    """

    package: str
    read: Callable[[bytes, str], tuple[T, dict[str, Any]]]

    def name_of(self, value: str | Path) -> str:
        """Return how a recipe names weights.

        Parameters
        ----------
        value : str or Path
            A shipped name, "sha256:" with a hash, or a file.

        Raises
        ------
        ValueError
            For any other text, and a file that holds no such weights.
        """
        text = str(value)
        # Neither read nor hashed yet: filters are made when the program starts.
        if text in self._files or weight_files.is_name(text):
            return text
        path = Path(value)
        if path.suffix.lower() != ".npz" or not path.is_file():
            names = ", ".join(map(repr, sorted(self._files)))
            raise ValueError(
                f"weights must be {names}, a .npz file of weights, or "
                f"{weight_files.PREFIX!r} with the hash of such a file (got {text!r})."
            )
        data = read_bytes(path)
        self.read(data, repr(text))
        return weight_files.keep(data)

    def hashed(self, name: str) -> str:
        """Return "sha256:" and the hash of weights that a recipe names.

        A later version may ship better weights under the same name, but none under the same hash.
        """
        return self.shipped.get(name, name)

    def named(self, name: str) -> tuple[T, dict[str, Any]]:
        """Return the weights that a recipe names, and what their file says about them.

        Raises
        ------
        ValueError
            If they are nowhere to be found.
        """
        return _found(self, self.hashed(name))

    def spoken(self, name: str) -> str:
        """Return the name of weights for people: that of the shipped ones, and the hash."""
        digest = self.hashed(name)
        names = [each for each, other in self.shipped.items() if other == digest]
        said = weight_files.spoken(digest)
        return f"{names[0]} ({said})" if names else said

    @functools.cached_property
    def shipped(self) -> Mapping[str, str]:
        """The weights that ship with the package: by their names, "sha256:" and the hash."""
        return {
            name: weight_files.name_of_bytes(file.read_bytes())
            for name, file in sorted(self._files.items())
        }

    @functools.cached_property
    def _files(self) -> dict[str, Traversable]:
        folder = resources.files(self.package).joinpath("shipped")
        files = [each for each in folder.iterdir() if each.name.endswith(".npz")]
        return {each.name.removesuffix(".npz"): each for each in files}

    def content(self, digest: str) -> bytes:
        """Return the content of the file with a hash; raise if it is nowhere to be found."""
        for name, other in self.shipped.items():
            if other == digest:
                return self._files[name].read_bytes()
        return weight_files.found(digest)


@functools.lru_cache(maxsize=16)
def _found(shelf: WeightShelf[T], digest: str) -> tuple[T, dict[str, Any]]:
    return shelf.read(shelf.content(digest), repr(digest))
