"""What was measured of all objects of one shape and contrast."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.analysis.survival.detection_limit import DetectionLimit, detection_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.analysis.survival.kept import Remains
    from napari_diffusion.analysis.survival.plan import SurvivalPlan

# Of objects with less contrast left no shift is measured.
_LITTLE = 0.05

# Quantile of the normal distribution for intervals of 95 %.
_NORMAL = 1.959964


@dataclass(frozen=True)
class SurvivalCell:
    """What was measured of all objects of one shape and contrast.

    Attributes
    ----------
    kind : str
        "spot", "line", "edge" or "patch".
    size : float
        Radius in pixels.
    contrast : float
        Multiple of the standard deviation of the noise around an object.
    intensity : float
        The same in intensity units, on average.
    count : int
        How many objects.
    kept : float
        Mean share of their contrast that is kept.
    kept_error : float
        Standard error of that mean.
    widening : float
        How much wider they are, as a factor; NaN where little is left, and for patches.
    shift : float
        Median distance in pixels by which the found ones moved; NaN if none was found.
    lost : float
        Share that the detector misses.
    lost_interval : tuple of two float
        The 95 % interval of that share, by Wilson's formula.
    """

    kind: str
    size: float
    contrast: float
    intensity: float
    count: int
    kept: float
    kept_error: float
    widening: float
    shift: float
    lost: float
    lost_interval: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; None for NaN."""
        plain = dataclasses.asdict(self)
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in plain.items()
        } | {"lost_interval": list(self.lost_interval)}


def cells_of(
    plan: SurvivalPlan, remains: Remains, found: NDArray[np.bool_], chosen: NDArray[np.bool_]
) -> tuple[SurvivalCell, ...]:
    """Return the cells of some objects of a plan, by shape and contrast; none without objects."""
    made = []
    for k, shape in enumerate(plan.shapes):
        for c, contrast in enumerate(plan.contrasts):
            these = np.flatnonzero(
                chosen & (plan.objects.shape == k) & (plan.objects.contrast == c)
            )
            if len(these):
                made.append(_cell(plan, remains, found, these, shape.kind, shape.size, contrast))
    return tuple(made)


def _cell(
    plan: SurvivalPlan,
    remains: Remains,
    found: NDArray[np.bool_],
    these: NDArray[np.int64],
    kind: str,
    size: float,
    contrast: float,
) -> SurvivalCell:
    count, kept, hit = len(these), remains.kept[these], found[these]
    seen = these[hit & (kept > _LITTLE)]
    lost = 1 - float(hit.mean())
    return SurvivalCell(
        kind=kind,
        size=size,
        contrast=contrast,
        intensity=float(np.abs(plan.amplitudes[these]).mean()),
        count=count,
        kept=float(kept.mean()),
        kept_error=float(kept.std(ddof=1) / math.sqrt(count)) if count > 1 else float("nan"),
        widening=remains.widening(these) if kept.mean() > _LITTLE else float("nan"),
        shift=float(np.median(remains.shift[seen])) if len(seen) else float("nan"),
        lost=lost,
        lost_interval=wilson(lost, count),
    )


def wilson(share: float, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of so many, by Wilson's formula."""
    squared = _NORMAL**2 / count
    middle = share + squared / 2
    half = _NORMAL * math.sqrt(share * (1 - share) / count + squared / (4 * count))
    low, high = (middle - half) / (1 + squared), (middle + half) / (1 + squared)
    return max(low, 0.0), min(high, 1.0)


def limits_of(
    plan: SurvivalPlan, found: NDArray[np.bool_], chosen: NDArray[np.bool_]
) -> tuple[DetectionLimit, ...]:
    """Return the limits of detection of some objects of a plan."""
    made: list[DetectionLimit] = []
    contrasts = np.asarray(plan.contrasts)[plan.objects.contrast]
    for k, shape in enumerate(plan.shapes):
        these = chosen & (plan.objects.shape == k)
        if these.any():
            made += detection_limits(shape.kind, shape.size, contrasts[these], found[these])
    return tuple(made)
