"""Whether a step that was made again has the same bits as the one that was saved."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.runs.verification.replay import Values
    from napari_diffusion.runs.verification.step_values import StepValues

# What another processor or version may change, as a share of the range of the step.
_SHARES = {2: 1e-2, 4: 1e-5, 8: 1e-10}

# Rounded values may fall to the other side.
_GREY_LEVELS = 1.0


@dataclass(frozen=True)
class Difference:
    """How a step that was made again differs from the one that was saved.

    Attributes
    ----------
    where : str
        The first part that differs, such as "chunk (0, 2, 1)"; empty if the step has one part.
    parts : int
        How many parts differ.
    greatest : float
        The greatest difference of two values; infinite where one of them is no number.
    tolerance : float
        The greatest difference that another processor or version may make.
    tolerance_words : str
        The tolerance, for a sentence.
    """

    where: str
    parts: int
    greatest: float
    tolerance: float
    tolerance_words: str

    @property
    def within(self) -> bool:
        """Whether another processor or version explains the difference."""
        return self.greatest <= self.tolerance


def difference(saved: StepValues, made: Values) -> Difference | None:
    """Compare a step part by part, so that neither is in memory whole.

    Parameters
    ----------
    saved : StepValues
        What is stored.
    made : ndarray or dask array
        What was made again, of the same shape and type.

    Returns
    -------
    Difference or None
        None if all bits are the same.
    """
    where, parts, greatest = "", 0, 0.0
    low, high = math.inf, -math.inf
    for name, region in saved.regions():
        again = np.ascontiguousarray(made[region])
        low, high = _widened(again, low, high)
        before = np.ascontiguousarray(saved[region])
        if before.tobytes() == again.tobytes():
            continue
        where, parts = where if parts else name, parts + 1
        greatest = max(greatest, _greatest(before, again))
    if not parts:
        return None
    if made.dtype.kind != "f":
        return Difference(where, parts, greatest, _GREY_LEVELS, "one grey level")
    share = _SHARES.get(made.dtype.itemsize, 0.0)
    tolerance = share * max(high - low, 0.0)
    return Difference(where, parts, greatest, tolerance, f"{share:g} of the range of the step")


def _widened(values: NDArray[Any], low: float, high: float) -> tuple[float, float]:
    if values.dtype.kind != "f":
        return low, high
    finite = values[np.isfinite(values)]
    return (
        (min(low, float(finite.min())), max(high, float(finite.max())))
        if finite.size
        else (
            low,
            high,
        )
    )


def _greatest(before: NDArray[Any], again: NDArray[Any]) -> float:
    """Return the greatest difference; infinity where only one of two values is a number."""
    if before.dtype.kind == "f":
        apart = np.isfinite(before) != np.isfinite(again)
        unlike = ~np.isfinite(before) & (np.isnan(before) != np.isnan(again))
        if apart.any() or unlike.any():
            return math.inf
        both = np.isfinite(before)
        before, again = before[both], again[both]
    if before.dtype.kind in "iu" and before.dtype.itemsize == 8:
        before, again = before.astype(object), again.astype(object)
        return float(np.abs(before - again).max())
    return float(np.abs(before.astype(np.float64) - again.astype(np.float64)).max(initial=0.0))
