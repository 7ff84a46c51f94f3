"""Turns images upright that were stored turned or mirrored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    return np.ascontiguousarray(np.flip(turned, axes))


def swaps(orientation: int) -> bool:
    """Return whether rows and columns change places."""
    return _TURNS[orientation][0]
