"""What every measure of a step is: a component that gives a number to what a step made."""

from __future__ import annotations

import abc
import dataclasses
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from napari_diffusion.core.component import Component

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid
    from napari_diffusion.estimate import NoiseModel

Probe = Literal["", "perturbed", "masked"]
Knowledge = Literal["", "sigma", "model"]


@dataclass(frozen=True)
class Score:
    """What a metric says of one step.

    Attributes
    ----------
    value : float
        In the metric's unit; NaN where it cannot be said.
    valid : bool
        Whether what the metric assumes holds for this image; else it has no vote.
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
        The image before the first step, and after this one.
    grid : Grid
        Axes and lengths, the extent of the whole image, and where the arrays begin in it.
    mask : ndarray of bool or None
        Where the image may change; nothing else is measured.
    noise_sigma : float or tuple of float
        Standard deviation of the noise of the source, measured or given; or that of each channel.
    white : bool
        Whether that noise is credibly white and alike everywhere.
    models : tuple of NoiseModel
        What was measured of the noise of each channel; empty where nothing was.
    reference : ndarray or None
        The ground truth, where it is known.
    probed : ndarray or None
        What the same step made of the changed source that the metric asks for.
    probe : ndarray or None
        That change: ± the step size per pixel, or True where pixels were hidden.
    again : tuple of two ndarray or None
        Another such pair of probed and probe, for small images.
    halves : tuple of two View or None
        The same step of two independent images of the same thing, each with its own source.
    known : dict
        What metrics have found out about source, mask, reference and noise; the views of all steps
        of a run may share one.
    """

    source: NDArray[Any]
    image: NDArray[Any]
    grid: Grid
    mask: NDArray[np.bool_] | None = None
    noise_sigma: float | tuple[float, ...] = 0.0
    white: bool = True
    models: tuple[NoiseModel, ...] = ()
    reference: NDArray[Any] | None = None
    probed: NDArray[Any] | None = None
    probe: NDArray[Any] | None = None
    again: tuple[NDArray[Any], NDArray[Any]] | None = None
    halves: tuple[View, View] | None = None
    known: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def sigma(self) -> float:
        """Standard deviation of the noise over all channels."""
        return float(np.sqrt(np.mean(np.square(self.noise_sigma))))

    def channel(self, c: int) -> View:
        """Return the pixels of one channel."""
        here = (slice(None), slice(c, c + 1))
        arrays = ("source", "image", "mask", "reference", "probed", "probe")
        found = {name: getattr(self, name) for name in arrays}
        cut: dict[str, Any] = {
            name: None if each is None else each[here] for name, each in found.items()
        }
        if self.again is not None:
            cut["again"] = self.again[0][here], self.again[1][here]
        known = self.once(("channel", c), dict)
        return dataclasses.replace(self, **cut, halves=None, known=known)

    def once(self, name: Any, find: Callable[[], Any]) -> Any:
        """Return what is the same for every step; found at the first one."""
        if name not in self.known:
            self.known[name] = find()
        return self.known[name]

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
class Metric(Component, abc.ABC):
    """One measure of what a step did, a number per step that makes a curve.

    Attributes
    ----------
    unit : str
        Unit of its numbers: ``"intensity"``, ``"intensity²"``, ``"dB"``, …; empty for a pure one.
    better : {"lower", "higher", ""}
        Which way is good; empty where it only describes and has no vote.
    probe : {"", "perturbed", "masked"}
        The second run that it needs: of the source plus or minus a very small number at every
        pixel, or of the source with some pixels hidden.
    needs_reference : bool
        Whether it compares with the ground truth.
    needs_halves : bool
        Whether it compares the same step of two independent images of the same thing.
    needs_noise : {"", "sigma", "model"}
        What it must know of the noise of the source: nothing, how strong it is, or all that
        `estimate.noise_model` measures. What no metric needs is not measured.
    """

    slot: ClassVar[str] = "metric"
    unit: ClassVar[str] = ""
    better: ClassVar[Literal["lower", "higher", ""]] = ""
    probe: ClassVar[Probe] = ""
    needs_reference: ClassVar[bool] = False
    needs_halves: ClassVar[bool] = False
    needs_noise: ClassVar[Knowledge] = ""

    @abc.abstractmethod
    def value(self, view: View) -> float:
        """Return the number of one step."""

    def doubt(self, view: View) -> str:
        """Return what this metric assumes and this image does not have, empty if nothing."""
        del view
        return ""

    def score(self, view: View) -> Score:
        """Return the number of one step, and whether it may be believed."""
        if self.needs_reference and view.reference is None:
            return Score(math.nan, False, f"{type(self).__name__} needs a reference.")
        if self.needs_halves and view.halves is None:
            return Score(
                math.nan,
                False,
                f"{type(self).__name__} needs a second image of the same thing: second=… or "
                "halves='frames'.",
            )
        doubt = self.doubt(view)
        return Score(self.value(view), not doubt, doubt)


@dataclass(frozen=True)
class Moments:
    """Sums over the pixels inside the mask of d = a − b and e = b less a constant."""

    count: float
    d: float
    dd: float
    e: float
    ee: float
    de: float

    @classmethod
    def of(cls, view: View, a: NDArray[Any], b: NDArray[Any]) -> Moments:
        """Return those of two arrays of a view's shape."""
        from napari_diffusion.metrics.statistics.sums import moments

        out = np.zeros(6)
        flat = [np.ascontiguousarray(each, view.image.dtype).ravel() for each in (a, b)]
        moments(*flat, flat_mask(view), out)
        return cls(*(float(each) for each in out))

    @property
    def mean_square(self) -> float:
        """Mean of d²."""
        return self.dd / self.count if self.count else math.nan

    @property
    def std(self) -> float:
        """Standard deviation of d."""
        if not self.count:
            return math.nan
        return math.sqrt(max(self.dd - self.d**2 / self.count, 0.0) / self.count)


def flat_mask(view: View) -> NDArray[np.bool_]:
    """Return the mask as kernels take it: flat, and empty where there is none."""
    return np.zeros(0, bool) if view.mask is None else np.ascontiguousarray(view.mask).ravel()


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
