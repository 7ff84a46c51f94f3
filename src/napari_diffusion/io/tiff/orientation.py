"""Turns images upright that were stored turned or mirrored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from napari_diffusion.core.dask_array import is_dask
from napari_diffusion.io.stored.file_parts import ChangedParts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.io.stored.file_parts import Box, FileParts

#: Of each orientation of TIFF and EXIF: whether rows and columns change places, and then which of
#: y and x run backwards.
_TURNS = {
    1: (False, ""),
    2: (False, "x"),
    3: (False, "yx"),
    4: (False, "y"),
    5: (True, ""),
    6: (True, "x"),
    7: (True, "yx"),
    8: (True, "y"),
}

_T = TypeVar("_T")

ORIENTATIONS = frozenset(_TURNS)


def upright(image: NDArray[Any], orientation: int, y: int, x: int) -> NDArray[Any]:
    """Return an image upright.

    Parameters
    ----------
    image : ndarray
        As it is stored.
    orientation : int
        From 1, upright, to 8, as TIFF and EXIF count them.
    y, x : int
        Which axes of the image are its rows and columns.
    """
    swapped, backwards = _TURNS[orientation]
    turned = np.swapaxes(image, y, x) if swapped else image
    axes = tuple(axis for letter, axis in (("y", y), ("x", x)) if letter in backwards)
    turned = np.flip(turned, axes)
    return turned if is_dask(turned) else np.ascontiguousarray(turned)


def swaps(orientation: int) -> bool:
    """Return whether rows and columns change places."""
    return _TURNS[orientation][0]


class UprightValues(ChangedParts):
    """Values in a file that are turned upright when they are read; parameters as of `upright`."""

    def __init__(self, held: FileParts, orientation: int, y: int, x: int) -> None:
        super().__init__(held)
        self._orientation, self._y, self._x = orientation, y, x
        self.shape, self.piece = self._swapped(held.shape), self._swapped(held.piece)
        places = self._swapped(tuple(range(held.ndim)))
        self.order = tuple(places[axis] for axis in held.order)

    def read(self, box: Box) -> NDArray[Any]:
        """Return a new array of the values in a box."""
        _, backwards = _TURNS[self._orientation]
        inside = list(box)
        for letter, axis in (("y", self._y), ("x", self._x)):
            if letter in backwards:
                size, part = self.shape[axis], box[axis]
                inside[axis] = slice(size - part.stop, size - part.start)
        held = self.held.read(self._swapped(tuple(inside)))
        return upright(held, self._orientation, self._y, self._x)

    def _swapped(self, each: tuple[_T, ...]) -> tuple[_T, ...]:
        if not swaps(self._orientation):
            return each
        order = list(range(len(each)))
        order[self._y], order[self._x] = self._x, self._y
        return tuple(each[axis] for axis in order)
