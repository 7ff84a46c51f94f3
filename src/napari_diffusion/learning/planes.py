"""Planes that are learned from, and windows of them; some parts are never learned from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_diffusion.learning import held_out
from napari_diffusion.learning.window_size import AROUND, MARGIN, SIDES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

# So many choices of squares to hold out are tried, until the largest windows fit between them.
_CHOICES = 16

# Windows begin at every so manyth pixel.
_LATTICE = 4


class Place(NamedTuple):
    """Where a window lies: in which stack, and the pixels whose errors count."""

    stack: int
    rows: slice
    columns: slice


class Room(NamedTuple):
    """Where windows of a side may begin in a stack."""

    stack: int
    side: int
    corners: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Planes:
    """Planes of a kind, of which some parts are held out.

    Attributes
    ----------
    stacks : list of ndarray, each of shape (n, H, W)
        Of each stack all planes show the same scene, such as noisy frames; of a single plane n is
        1.
    seed : int
        Which squares are held out.
    inside : sequence of ndarray of bool, shape (H, W), or None
        Of each stack, the pixels that may be learned from; all of them where it is None.
    groups : sequence of int
        Stacks with the same number have planes of one size that show something alike: the same
        squares of them are held out. By default each has a number of its own.
    most_held : int
        So many squares are measured at most.
    """

    stacks: list[NDArray[np.float32]]
    seed: int = 0
    inside: Sequence[NDArray[np.bool_] | None] = ()
    groups: Sequence[int] = ()
    most_held: int = 24
    _held: list[Place] = field(init=False)
    _rooms: list[Room] = field(init=False)

    def __post_init__(self) -> None:
        set_own = object.__setattr__
        count = len(self.stacks)
        set_own(self, "inside", list(self.inside) or [None] * count)
        set_own(self, "groups", list(self.groups) or list(range(count)))
        widest = 0
        set_own(self, "_held", [])
        set_own(self, "_rooms", [])
        for choice in range(_CHOICES):
            random = np.random.Generator(np.random.Philox(key=_key(self.seed, choice)))
            sizes = {g: _size(each) for g, each in zip(self.groups, self.stacks, strict=True)}
            squares = held_out.chosen(sizes, random)
            held, rooms = list(self._measured(squares)), list(self._free(squares))
            side = max((room.side for room in rooms), default=0) if held else 0
            if side > widest:
                widest = side
                order = np.sort(random.permutation(len(held))[: self.most_held])
                set_own(self, "_held", [held[n] for n in order])
                set_own(self, "_rooms", rooms)
            if side == SIDES[0]:
                break

    @property
    def side(self) -> int:
        """Pixels along an axis of the largest windows to learn from; 0 if there is no room."""
        return max((room.side for room in self._rooms), default=0)

    def squares(self) -> list[Place]:
        """Return the squares that are held out and measured."""
        return self._held

    def window(self, random: np.random.Generator) -> Place:
        """Return a window without a part that is held out, nor what is seen around it."""
        pixels = np.array([self.stacks[room.stack][0].size for room in self._rooms]) ** 0.5
        room = self._rooms[int(random.choice(len(pixels), p=pixels / pixels.sum()))]
        y, x = room.corners[int(random.integers(len(room.corners)))]
        return Place(room.stack, slice(y, y + room.side), slice(x, x + room.side))

    def _measured(self, squares: dict[int, list[held_out.Square]]) -> Iterator[Place]:
        """Yield the squares held out of each stack that have no pixel outside."""
        for stack, (group, inside) in enumerate(zip(self.groups, self.inside, strict=True)):
            for square in squares.get(group, ()):
                if inside is None or inside[square].all():
                    yield Place(stack, *square)

    def _free(self, squares: dict[int, list[held_out.Square]]) -> Iterator[Room]:
        """Yield where windows may begin in each stack, those of the first side that has room."""
        known: dict[int, Room] = {}
        for stack, (group, inside) in enumerate(zip(self.groups, self.inside, strict=True)):
            if inside is None and group in known:
                yield known[group]._replace(stack=stack)
                continue
            barred = np.zeros(_size(self.stacks[stack]), bool)
            for rows, columns in squares.get(group, ()):
                barred[wider(rows, clip=True), wider(columns, clip=True)] = True
            if inside is not None:
                barred |= ~inside
            room = _room(stack, barred)
            if room is not None:
                yield room
                if inside is None:
                    known[group] = room


def wider(part: slice, *, clip: bool = False) -> slice:
    """Return the pixels of a window along an axis with all that is seen around them."""
    first = part.start - MARGIN - AROUND
    return slice(max(first, 0) if clip else first, part.stop + MARGIN + AROUND)


def _room(stack: int, barred: NDArray[np.bool_]) -> Room | None:
    """Return where windows without a pixel that is barred begin."""
    before = np.zeros([n + 1 for n in barred.shape], np.int64)
    barred.cumsum(0).cumsum(1, out=before[1:, 1:])
    for side in SIDES:
        rows, columns = (np.arange(0, n - side + 1, _LATTICE) for n in barred.shape)
        low, high = before[rows], before[rows + side]
        count = high[:, columns + side] - high[:, columns] - low[:, columns + side]
        corners = np.argwhere(count + low[:, columns] == 0)
        if len(corners):
            return Room(stack, side, corners * _LATTICE)
    return None


def _size(stack: NDArray[np.float32]) -> tuple[int, int]:
    return stack.shape[1], stack.shape[2]


def _key(*numbers: int) -> NDArray[np.uint64]:
    return np.array(numbers, np.uint64)
