"""Error against an independent acquisition."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from napari_diffusion.metrics.base import Metric, Moments, View

# The means of the halves differ by more than noise does, if bands agree on it so many times more
# than they scatter, and it is such a share of what one pixel differs by.
_BANDS, _TIMES, _SHARE = 16, 8.0, 0.2


@dataclass(frozen=True)
class HalfError(Metric):
    """Squared error of a step of one half against the raw other half.

    ``½ mean (u₁ − y₂)² + ½ mean (u₂ − y₁)²`` of two independent acquisitions y₁ and y₂ of the same
    scene, such as odd and even frames, and the results u₁ and u₂ of the step. Since the noise of
    the halves is independent, this is the true error plus the variance of the noise, a constant.

    Notes
    -----
    Use it wherever the same scene was acquired twice: the noise may be correlated, non-uniform or
    unknown. If the halves are frames, the error is that of a half. Not where the scene moved,
    bleached or shifted in between: all of that counts as noise, and the chosen step is too early;
    nor for halves interpolated from one image. Halves of different mean intensity are excluded from
    the recommendation; motion is not checked.

    References
    ----------
    Lehtinen and others (2018), Noise2Noise: Learning image restoration without clean data.
    """

    display_name: ClassVar[str] = "Half-set error"
    unit: ClassVar[str] = "intensity²"
    better: ClassVar[Literal["lower", "higher", ""]] = "lower"
    needs_halves: ClassVar[bool] = True

    def value(self, view: View) -> float:
        """Return the mean over both directions."""
        assert view.halves is not None
        one, other = view.halves
        there = Moments.of(one, one.image, other.source)
        back = Moments.of(one, other.image, one.source)
        return 0.5 * (there.mean_square + back.mean_square)

    def doubt(self, view: View) -> str:
        """Return why the halves are not independent acquisitions of one scene."""
        assert view.halves is not None
        one, other = view.halves
        if np.array_equal(one.source, other.source):
            return "Both halves are the same image."
        apart = float(view.once("means of the halves", lambda: _apart(one, other)))
        if apart:
            return (
                f"The means of the halves differ by {apart:.3g}, more than the noise explains: the "
                "illumination changed, or the sample bleached."
            )
        return ""


def _apart(one: View, other: View) -> float:
    """Return how far the means of two halves are apart, 0 where noise explains it."""
    shape = one.source.shape
    axis = shape.index(max(shape))
    means, squares, count = [], 0.0, 0
    for rows in np.array_split(np.arange(shape[axis]), min(_BANDS, shape[axis])):
        band = (slice(None),) * axis + (slice(int(rows[0]), int(rows[-1]) + 1),)
        change = one.source[band].astype(np.float64) - other.source[band]
        if one.mask is not None:
            change = change[one.mask[band]]
        if change.size:
            means.append(float(change.mean()))
            squares, count = squares + float(np.sum(change**2)), count + change.size
    if len(means) < _BANDS // 2:
        return 0.0
    apart = float(np.mean(means))
    scatter = float(np.std(means, ddof=1)) / math.sqrt(len(means))
    spread = math.sqrt(max(squares / count - apart**2, 0.0))
    return apart if abs(apart) > max(_TIMES * scatter, _SHARE * spread) else 0.0
