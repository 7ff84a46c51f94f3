"""What a null test found: steps of pure noise, in numbers and sentences."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from napari_diffusion.analysis.null.step_statistics import EXCURSION, NullStep
from napari_diffusion.analysis.study_result import StudyResult
from napari_diffusion.core.results import ResultMap, ResultTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.analysis.detectors import Detector

_CURE = (
    "Do not rely on the numbers below: mark a region without objects as the background, or "
    "measure the noise on repeated frames."
)


@dataclass(frozen=True, eq=False)
class NullTest(StudyResult):
    """What a recipe makes of noise without objects.

    Attributes
    ----------
    steps : tuple of NullStep
        The noise itself, of index −1, and each step.
    background_steps : tuple of NullStep
        The same for the background region of the image itself; empty without one.
    why : str
        What speaks against the image having the noise that was simulated; empty where nothing does.
    levels : tuple of float
        Intensity of the blanks, of each channel.
    count : int
        How many blanks were run.
    shape : tuple of int
        Their size in pixels, in the axes of the image.
    detector : Detector
        What looked for objects.
    unit : str
        "megapixel", or "megavoxel" where the filter acts along three axes.
    example : ndarray
        One blank after the last step, in the axes of the image.
    """

    title: ClassVar[str] = "Null test"

    steps: tuple[NullStep, ...]
    background_steps: tuple[NullStep, ...]
    why: str
    levels: tuple[float, ...]
    count: int
    shape: tuple[int, ...]
    detector: Detector
    unit: str
    example: NDArray[Any]
    _shown: NDArray[Any] = field(repr=False)

    @property
    def fits(self) -> bool:
        """Whether nothing speaks against the image having the noise that was simulated."""
        return not self.why

    def sentences(self) -> tuple[str, ...]:
        """Return what was found, the most important first."""
        return _sentences(self)

    def limits(self) -> tuple[str, ...]:
        """Return what was tried, and what does not follow from it."""
        return _limits(self)

    def tables(self) -> tuple[ResultTable, ...]:
        """Return the steps, and those of the background."""
        named = (("Pure noise", self.steps), ("Background of the image", self.background_steps))
        columns = (
            "step", "standard deviation (intensity)", "correlation length (pixels)",
            "false objects", f"area ({self.unit}s)", f"per {self.unit}", "95 % from", "to",
            "farthest (standard deviations)", "largest excursion (pixels)",
        )  # fmt: skip
        return tuple(
            ResultTable(title, columns, tuple(dataclasses.astuple(step) for step in listed))
            for title, listed in named
            if listed
        )

    def maps(self) -> tuple[ResultMap, ...]:
        """Return one blank after the last step, 4 standard deviations around its mean."""
        middle = float(np.mean(self._shown, dtype=np.float64))
        reach = 4 * (self.steps[-1].sd or self.steps[0].sd or 1.0)
        limits = (middle - reach, middle + reach)
        return (ResultMap("pure noise after the recipe", self._shown, "intensity", limits, True),)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers and sentences."""
        return {
            "title": self.title,
            "recipe": self.recipe.to_dict(),
            "step": self.step,
            "fits": self.fits,
            "why": self.why,
            "levels": list(self.levels),
            "blanks": self.count,
            "shape": list(self.shape),
            "detector": self.detector.in_words(),
            "unit": self.unit,
            "steps": [dataclasses.asdict(step) for step in self.steps],
            "background_steps": [dataclasses.asdict(step) for step in self.background_steps],
            "sentences": list(self.sentences()),
            "limits": list(self.limits()),
        }


def _sentences(test: NullTest) -> tuple[str, ...]:
    """Return what was found, the most important first."""
    before, after = test.steps[0], test.steps[-1]
    doubt = (
        () if test.fits else (f"The simulated noise does not fit the image. {test.why} {_CURE}",)
    )
    if before.sd == 0:
        return (*doubt, "No noise was found in the image, so there is nothing to test.")
    return (*doubt, _objects(test), _grain(before, after), _excursion(before, after),
            *_background(test))  # fmt: skip


def _objects(test: NullTest) -> str:
    before, after = test.steps[0], test.steps[-1]
    return (
        f"In pure noise {_rate(after)} false objects per {test.unit} were found after step "
        f"{after.index} (95 % interval {_interval(after)}), and {_rate(before)} before the first "
        f"step ({_interval(before)}); objects were {test.detector.in_words()}."
    )


def _grain(before: NullStep, after: NullStep) -> str:
    if after.sd == 0:
        return "Nothing is left of the noise."
    return (
        f"Of the noise's standard deviation, {before.sd:.3g}, {after.sd:.3g} is left "
        f"({after.sd / before.sd:.0%}), with a correlation length of "
        f"{after.correlation_length:.2g} pixels instead of {before.correlation_length:.2g}."
    )


def _excursion(before: NullStep, after: NullStep) -> str:
    distance = after.peak * after.sd
    return (
        f"The farthest value is {distance:.3g} from the mean: {after.peak:.2g} standard deviations "
        f"of what is left, {distance / before.sd:.2g} of the noise. The largest structure, "
        f"connected pixels beyond {EXCURSION:g} standard deviations, has {after.largest} pixels; "
        f"in the noise itself {before.largest}."
    )


def _background(test: NullTest) -> tuple[str, ...]:
    if not test.background_steps:
        return ()
    seen, expected = test.background_steps[-1], test.steps[-1]
    apart = seen.rate_low > expected.rate_high or seen.rate_high < expected.rate_low
    return (
        f"In the background of the image itself {_rate(seen)} per {test.unit} were found "
        f"({_interval(seen)}), "
        + ("which pure noise does not explain." if apart else "which agrees with pure noise."),
    )


def _limits(test: NullTest) -> tuple[str, ...]:
    """Return what was tried, and what does not follow from it."""
    size = " × ".join(str(each) for each in test.shape)
    levels = ", ".join(f"{each:.4g}" for each in test.levels)
    blanks = "1 blank" if test.count == 1 else f"{test.count} blanks"
    return (
        f"Tried on {blanks} of {size} pixels: noise as it was measured or given, at the intensity "
        f"of the background, {levels}, without objects, gradients or a fixed pattern.",
        "The intervals hold chance and, for a detector of your own, the standard errors of the "
        "noise and of the background's intensity as they were measured. Nothing follows for places "
        "beside objects, or for other intensities.",
    )


def _rate(step: NullStep) -> str:
    return f"{step.rate:.3g}" if math.isfinite(step.rate) else "no"


def _interval(step: NullStep) -> str:
    return f"{step.rate_low:.3g} to {step.rate_high:.3g}"
