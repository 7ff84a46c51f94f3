"""What every measure of a step is: a member that gives a number to what a step made."""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from napari_diffusion.member import Member

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.grid import Grid

Probe = Literal["", "perturbed", "masked"]


@dataclass(frozen=True)
class Score:
    """What a metric says of one step.

    Attributes
    ----------
    value : float
        In the metric's unit; NaN where it cannot be said.
    valid : bool
        Whether what the metric assumes holds for this picture; else it has no vote.
    why : str
        What does not hold, in one sentence.
    """

    value: float
    valid: bool = True
    why: str = ""


@dataclass(frozen=True, eq=False)
class View:
    """One step, and what it can be compared with; arrays are canonical and equally large.

    Attributes
    ----------
    source, image : ndarray
        The picture before the first step, and after this one.
    grid : Grid
        Axes and lengths.
    mask : ndarray of bool or None
        Where the picture may change; nothing else is measured.
    noise_sigma : float
        Standard deviation of the noise of the source, measured or given.
    white : bool
        Whether that noise is credibly white and alike everywhere.
    reference : ndarray or None
        The truth, where it is known.
    probed : ndarray or None
        What the same step made of the changed source that the metric asks for.
    probe : ndarray or None
        That change: ± the step size per sample, or True where samples were hidden.
    """

    source: NDArray[Any]
    image: NDArray[Any]
    grid: Grid
    mask: NDArray[np.bool_] | None = None
    noise_sigma: float = 0.0
    white: bool = True
    reference: NDArray[Any] | None = None
    probed: NDArray[Any] | None = None
    probe: NDArray[Any] | None = None

    def inside(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the values inside the mask, flat, in float64."""
        chosen = values.ravel() if self.mask is None else values[self.mask]
        return chosen.astype(np.float64)

    def mean(self, values: NDArray[Any]) -> float:
        """Return the mean inside the mask."""
        if self.mask is None:
            return float(values.mean(dtype=np.float64))
        return float(values[self.mask].mean(dtype=np.float64))


@dataclass(frozen=True)
class Metric(Member, abc.ABC):
    """One measure of what a step did, a number per step that makes a curve.

    Attributes
    ----------
    unit : str
        Unit of its numbers: ``"intensity"``, ``"intensity²"``, ``"dB"``, …; empty for a pure one.
    better : {"lower", "higher", ""}
        Which way is good; empty where it only describes and has no vote.
    probe : {"", "perturbed", "masked"}
        The second run that it needs: of the source plus or minus a very small number at every
        sample, or of the source with some samples hidden.
    needs_reference : bool
        Whether it compares with the truth.
    """

    slot: ClassVar[str] = "metric"
    unit: ClassVar[str] = ""
    better: ClassVar[Literal["lower", "higher", ""]] = ""
    probe: ClassVar[Probe] = ""
    needs_reference: ClassVar[bool] = False

    @abc.abstractmethod
    def value(self, view: View) -> float:
        """Return the number of one step."""

    def doubt(self, view: View) -> str:
        """Return what this metric assumes and this picture does not have, empty if nothing."""
        del view
        return ""

    def score(self, view: View) -> Score:
        """Return the number of one step, and whether it may be believed."""
        if self.needs_reference and view.reference is None:
            return Score(math.nan, False, f"{type(self).__name__} needs a reference.")
        doubt = self.doubt(view)
        return Score(self.value(view), not doubt, doubt)


def neighbours(values: NDArray[Any], grid: Grid) -> list[tuple[int, NDArray[Any], NDArray[Any]]]:
    """Return (axis, lower, upper) of every pair of neighbours along the axes that diffuse."""
    pairs = []
    for axis in grid.along_axes:
        if values.shape[axis] < 2:
            continue
        low: list[Any] = [slice(None)] * 5
        high: list[Any] = [slice(None)] * 5
        low[axis], high[axis] = slice(0, -1), slice(1, None)
        pairs.append((axis, values[tuple(low)], values[tuple(high)]))
    return pairs
