"""Where the blocks of a JPEG begin, part by part, with numbers of false alarms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.estimate.jpeg import LOOKED_AT, position_of_blocks
from napari_diffusion.estimate.window_spectrum import SIZE
from napari_diffusion.forensics.jpeg.votes import NONE, POSITIONS, Counts, log10_tails

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A window with votes of so few of its blocks has nothing to read.
_READABLE = 0.1

# The usual position has this part of an image, or more; where the middle of a part lies.
_USUAL, _MIDDLE = 0.25, 0.9

# A position has so many times the votes of chance in the whole plane.
_OFTEN = 2.0

# Parts along y and x where the steps of the coefficients are looked at, at most; their least side.
_PARTS, LEAST = 3, 112


@dataclass(frozen=True, eq=False)
class Positions:
    """Positions of the blocks in windows that begin at every eighth pixel.

    Attributes
    ----------
    window : int
        Side of a window, in blocks.
    usual : int
        The position of most blocks, 8 y + x; -1 where there is none.
    by_steps : int
        The position that the steps of the coefficients show in most parts; -1 for none.
    own, other : (rows, columns) array
        Minus log₁₀ of the number of false alarms: of blocks at the usual position, and of blocks
        at another one. Negative where chance gives more than one such window in the image.
    which : (rows, columns) array
        That other position.
    """

    window: int
    usual: int
    by_steps: int
    own: NDArray[np.float64]
    other: NDArray[np.float64]
    which: NDArray[np.int8]

    def around_pixels(self, values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """Return a map of the pixels, each with the value of the window around it."""
        half = (self.window - 1) / 2
        at = (
            np.clip(np.rint(np.arange(n) / SIZE - 0.5 - half).astype(int), 0, count - 1)
            for n, count in zip(shape, values.shape, strict=True)
        )
        return values[np.ix_(*at)]


def positions(plane: NDArray[Any], counts: Counts) -> Positions:
    """Return where blocks begin in the windows of a plane.

    Parameters
    ----------
    plane : (Y, X) array
        In grey levels.
    counts : Counts
        The votes of its pixels.
    """
    strengths = _strengths(counts)
    by_votes, by_steps = _by_votes(counts, strengths), _by_steps(plane)
    usual = by_steps if by_votes == NONE else by_votes
    own = np.full(counts.valid.shape, -math.log10(counts.tests))
    if usual != NONE:
        own = strengths[usual].astype(np.float64)
        _lower_beside_blocks(strengths, counts)
        strengths[usual] = -np.inf
    which = strengths.argmax(0).astype(np.int8)
    other = strengths.max(0).astype(np.float64)
    return Positions(counts.window, usual, by_steps, own, other, which)


def _strengths(counts: Counts) -> NDArray[np.float32]:
    """Return minus log₁₀ of the number of false alarms of each position in each window."""
    tails = log10_tails(counts.window**2, 1 / POSITIONS) + math.log10(counts.tests)
    least = -tails.astype(np.float32)
    return np.stack([least[counts.valid, counts.of(position)] for position in range(POSITIONS)])


def _lower_beside_blocks(strengths: NDArray[np.float32], counts: Counts) -> None:
    """Count positions less that have more than their share of the votes in the whole plane.

    Beside the blocks of a JPEG not all other positions are alike: those in the same row or column
    share some zeros with them.
    """
    total = counts.total()
    shares = total / max(1, total.sum())
    for position in map(int, np.flatnonzero(shares > _OFTEN / POSITIONS)):
        tails = log10_tails(counts.window**2, shares[position]) + math.log10(counts.tests)
        strengths[position] = -tails[counts.valid, counts.of(position)]


def _by_votes(counts: Counts, strengths: NDArray[np.float32]) -> int:
    """Return the position that windows show in a large part of what has votes.

    Where a region ends, windows show it with few votes: its part of the image is its part of the
    votes, in relation to the votes in the middle of it.
    """
    readable = counts.valid > _READABLE * counts.window**2
    best = np.where(strengths.max(0) > 0, strengths.argmax(0), NONE)
    found = np.bincount(best[readable] + 1, minlength=POSITIONS + 1)[1:]
    position = int(found.argmax())
    if not found[position]:
        return NONE
    shares = counts.of(position) / np.maximum(counts.valid, 1)
    middle = np.quantile(shares[readable & (best == position)], _MIDDLE)
    return position if shares[readable].mean() > _USUAL * middle else NONE


def _by_steps(plane: NDArray[Any]) -> int:
    """Return the position that the steps of the coefficients show, in most of up to nine parts."""
    parts = [min(max(n // LEAST, 1), _PARTS) for n in plane.shape]
    side = [min(LOOKED_AT, n // k) for n, k in zip(plane.shape, parts, strict=True)]
    rooms = [(n - s) / max(k - 1, 1) for n, s, k in zip(plane.shape, side, parts, strict=True)]
    found, missed, half = list[int](), 0, parts[0] * parts[1] // 2
    for i, j in np.ndindex(*parts):
        y, x = int(i * rooms[0]), int(j * rooms[1])
        seen = position_of_blocks(plane[None, y : y + side[0], x : x + side[1]])
        if seen is None:
            missed += 1
        else:
            found.append((seen[0] + y) % SIZE * SIZE + (seen[1] + x) % SIZE)
        if missed > half:
            return NONE
    best = max(set(found), key=found.count, default=NONE)
    return best if found.count(best) > half else NONE
