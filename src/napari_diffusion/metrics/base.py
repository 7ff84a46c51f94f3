"""The base class of metrics: a component that assigns a number to a step."""

from __future__ import annotations

import abc
import dataclasses
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

import numpy as np

from napari_diffusion.core.component import Component

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid
    from napari_diffusion.estimate import NoiseModel

T = TypeVar("T", bound=np.generic)
Found = TypeVar("Found")

Probe = Literal["", "perturbed", "masked"]
Knowledge = Literal["", "sigma", "model"]


@dataclass(frozen=True)
class Score:
    """The value of a metric for one step.

    Attributes
    ----------
    value : float
        In the unit of the metric; NaN where it is unknown.
    valid : bool
        Whether the assumptions of the metric hold for this image; otherwise the metric is excluded
        from the recommendation.
    why : str
        The assumption that does not hold, in one sentence.
    """

    value: float
    valid: bool = True
    why: str = ""


@dataclass(frozen=True, eq=False)
class View:
    """One step and what it can be compared with; all arrays are canonical and of the same shape.

    Attributes
    ----------
    source, image : ndarray
        The image before the first step, and after this one.
    grid : Grid
        Axes and pixel sizes, the extent of the whole image, and the origin of the arrays in it.
    mask : ndarray of bool or None
        Where the image may change; only these pixels are measured.
    noise_sigma : float or tuple of float
        Standard deviation of the noise of the source, measured or given; one per channel if many.
        Of a map the root mean square.
    white : bool
        Whether that noise is credibly white and equally strong everywhere; with a map, once the
        image is divided by it.
    models : tuple of NoiseModel
        The measured noise model of each channel; empty where nothing was measured.
    reference : ndarray or None
        The ground truth, where it is known.
    probed : ndarray or None
        The result of the same step for the modified source that the metric needs.
    probe : ndarray or None
        That modification: ± the step size per pixel, or True where pixels were hidden.
    again : tuple of two ndarray or None
        A second pair of probed and probe, for small images.
    halves : tuple of two View or None
        The same step of two independent acquisitions, each with its own source.
    noise_map : ndarray or None
        Standard deviation of the noise of the source at each pixel, where that is known.
    known : dict
        Cached results about the source, mask, reference and noise; the views of all steps of a run
        may share it.
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
    noise_map: NDArray[Any] | None = None
    known: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    @property
    def sigma(self) -> float:
        """Standard deviation of the noise over all channels."""
        return float(np.sqrt(np.mean(np.square(self.noise_sigma))))

    def channel(self, c: int) -> View:
        """Return the pixels of one channel."""
        here = (slice(None), slice(c, c + 1))

        def cut(values: NDArray[T] | None) -> NDArray[T] | None:
            return None if values is None else values[here]

        known: dict[Hashable, Any] = self.once(("channel", c), dict)
        return dataclasses.replace(
            self,
            source=self.source[here],
            image=self.image[here],
            mask=cut(self.mask),
            reference=cut(self.reference),
            probed=cut(self.probed),
            probe=cut(self.probe),
            again=None if self.again is None else (self.again[0][here], self.again[1][here]),
            halves=None,
            noise_map=cut(self.noise_map),
            known=known,
        )

    def once(self, name: Hashable, find: Callable[[], Found]) -> Found:
        """Return a result that is the same for every step; computed at the first one."""
        if name not in self.known:
            self.known[name] = find()
        found: Found = self.known[name]
        return found

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
    """A measure of a step: one number per step, which makes a curve over the run.

    Attributes
    ----------
    unit : str
        Unit of the value: ``"intensity"``, ``"intensity²"``, ``"dB"``, …; empty for a pure number.
    better : {"lower", "higher", ""}
        Which direction is better; empty for a metric that only describes the image.
    probe : {"", "perturbed", "masked"}
        The second run that it needs: of the source plus or minus a very small number at every
        pixel, or of the source with some pixels hidden.
    needs_reference : bool
        It compares with the ground truth.
    needs_halves : bool
        It compares the same step of two independent acquisitions.
    needs_noise : {"", "sigma", "model"}
        What it needs of the noise of the source: nothing, the standard deviation, or all that
        `estimate.noise_model` measures. Nothing is measured that no metric needs.
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
        """Return the value of one step."""

    def doubt(self, view: View) -> str:
        """Return which assumption of the metric fails on this image, or nothing."""
        del view
        return ""

    def score(self, view: View) -> Score:
        """Return the value of one step, and whether it is valid."""
        if self.needs_reference and view.reference is None:
            return Score(math.nan, False, f"{self.display_name} needs a reference.")
        if self.needs_halves and view.halves is None:
            return Score(
                math.nan,
                False,
                f"{self.display_name} needs an independent acquisition: use second=… or "
                "halves='frames'.",
            )
        doubt = self.doubt(view)
        return Score(self.value(view), not doubt, doubt)


@dataclass(frozen=True)
class Moments:
    """Sums over the pixels inside the mask of d = a − b and e = b minus a constant."""

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
    """Return (axis, lower, upper) of every pair of neighbours along the axes in `along`."""
    pairs = []
    for axis in grid.along_axes:
        if values.shape[axis] < 2:
            continue
        low, high = [slice(None)] * 5, [slice(None)] * 5
        low[axis], high[axis] = slice(0, -1), slice(1, None)
        pairs.append((axis, values[tuple(low)], values[tuple(high)]))
    return pairs
