"""What noise looks like after a step: its strength, its grain, and what is mistaken for objects."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.analysis.detectors import Detector, Threshold
from napari_diffusion.analysis.null.rate_interval import (
    Counts,
    counted,
    per_million,
    rate_interval,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid

#: An excursion is connected pixels farther from the mean than so many standard deviations.
EXCURSION = 3.0

# The farthest lag looked at, as a part of the size of the image.
_FARTHEST = 0.25


@dataclass(frozen=True)
class NullStep:
    """What a recipe makes of noise without objects, after one step.

    Attributes
    ----------
    index : int
        Of the step; −1 for the noise itself.
    sd : float
        Standard deviation in intensity units, around the mean of each plane.
    correlation_length : float
        The lag in pixels at which the autocorrelation has fallen to 1/e, interpolated between
        lags, along the axis where it is greatest: 0.63 for white noise.
    false_objects : int
        How many objects the detector found.
    area : float
        In how many megapixels, or megavoxels.
    rate, rate_low, rate_high : float
        Objects per megapixel, and the 95 % interval of the long-run rate.
    peak : float
        The greatest distance from the mean, in standard deviations.
    largest : int
        Pixels of the largest excursion: connected pixels, all brighter or all darker than the mean
        by more than 3 standard deviations.
    """

    index: int
    sd: float
    correlation_length: float
    false_objects: int
    area: float
    rate: float
    rate_low: float
    rate_high: float
    peak: float
    largest: int


@dataclass(frozen=True)
class StandingOut(Detector):
    """Connected pixels brighter than the mean of their image by some standard deviations of it.

    Parameters
    ----------
    deviations : float
        How many; greater than 0.
    """

    deviations: float = 4.0

    def objects(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the centres of mass of the objects."""
        return self.within(values, np.ones(values.shape, bool))

    def within(self, values: NDArray[Any], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return those of an image whose mean and standard deviation are taken inside a mask."""
        mean, sd = _moments(values, inside)
        if sd == 0:
            return np.empty((0, values.ndim))
        return Threshold(mean + self.deviations * sd).objects(values)

    def in_words(self) -> str:
        """Return what it looks for."""
        return (
            f"connected pixels brighter than the mean by more than {self.deviations:g} standard "
            "deviations of the same step"
        )


@dataclass
class StepStatistics:
    """What is gathered of one step, plane by plane; `step` gives the result."""

    index: int
    detector: Detector
    _counts: list[Counts] = field(default_factory=list)
    _lengths: list[float] = field(default_factory=list)
    _squares: float = 0.0
    _peak: float = 0.0
    _largest: int = 0

    def add(
        self,
        values: NDArray[Any],
        inside: NDArray[np.bool_] | None,
        grid: Grid,
        shifts: tuple[float, ...] = (),
    ) -> None:
        """Add an image, canonical, as far as it is inside a mask; see `Counts` for `shifts`."""
        for plane, where in _planes(values, inside, grid):
            if where.any():
                self._add(plane, where, shifts)

    def _add(
        self, plane: NDArray[Any], where: NDArray[np.bool_], shifts: tuple[float, ...]
    ) -> None:
        mean, sd = _moments(plane, where)
        left = np.where(where, plane - mean, 0.0)
        self._squares += sd**2 * np.count_nonzero(where)
        if sd:
            self._lengths.append(correlation_length(left, where))
            self._peak = max(self._peak, float(np.abs(left).max()) / sd)
            self._largest = max(self._largest, _largest(left, EXCURSION * sd))
        self._counts.append(counted(self._places(plane, where), where, shifts))

    def _places(self, plane: NDArray[Any], where: NDArray[np.bool_]) -> NDArray[np.float64]:
        if isinstance(self.detector, StandingOut):
            return self.detector.within(plane, where)
        try:
            # A function may write into what it is given, which is run afterwards.
            return self.detector.objects(plane.copy())
        except Exception as error:
            at = "the noise itself" if self.index < 0 else f"step {self.index}"
            error.add_note(f"This was raised by {self.detector.in_words()}, on {at}.")
            raise

    @property
    def planes(self) -> int:
        """How many planes or volumes were added."""
        return len(self._counts)

    def step(self) -> NullStep:
        """Return what was found."""
        pixels = sum(float(each.areas.sum()) for each in self._counts)
        found, low, high = rate_interval(self._counts)
        return NullStep(
            index=self.index,
            sd=math.sqrt(self._squares / pixels),
            correlation_length=float(np.mean(self._lengths)) if self._lengths else 0.0,
            false_objects=found,
            area=pixels / 1e6,
            rate=per_million(found, pixels),
            rate_low=per_million(low, pixels),
            rate_high=per_million(high, pixels),
            peak=self._peak,
            largest=self._largest,
        )


def correlation_length(left: NDArray[Any], where: NDArray[np.bool_]) -> float:
    """Return the lag at which the autocorrelation falls to 1/e, along the axis of the greatest.

    Parameters
    ----------
    left : ndarray
        Distances from the mean, 0 outside the mask.
    where : ndarray of bool
        The mask.
    """
    variance = float((left**2).sum()) / np.count_nonzero(where)
    return max(_length_along(left, where, axis, variance) for axis in range(left.ndim))


def _length_along(
    left: NDArray[Any], where: NDArray[np.bool_], axis: int, variance: float
) -> float:
    before, size = 1.0, left.shape[axis]
    values, inside = np.moveaxis(left, axis, 0), np.moveaxis(where, axis, 0)
    for lag in range(1, max(int(_FARTHEST * size), 1) + 1):
        pairs = np.count_nonzero(inside[lag:] & inside[:-lag])
        if not pairs:
            return float(lag - 1)
        now = float((values[lag:] * values[:-lag]).sum()) / pairs / variance
        if now < math.exp(-1):
            return lag - 1 + (before - math.exp(-1)) / (before - now)
        before = now
    return float(lag)


def _largest(left: NDArray[Any], limit: float) -> int:
    from scipy import ndimage

    sizes = [0]
    for beyond in (left > limit, left < -limit):
        labels, count = ndimage.label(beyond, np.ones((3,) * left.ndim, bool))
        if count:
            sizes.append(int(np.bincount(labels.ravel())[1:].max()))
    return max(sizes)


def _moments(values: NDArray[Any], inside: NDArray[np.bool_]) -> tuple[float, float]:
    """Return mean and standard deviation; 0 for what is no more than rounding."""
    chosen = values[inside].astype(np.float64)
    mean, sd = float(chosen.mean()), float(chosen.std())
    rounding = 4 * float(np.finfo(values.dtype).eps) * float(np.abs(chosen).max())
    return mean, sd if sd > rounding else 0.0


def _planes(
    values: NDArray[Any], inside: NDArray[np.bool_] | None, grid: Grid
) -> Iterator[tuple[NDArray[Any], NDArray[np.bool_]]]:
    """Yield each plane or volume along the axes that the filter acts along, with its mask."""
    along = [axis for axis in grid.along_axes if values.shape[axis] > 1] or [4]
    last = range(5 - len(along), 5)
    stack = np.moveaxis(values, along, last)
    masks = np.ones(stack.shape, bool) if inside is None else np.moveaxis(inside, along, last)
    for place in np.ndindex(stack.shape[: 5 - len(along)]):
        yield np.ascontiguousarray(stack[place]), np.ascontiguousarray(masks[place])
