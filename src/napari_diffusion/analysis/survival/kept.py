"""What is left of each object in the difference of two results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.analysis.survival.windows import Windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.analysis.survival.objects import Shape
    from napari_diffusion.analysis.survival.plan import Objects, SurvivalPlan

# How much wider objects are searched for.
_SCALES = 2.0 ** np.arange(-1.5, 2.01, 0.5)

# A step for slopes, in pixels.
_STEP = 0.05


@dataclass(frozen=True, eq=False)
class Remains:
    """What is left of each object of a plan.

    Attributes
    ----------
    kept : ndarray
        The part of its contrast: the least-squares fit of the object to the difference.
    shift : ndarray
        How far it moved, in pixels.
    answers, norms : ndarray, shape (objects, scales)
        Products of the difference with wider and narrower objects, and of those with themselves.
    """

    kept: NDArray[np.float64]
    shift: NDArray[np.float64]
    answers: NDArray[np.float64]
    norms: NDArray[np.float64]

    @classmethod
    def empty(cls, count: int) -> Remains:
        """Return room for as many objects."""
        one, many = np.zeros(count), np.zeros((count, len(_SCALES)))
        return cls(one, one.copy(), many, many.copy())

    def measure(self, plan: SurvivalPlan, run: int, difference: NDArray[Any]) -> None:
        """Measure the objects of a run.

        Parameters
        ----------
        plan : SurvivalPlan
        run : int
        difference : ndarray
            Result with objects minus result without; one channel for RGB images.
        """
        for k, shape in enumerate(plan.shapes):
            chosen = np.flatnonzero((plan.objects.run == run) & (plan.objects.shape == k))
            if len(chosen):
                some, amplitudes = plan.objects.of(chosen), plan.amplitudes[chosen]
                self._measure_shape(plan, shape, some, amplitudes, chosen, difference)

    def _measure_shape(
        self,
        plan: SurvivalPlan,
        shape: Shape,
        some: Objects,
        amplitudes: NDArray[np.float64],
        chosen: NDArray[np.int64],
        difference: NDArray[Any],
    ) -> None:
        windows = Windows.of(some.place, difference.shape, plan.object_axes, shape.half)
        one_each = (-1,) + (1,) * len(plan.object_axes)
        angles = some.angle.reshape(one_each)
        left = windows.of_values(difference) / amplitudes.reshape(one_each)
        left *= windows.inside
        for s, scale in enumerate(_SCALES):
            made = shape.values(windows.offsets, angles, scale) * windows.inside
            self.answers[chosen, s] = _sums(left * made)
            self.norms[chosen, s] = _sums(made * made)
        made = shape.values(windows.offsets, angles) * windows.inside
        kept = _sums(left * made) / _sums(made * made)
        moved = np.zeros(len(chosen))
        for slope in _slopes(shape, windows, angles):
            slope *= windows.inside
            moved += (_sums(left * slope) / _sums(slope * slope)) ** 2
        self.kept[chosen] = kept
        size = np.abs(kept)
        self.shift[chosen] = np.divide(np.sqrt(moved), size, out=np.full_like(size, np.inf),
                                       where=size > 0)  # fmt: skip

    def widening(self, chosen: NDArray[Any]) -> float:
        """Return how much wider objects have become together; NaN where little is left of them."""
        answers, norms = self.answers[chosen].sum(axis=0), self.norms[chosen].sum(axis=0)
        if not (norms > 0).all() or np.ptp(norms) == 0:
            return float("nan")
        likeness = np.sign(answers) * answers**2 / norms
        best = int(np.argmax(likeness))
        if likeness[best] <= 0:
            return float("nan")
        best = min(max(best, 1), len(_SCALES) - 2)
        low, middle, high = likeness[best - 1 : best + 2]
        curve = low - 2 * middle + high
        step = np.clip((low - high) / (2 * curve), -1.0, 1.0) if curve < 0 else np.sign(high - low)
        return float(_SCALES[best] * (_SCALES[1] / _SCALES[0]) ** step)


def _slopes(shape: Shape, windows: Windows, angles: NDArray[Any]) -> list[NDArray[np.float64]]:
    """Return the derivatives along which an object can move: across it, or along each axis."""
    offsets = windows.offsets
    if not shape.between_pixels:
        made = shape.values(offsets, angles)
        return [np.gradient(made, axis=axis) for axis in range(1, made.ndim)]
    if shape.circle:
        ways = [[0.0] * (len(offsets) - 2) + [np.cos(angles), -np.sin(angles)]]
    else:
        ways = [[float(a == b) for b in range(len(offsets))] for a in range(len(offsets))]
    found = []
    for way in ways:
        ahead = [d + _STEP * w for d, w in zip(offsets, way, strict=True)]
        behind = [d - _STEP * w for d, w in zip(offsets, way, strict=True)]
        after, before = shape.values(ahead, angles), shape.values(behind, angles)
        found.append((after - before) / (2 * _STEP))
    return found


def _sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values.reshape(len(values), -1).sum(axis=1))
