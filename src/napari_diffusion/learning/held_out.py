"""Which parts of planes are held out: measured, and never learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.learning.window_size import SIDES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np

    Square = tuple[slice, slice]

# One in so many squares is held out.
ONE_IN = 8

#: Smaller planes, where there are others, are held out or learned from as a whole.
SMALL = 128

# Side of the squares: of planes of twice `SMALL` or more, and of others.
_WIDE, _NARROW = 64, 32


def chosen(
    sizes: Mapping[int, tuple[int, int]], random: np.random.Generator
) -> dict[int, list[Square]]:
    """Return the squares to hold out, by the number of the plane.

    Parameters
    ----------
    sizes : dict
        Rows and columns of each plane.
    random : Generator
        Chooses squares of planes that are large. Of small ones the last are held out, because
        neighbours in a stack are alike.
    """
    small = [n for n, size in sizes.items() if min(size) < SMALL and len(sizes) > 1]
    count = len(small) // ONE_IN or int(len(small) == len(sizes))
    held = {n: [_middle(sizes[n])] for n in small[len(small) - count :]}
    squares = [(n, each) for n in sizes if n not in small for each in _grid(sizes[n])]
    for n in random.permutation(len(squares))[: max(len(squares) // ONE_IN, 1)]:
        number, square = squares[n]
        held.setdefault(number, []).append(square)
    return held


def _grid(size: tuple[int, int]) -> Iterator[Square]:
    """Yield the squares of a plane."""
    side = min(_side(size), _WIDE if min(size) >= 2 * SMALL else _NARROW)
    for y in range(0, size[0] - side + 1, side):
        for x in range(0, size[1] - side + 1, side):
            yield slice(y, y + side), slice(x, x + side)


def _middle(size: tuple[int, int]) -> Square:
    """Return the square in the middle of a plane that is held out as a whole."""
    side = min(_side(size), _WIDE)
    top, left = ((n - side) // 2 for n in size)
    return slice(top, top + side), slice(left, left + side)


def _side(size: tuple[int, int]) -> int:
    """Return the side of the largest square in a plane with sides that windows may have."""
    return min(size) // SIDES[-1] * SIDES[-1]
