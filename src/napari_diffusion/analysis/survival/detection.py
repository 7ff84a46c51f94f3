"""Which objects are found, at the threshold that gives so many false ones in blanks."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.analysis.survival.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_diffusion.analysis.survival.objects import Shape
    from napari_diffusion.analysis.survival.plan import Objects, SurvivalPlan

# So many of the highest peaks of blanks show how the peaks get rarer.
_PEAKS = 50

# Pixels in a megapixel.
MEGAPIXEL = 1e6


@dataclass(frozen=True, eq=False)
class Nulls:
    """Results of the recipe on blanks, and what is found in them.

    Attributes
    ----------
    results : list of (int, ndarray)
        The region of each blank, and the result minus the intensity of the blank; one channel for
        RGB images.
    mask : ndarray of bool or None
        Pixels that count.
    false_rate : float
        False objects per megapixel.
    """

    false_rate: float
    mask: NDArray[np.bool_] | None = None
    results: list[tuple[int, NDArray[Any]]] = field(default_factory=list)

    def of(self, region: int, run: int) -> NDArray[Any]:
        """Return the result of a blank of a region, another one in each run."""
        found = [values for k, values in self.results if k == region]
        return found[run % len(found)]

    def threshold(self, shape: Shape, region: int, object_axes: Sequence[int], dark: bool) -> float:
        """Return the score above which there are `false_rate` peaks per megapixel.

        The highest peaks s of blanks are counted; their squares s² get rarer exponentially, as
        those of Gaussian noise do: ``T² = s_k² + m · ln(k / expected)``, m the mean excess of the k
        highest over s_k².
        """
        peaks, pixels = [], 0
        for k, values in self.results:
            if k == region:
                peaks.append(_peaks(values, shape, object_axes, dark, self.mask))
                pixels += values.size if self.mask is None else int(self.mask.sum())
        return tail_threshold(np.concatenate(peaks), self.false_rate * pixels / MEGAPIXEL)


def tail_threshold(peaks: NDArray[np.float64], expected: float) -> float:
    """Return the height that so many of the peaks exceed, from how the highest get rarer."""
    squares = np.sort(peaks[peaks > 0] ** 2)[::-1]
    if len(squares) < 2:
        return 0.0
    count = min(max(_PEAKS, math.ceil(2 * expected)), len(squares) - 1)
    least = squares[count]
    excess = float(np.mean(squares[:count] - least))
    return math.sqrt(max(least + excess * math.log(count / expected), 0.0))


def scores(
    plan: SurvivalPlan,
    shape: Shape,
    some: Objects,
    difference: NDArray[Any],
    nulls: Nulls,
    run: int,
) -> NDArray[np.float64]:
    """Return the highest score within the tolerance of each object's place.

    What is searched is the difference plus the result of a blank at the same place, scaled to the
    noise there.
    """
    kernels = shape.kernels(len(plan.object_axes))
    half = max(max(kernel.shape) // 2 for kernel in kernels) + shape.tolerance
    found = np.empty(len(some.run))
    for region in np.unique(some.region):
        chosen = some.region == region
        ratio = some.sigma[chosen] / plan.noise.sigma_in(int(region))
        windows = Windows.of(some.place[chosen], difference.shape, plan.object_axes, half)
        ratio = ratio.reshape((-1,) + (1,) * len(plan.object_axes))
        null = windows.of_values(nulls.of(int(region), run)) * ratio
        searched = windows.of_values(difference) * windows.inside + null
        found[chosen] = _highest(searched * (-1.0 if plan.dark else 1.0), kernels)
    return found


def _highest(
    searched: NDArray[np.float64], kernels: Sequence[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Return the highest score of each window, over all kernels and the places within it."""
    from scipy.signal import oaconvolve

    axes = tuple(range(1, searched.ndim))
    best = np.full(len(searched), -np.inf)
    for kernel in kernels:
        flipped = kernel[(None, *[slice(None, None, -1)] * kernel.ndim)]
        score = oaconvolve(searched, flipped, mode="valid", axes=axes)
        best = np.maximum(best, score.reshape(len(searched), -1).max(axis=1))
    return best


def _peaks(
    values: NDArray[Any],
    shape: Shape,
    object_axes: Sequence[int],
    dark: bool,
    mask: NDArray[np.bool_] | None,
) -> NDArray[np.float64]:
    """Return the heights of all peaks of the score."""
    from scipy.ndimage import maximum_filter
    from scipy.signal import oaconvolve

    signed = values.astype(np.float64) * (-1.0 if dark else 1.0)
    best = np.full(values.shape, -np.inf)
    others = [axis for axis in range(values.ndim) if axis not in object_axes]
    for kernel in shape.kernels(len(object_axes)):
        flipped = np.expand_dims(kernel[(slice(None, None, -1),) * kernel.ndim], others)
        made = oaconvolve(signed, flipped, mode="same", axes=tuple(object_axes))
        best = np.maximum(best, made)
    size = [2 * shape.tolerance + 1 if axis in object_axes else 1 for axis in range(values.ndim)]
    peaks = best == maximum_filter(best, size)
    return np.asarray(best[peaks if mask is None else peaks & mask])
