"""Which blocks of a JPEG were quantised once, and which twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.estimate.window_spectrum import SIZE
from napari_diffusion.forensics.jpeg.blocks import MIDDLE, coefficients

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from napari_diffusion.forensics.jpeg.file import StoredJpeg

# Coarse coefficients, which are seldom 0.
_COARSE = [(0, 1), (1, 0), (2, 0), (1, 1), (0, 2), (0, 3), (1, 2), (2, 1), (3, 0)]

# First steps that are tried, and shares of blocks that may have had them.
_FIRST = range(2, 41)
_SHARES = np.array([0.6, 0.8, 0.95])

#: Half a block away no coefficient is a multiple of a step.
AWAY = SIZE // 2

# Values of one coefficient before any quantisation, at most; the noise that spreads them, of which
# that is taken that explains one quantisation best.
_MOST, _COPIES, _SPREADS = 1 << 17, 8, (0.3, 0.8, 1.5, 3.0)

#: Pixels are rounded between two quantisations, which leaves so much noise: √(1/12).
ROUNDING = 0.29

# Levels of a coefficient, at most, and the share of its values within them.
_LEVELS, _WITHIN = 60, 0.99

# A first step must explain the levels better by so many nats per block, and so many in all.
_GAIN, _GAIN_IN_ALL = 0.02, 20.0

# In images that were saved once, up to two coefficients seem to have a first step.
_FEWEST = 3


@dataclass(frozen=True)
class FirstStep:
    """A coefficient whose levels show an earlier quantisation.

    Attributes
    ----------
    place : tuple of int
        Its row and column in the block.
    first, last : int
        Step of the earlier quantisation, and that of the file.
    gain : float
        How much better the two explain the levels than the last alone, in nats per block.
    """

    place: tuple[int, int]
    first: int
    last: int
    gain: float


@dataclass(frozen=True, eq=False)
class Twice:
    """What the blocks of a JPEG show.

    Attributes
    ----------
    steps : tuple of FirstStep
        Empty where no earlier quantisation is seen.
    likelihood : (rows, columns) array
        Log-likelihood of one quantisation minus that of two, of each block, in nats.
    """

    steps: tuple[FirstStep, ...]
    likelihood: NDArray[np.float64]


def quantised_twice(stored: StoredJpeg, poll: Callable[[], None]) -> Twice:
    """Return which coefficients show an earlier quantisation, and which blocks do not.

    The levels that a coefficient would have without any quantisation are read from the same image
    half a block away; each first step is tried on them.
    """
    values = stored.brightness - MIDDLE
    blocks, away = coefficients(values), coefficients(values, (AWAY, AWAY))
    rng = np.random.default_rng(0)
    likelihood, steps = np.zeros(blocks.shape[:2]), []
    flat = np.ones(blocks.shape[:2], bool)
    for k, q in _COARSE:
        poll()
        levels = _Levels.of(blocks[..., k, q], away[..., k, q], int(stored.steps[k, q]), rng)
        flat &= levels.found == levels.most
        best = max(levels.tried(rng), key=lambda each: each[0], default=(0.0, 0, levels.once))
        gain, first, twice = best
        if gain > max(_GAIN * blocks[..., 0, 0].size, _GAIN_IN_ALL):
            likelihood += np.log(levels.once / twice)[levels.found]
            steps.append(FirstStep((k, q), first, levels.step, gain / likelihood.size))
    if len(steps) < _FEWEST:
        return Twice((), np.zeros_like(likelihood))
    # What has no levels but 0 has them either way, and what is usual elsewhere does not hold there.
    return Twice(tuple(steps), np.where(flat, 0.0, likelihood))


@dataclass(frozen=True, eq=False)
class _Levels:
    step: int
    most: int
    found: NDArray[np.int64]
    counts: NDArray[np.int64]
    before: NDArray[np.float64]
    once: NDArray[np.float64]

    @classmethod
    def of(
        cls, blocks: NDArray[Any], away: NDArray[Any], step: int, rng: np.random.Generator
    ) -> _Levels:
        most = int(np.clip(np.quantile(np.abs(np.rint(blocks / step)), _WITHIN) + 2, 4, _LEVELS))
        found = levels_of(blocks, step, most)
        before = away.ravel()
        before = np.tile(before[:: max(1, before.size * _COPIES // _MOST)], _COPIES)
        counts = np.bincount(found.ravel(), minlength=2 * most + 1)
        noise = rng.normal(0.0, 1.0, before.size)
        spread = [before + each * noise for each in _SPREADS]
        once = [frequencies(values, step, most) for values in spread]
        best = max(range(len(spread)), key=lambda k: float(counts @ np.log(once[k])))
        return cls(step, most, found, counts, spread[best], once[best])

    def tried(self, rng: np.random.Generator) -> Iterator[tuple[float, int, NDArray[np.float64]]]:
        """Yield for first steps the gain in nats, the step and how frequent it makes each level."""
        plain = float(self.counts @ np.log(self.once))
        noise = rng.normal(0.0, ROUNDING, self.before.size)
        for first in _FIRST:
            if first == self.step:
                continue
            values = np.rint(self.before / first) * first + noise
            twice = frequencies(values, self.step, self.most)
            mixed = _SHARES[:, None] * twice + (1 - _SHARES[:, None]) * self.once
            yield float((np.log(mixed) @ self.counts).max()) - plain, first, twice


def levels_of(values: NDArray[Any], step: int, most: int) -> NDArray[np.int64]:
    """Return the levels of coefficients plus `most`, so that they count from 0."""
    return np.clip(np.rint(values / step).astype(np.int64), -most, most) + most


def frequencies(values: NDArray[Any], step: int, most: int) -> NDArray[np.float64]:
    """Return the share of each level from -most to most, those beyond counted at the ends.

    Parameters
    ----------
    values : array
        Coefficients.
    step, most : int
        What they are divided by and rounded, and the last level.
    """
    counts = np.bincount(levels_of(values, step, most), minlength=2 * most + 1) + 0.5
    return np.asarray(counts / counts.sum())
