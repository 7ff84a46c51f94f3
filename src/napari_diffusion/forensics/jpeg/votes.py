"""Each pixel votes for a position of the 8 × 8 blocks: the one whose block has most zeros."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.estimate.window_spectrum import SIZE, cosines
from napari_diffusion.forensics.jpeg.blocks import spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

#: Positions of the blocks: 8 y + x.
POSITIONS = SIZE * SIZE

#: No vote.
NONE = -1

# A coefficient below this, in grey levels, was rounded to zero.
_ZERO = 0.5


def votes(plane: NDArray[Any], poll: Callable[[], None]) -> NDArray[np.int8]:
    """Return the position that each pixel votes for; -1 for none.

    Blocks that are constant along y or x have zeros whatever their position, and do not count; nor
    does a draw.

    Parameters
    ----------
    plane : (Y, X) array
        In grey levels.
    poll : callable
        Called now and then; may raise.
    """
    most = np.zeros(plane.shape, np.int8)
    voted = np.full(plane.shape, NONE, np.int8)
    for position, zeros in _zeros(plane.astype(np.float32)):
        poll()
        y, x = divmod(position, SIZE)
        shape = SIZE * zeros.shape[0], SIZE * zeros.shape[1]
        here = np.s_[y : y + shape[0], x : x + shape[1]]
        counts = spread(zeros, shape)
        so_far = most[here]
        voted[here] = np.where(
            counts > so_far,
            np.int8(position),
            np.where(counts == so_far, np.int8(NONE), voted[here]),
        )
        np.maximum(so_far, counts, out=so_far)
    return voted


def _zeros(values: NDArray[np.float32]) -> Iterator[tuple[int, NDArray[np.int8]]]:
    """Yield each position, and how many coefficients of its blocks were rounded to zero."""
    matrix = cosines().astype(np.float32)
    for y in range(SIZE):
        rows = (len(values) - y) // SIZE
        down = matrix @ values[y : y + SIZE * rows].reshape(rows, SIZE, -1)
        for x in range(SIZE):
            columns = (values.shape[1] - x) // SIZE
            part = down[..., x : x + SIZE * columns].reshape(rows, SIZE, columns, SIZE)
            yield SIZE * y + x, _counted(np.abs(part @ matrix.T) < _ZERO)


def _counted(small: NDArray[np.bool_]) -> NDArray[np.int8]:
    # Eight bytes of 0 or 1 are counted as one number: seven times as fast as a sum.
    eights = small.view(np.uint64)[..., 0]
    first = np.array([1] + [0] * 7, np.uint8).view(np.uint64)[0]
    alone = np.bitwise_count(eights & first).astype(np.int8)
    counts = np.bitwise_count(eights).astype(np.int8)
    along_y, along_x = counts[:, 1:].sum(1, np.int8), (counts - alone).sum(1, np.int8)
    constant = (along_y == SIZE * (SIZE - 1)) | (along_x == SIZE * (SIZE - 1))
    # Below every count, also below the 0 of pixels that no block has reached yet.
    return np.where(constant, np.int8(-2), along_y + counts[:, 0] - alone[:, 0])


class Counts:
    """Votes in square windows that begin at every eighth pixel.

    Attributes
    ----------
    window : int
        Side of a window, in blocks.
    valid : (rows, columns) array
        Pixels that voted, of each window, as so many blocks.
    """

    def __init__(self, voted: NDArray[np.int8], window: int) -> None:
        self.window = window
        rows, columns = (n // SIZE for n in voted.shape)
        cells = np.arange(rows)[:, None] * columns + np.arange(columns)
        part = voted[: rows * SIZE, : columns * SIZE]
        at = spread(cells, part.shape) * (POSITIONS + 1) + (part + 1)
        found = np.bincount(at.ravel(), minlength=rows * columns * (POSITIONS + 1))
        self._cells = found.reshape(rows, columns, POSITIONS + 1)
        self.valid = self._in_windows(self._cells[..., 1:].sum(-1))

    @property
    def tests(self) -> int:
        """Windows times positions."""
        return self.valid.size * POSITIONS

    def of(self, position: int) -> NDArray[np.int64]:
        """Return the votes for a position, of each window, as so many blocks."""
        return self._in_windows(self._cells[..., position + 1])

    def total(self) -> NDArray[np.int64]:
        """Return the votes of the whole plane for each position, as so many blocks."""
        return np.asarray(self._cells[..., 1:].sum((0, 1)) // POSITIONS)

    def _in_windows(self, cells: NDArray[Any]) -> NDArray[np.int64]:
        sums = np.pad(cells, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
        n = self.window
        found = sums[n:, n:] - sums[:-n, n:] - sums[n:, :-n] + sums[:-n, :-n]
        # The pixels of a block vote together: they count once.
        return np.asarray(found // POSITIONS)


def log10_tails(most: int, chance: float) -> NDArray[np.float64]:
    """Return log₁₀ of the chance that so many of n blocks or more vote for one position.

    Rows are n, columns the votes.

    Parameters
    ----------
    most : int
        The largest n.
    chance : float
        That a block votes for it: 1/64 where there are no blocks, since all are alike then.
    """
    from scipy import stats

    n, k = np.indices((most + 1, most + 1))
    found = stats.binom.logsf(k - 1, n, chance) / math.log(10)
    return np.where(k == 0, 0.0, np.maximum(found, -300.0))
