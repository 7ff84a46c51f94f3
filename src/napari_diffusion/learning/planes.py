"""Planes that are learned from, and windows of them; some parts are never learned from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Side of the squares of which one in so many is held out, the first of them chosen by the seed.
HELD_SIDE, ONE_IN = 64, 8

# How often a window is drawn anew if it lies on a square that is held out.
_TRIALS = 200


@dataclass(frozen=True, eq=False)
class Planes:
    """Planes of a kind, all of the same shape where several show the same scene.

    Attributes
    ----------
    stacks : list of ndarray, each of shape (n, H, W)
        Of each stack all planes show the same scene, such as noisy frames; of a single plane n is
        1.
    seed : int
        Which squares are held out.
    """

    stacks: list[NDArray[np.float32]]
    seed: int = 0
    _held: list[NDArray[np.bool_]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_held", [self._squares(n) for n in range(len(self.stacks))])

    def _squares(self, n: int) -> NDArray[np.bool_]:
        """Return which squares of a stack are held out: one in eight, at least one of two."""
        rows, columns = (max(size // HELD_SIDE, 1) for size in self.stacks[n].shape[1:])
        order = np.random.Generator(np.random.Philox(key=[self.seed, n])).permutation(
            rows * columns
        )
        held = np.zeros(rows * columns, bool)
        held[order[: max(len(order) // ONE_IN, len(order) > 1)]] = True
        return held.reshape(rows, columns)

    def squares(self) -> list[tuple[int, slice, slice]]:
        """Return the squares that are held out: the number of the stack, and where."""
        return [
            (
                n,
                slice(y * HELD_SIDE, (y + 1) * HELD_SIDE),
                slice(x * HELD_SIDE, (x + 1) * HELD_SIDE),
            )
            for n, held in enumerate(self._held)
            for y, x in np.argwhere(held)
        ]

    def window(self, random: np.random.Generator, side: int) -> tuple[int, slice, slice] | None:
        """Return a window without a part that is held out; None if there is none."""
        pixels = np.array([np.prod(stack.shape[1:]) for stack in self.stacks], float) ** 0.5
        for _ in range(_TRIALS):
            n = int(random.choice(len(pixels), p=pixels / pixels.sum()))
            height, width = self.stacks[n].shape[1:]
            if min(height, width) < side:
                continue
            y, x = (int(random.integers(size - side + 1)) for size in (height, width))
            held = self._held[n]
            rows, columns = (
                slice(first // HELD_SIDE, min((first + side - 1) // HELD_SIDE + 1, count))
                for first, count in zip((y, x), held.shape, strict=True)
            )
            if not held[rows, columns].any():
                return n, slice(y, y + side), slice(x, x + side)
        return None
