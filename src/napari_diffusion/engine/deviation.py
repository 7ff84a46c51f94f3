"""The median of numbers and of their distances from it, counted in one pass over a lazy image."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.dask_array import is_dask
from napari_diffusion.engine.block import Block
from napari_diffusion.engine.counting import Measurement, counted
from napari_diffusion.engine.executor import measured, tallied
from napari_diffusion.engine.histogram import Histogram
from napari_diffusion.engine.slab_reading import loaded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.counting import Measure

# Chunks from which the median and the distance are guessed: so many, and one of so many at most.
_GUESSED_ON, _ONE_OF = 16, 25

# How far from where they are guessed numbers are counted one by one.
_OFF = 0.25

# Numbers in a row that are looked at together.
_AT_ONCE = 1 << 18


def median_deviation(
    image: Image, measure: Measure, halo: Sequence[int], unit: float
) -> tuple[Histogram, float]:
    """Count what a function measures, and return the median distance from the median too.

    Parameters
    ----------
    image, measure, halo
        See `executor.measured`.
    unit : float
        Of a float32 image the numbers are float32 numbers times this.
    """
    if is_dask(image.data) and image.data.dtype == np.float32:
        guess = functools.partial(_Deviations, unit, _sampled(image, measure))
        found = tallied(Measurement(image, measure, halo, guess))
        numbers, deviation = found.numbers, found.deviation()
    else:
        numbers, deviation = measured(image, measure, halo), None
    if deviation is None:
        middle = numbers.quantile(0.5)
        deviation = measured(image, measure, halo, around=middle).quantile(0.5)
    return numbers, deviation


def _sampled(image: Image, measure: Measure) -> Histogram:
    """Count what is measured in a few chunks of a lazy image by themselves; of few chunks none."""
    chunks, found = image.data.chunks, Histogram()
    counts = [1 if axis == 1 else len(sizes) for axis, sizes in enumerate(chunks)]
    all_of_them = math.prod(counts)
    taken = min(all_of_them // _ONE_OF, _GUESSED_ON)
    for turn in range(taken):
        place = np.unravel_index((2 * turn + 1) * all_of_them // (2 * taken), counts)
        starts = [sum(sizes[:at]) for sizes, at in zip(chunks, place, strict=True)]
        box = tuple(
            slice(start, start + sizes[at])
            for start, sizes, at in zip(starts, chunks, place, strict=True)
        )
        ((values, mask),) = loaded([image], box)
        origin = [a + b for a, b in zip(image.grid.origin, starts, strict=True)]
        found.add(counted(measure(Block(values, image.grid.at(origin), mask)), mask))
    return found


class _Deviations:
    """Counts numbers in bins, and one by one where half of all are nearer to the median.

    Where that is must be guessed. With a wrong guess there are the bins alone.
    """

    def __init__(self, unit: float, guess: Histogram) -> None:
        self.unit, self.numbers = unit, Histogram()
        # The first of float32 numbers in a row, as its bits, and how often each was seen.
        self.rows: list[tuple[int, NDArray[np.uint32]]] = []
        self.single = True
        self._make_room(guess)

    def _make_room(self, guess: Histogram) -> None:
        middle = guess.quantile(0.5)
        away = _joined(guess, _distances(guess, middle)[1], middle).quantile(0.5)
        for end in {abs(middle - away), middle + away} if away else ():
            first, last = (int(_bits(end * far / self.unit)) for far in (1 - _OFF, 1 + _OFF))
            self.rows.append((first, np.zeros(last - first + 1, np.uint32)))

    def add(self, values: NDArray[Any]) -> None:
        """Count numbers of 0 or more."""
        self.numbers.add(values)
        if not self.rows:
            self._make_room(self.numbers)
        bits = _bits(values / self.unit)
        self.single = self.single and bool((_numbers(bits, self.unit) == values).all())
        for first, seen in self.rows if self.single else ():
            near = bits[(bits >= first) & (bits < first + len(seen))]
            np.add.at(seen, near - first, np.uint32(1))

    def deviation(self) -> float | None:
        """Return the median distance from the median, None where the bins do not tell it."""
        middle = self.numbers.quantile(0.5)
        low, _, counts = self.numbers.ranges()
        exact, known = Histogram(), np.zeros(len(counts), bool)
        for first, seen in self.rows if self.single else ():
            parts = range(0, len(seen), _AT_ONCE)
            found = np.zeros(len(counts))
            for part in parts:
                numbers, often = self._seen(first + part, seen[part : part + _AT_ONCE])
                found += np.bincount(_bins(low, numbers), often, len(counts))
            # Not all were seen of a bin at the end of a row, nor of what came before the guess.
            new = (found == counts) & ~known
            for part in parts:
                numbers, often = self._seen(first + part, seen[part : part + _AT_ONCE])
                some = new[_bins(low, numbers)]
                exact.add(np.abs(numbers[some] - middle), often[some])
            known |= new
        near, far = (
            exact.joined(_joined(self.numbers, distances, middle, ~known)).quantile(0.5)
            for distances in _distances(self.numbers, middle)
        )
        return near if near == far else None

    def _seen(
        self, first: int, seen: NDArray[np.uint32]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the numbers in a part of a row that were seen, and how often."""
        at = np.flatnonzero(seen)
        return _numbers(first + at, self.unit), seen[at].astype(np.int64)


def _bins(low: NDArray[np.float64], numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return in which bin each number was counted, given where the bins begin."""
    return np.searchsorted(low, numbers, "right") - 1


def _distances(numbers: Histogram, middle: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return how near to a number those in each bin are at least, and at most."""
    low, high, _ = numbers.ranges()
    near = np.maximum(np.maximum(low - middle, middle - high), 0.0)
    return near, np.maximum(high - middle, middle - low)


def _joined(
    numbers: Histogram, distances: NDArray[Any], middle: float, some: Any = slice(None)
) -> Histogram:
    """Return the counts of distances from a number: those of some bins, and those of 0."""
    found = Histogram()
    found.add(distances[some], numbers.ranges()[2][some])
    found.add(np.array([middle]), np.array([numbers.zeros]))
    return found


def _bits(values: Any) -> NDArray[np.int64]:
    """Return the bits of positive numbers in float32, which are ordered as they are."""
    with np.errstate(over="ignore"):
        return np.asarray(values, np.float32).view(np.uint32).astype(np.int64)


def _numbers(bits: NDArray[np.int64], unit: float) -> NDArray[np.float64]:
    return bits.astype(np.uint32).view(np.float32).astype(np.float64) * unit
