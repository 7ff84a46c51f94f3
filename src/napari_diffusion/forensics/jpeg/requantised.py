"""How much better the coefficients of blocks fit an earlier quantisation, at each quality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.estimate.window_spectrum import SIZE
from napari_diffusion.forensics.jpeg.blocks import MIDDLE, coefficients, whole_blocks
from napari_diffusion.forensics.jpeg.quality import steps_at
from napari_diffusion.forensics.jpeg.quantised_twice import (
    AWAY,
    ROUNDING,
    frequencies,
    levels_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

# Coefficients that are read, the coarse ones: row and column in the block, at most 6 in all.
_READ = [(k, q) for k in range(7) for q in range(7 - k) if k + q]

# Values of one coefficient before any quantisation, at most, and the most that one value says, in
# nats.
_MOST, _SAYS = 1 << 17, 2.0

# Levels of a coefficient, at most, and the share of its values within them.
_LEVELS, _WITHIN = 80, 0.99

# The whole image was quantised where most blocks with detail say so by so many nats; at such
# qualities.
_WHOLE, _WHOLE_FROM = 1.0, 60

# Qualities this much lower can be told from the last one.
_LOWER = 3

# Blocks have detail where a coefficient is larger, in grey levels.
_DETAIL = 4.0

# Off the blocks, how much of what speaks against a quality counts.
_AGAINST = 0.5


@dataclass(frozen=True, eq=False)
class Fits:
    """How blocks fit an earlier quantisation: log-likelihoods in nats per block.

    Attributes
    ----------
    qualities : tuple of int
        Those that were tried.
    on, off : (qualities, rows, columns) array
        Of the blocks, and of those half a block away, which have one row and column less.
    last : int or None
        The quality of the last compression, where the whole image shows one.
    varied : tuple of (rows, columns) array
        Which blocks have detail, on and off; of blocks without any nothing is usual.
    """

    qualities: tuple[int, ...]
    on: NDArray[np.float32]
    off: NDArray[np.float32]
    last: int | None
    varied: tuple[NDArray[np.bool_], NDArray[np.bool_]]

    def usual(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the medians over blocks with detail by quality, on and off the blocks."""
        return _medians(self.on, self.varied[0]), _medians(self.off, self.varied[1])

    def paired(self, side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the fits on the blocks against off them, and off them against on them.

        Parameters
        ----------
        side : int
            Side of the square of blocks that are averaged.
        """
        from scipy import ndimage

        on, off = (
            np.stack([ndimage.uniform_filter(each, side) for each in fits])
            for fits in (self.on, self.off)
        )
        around = np.pad(off, ((0, 0), (1, 1), (1, 1)), mode="edge")
        return (
            _against(on, _fours(around), self.varied[0]),
            _against(off, _fours(on), self.varied[1]),
        )


def fits(plane: NDArray[Any], qualities: Sequence[int], poll: Callable[[], None]) -> Fits:
    """Return how the blocks of a plane fit each quality.

    Where most of those with detail fit one, that was the last compression: finer steps cannot be
    seen, and the others are tried before it.

    Parameters
    ----------
    plane : (Y, X) array
        In grey levels.
    qualities : sequence of int
        Ascending.
    poll : callable
        Called now and then; may raise.
    """
    values = whole_blocks(plane) - MIDDLE
    planes = coefficients(values), coefficients(values, (AWAY, AWAY))
    found = _fits(*planes, tuple(qualities), None, poll)
    usual = found.usual()[0]
    last = int(qualities[int(usual.argmax())])
    before = tuple(q for q in qualities if q <= last - _LOWER)
    if usual.max() < _WHOLE or last < _WHOLE_FROM or not before:
        return found
    return _fits(*planes, before, last, poll)


def _fits(
    blocks: NDArray[Any],
    away: NDArray[Any],
    qualities: tuple[int, ...],
    last: int | None,
    poll: Callable[[], None],
) -> Fits:
    on, off = (np.zeros((len(qualities), *each.shape[:2]), np.float32) for each in (blocks, away))
    for place in _READ:
        poll()
        steps = [int(steps_at(quality)[place]) for quality in qualities]
        last_step = 1 if last is None else int(steps_at(last)[place])
        said = dict(_said(blocks[(..., *place)], away[(..., *place)], set(steps), last_step))
        for k, step in enumerate(steps):
            for total, found in zip((on, off), said.get(step, ()), strict=False):
                total[k] += found
    return Fits(qualities, on, off, last, (_varied(blocks), _varied(away)))


def _said(
    blocks: NDArray[Any], away: NDArray[Any], steps: set[int], last: int
) -> Iterator[tuple[int, tuple[NDArray[Any], NDArray[Any]]]]:
    """Yield coarser steps, and what each coefficient says for it, on and off the blocks."""
    most = int(np.clip(np.quantile(np.abs(blocks), _WITHIN) + 2, SIZE, _LEVELS))
    before = away.ravel()[:: max(1, away.size // _MOST)]
    noise = ROUNDING * np.random.default_rng(0).normal(size=before.size)
    once = np.log(_even(frequencies(before + noise, last, most)))
    levels = [levels_of(each, last, most) for each in (blocks, away)]
    for step in steps:
        if step > last:
            twice = frequencies(np.rint(before / step) * step + noise, last, most)
            says = np.clip(np.log(_even(twice)) - once, -_SAYS, _SAYS).astype(np.float32)
            yield step, (says[levels[0]], says[levels[1]])


def _even(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    # Coefficients have no preferred sign.
    return (shares + shares[::-1]) / 2


def _fours(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the means of the four blocks that overlap with each one between them."""
    rows = values[:, 1:] + values[:, :-1]
    return np.asarray((rows[..., 1:] + rows[..., :-1]) / 4, np.float32)


def _against(
    values: NDArray[np.float32], others: NDArray[np.float32], varied: NDArray[np.bool_]
) -> NDArray[np.float32]:
    values = values - np.maximum(others, _AGAINST * others)
    return values - np.maximum(_medians(values, varied), 0)[:, None, None]


def _varied(blocks: NDArray[Any]) -> NDArray[np.bool_]:
    largest = np.max([np.abs(blocks[(..., *place)]) for place in _READ], axis=0)
    return np.asarray(largest > _DETAIL)


def _medians(values: NDArray[np.float32], varied: NDArray[np.bool_]) -> NDArray[np.float32]:
    chosen = varied if varied.any() else ~varied
    found: NDArray[np.float32] = np.median(values[:, chosen], axis=1)
    return found
