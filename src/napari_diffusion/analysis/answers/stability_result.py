"""How stable a measurement is over steps, seeds and parameters, in numbers and sentences."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from napari_diffusion.analysis.answers.plateau import FEWEST
from napari_diffusion.analysis.study_result import StudyResult
from napari_diffusion.core.results import ResultTable

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class ParameterEffect:
    """How one number of the measurement changes with one parameter of the recipe.

    Attributes
    ----------
    name : str
        The parameter.
    number : str
        The number.
    value : float
        Of the parameter in the recipe.
    low, high : float
        The smaller and the larger value that was tried; NaN where there is none.
    answer, answer_low, answer_high : float
        The number with these three.
    step : int
        The step that was measured.
    """

    name: str
    number: str
    value: float
    low: float
    high: float
    answer: float
    answer_low: float
    answer_high: float
    step: int

    @property
    def relative_change(self) -> float:
        """The greater of both changes of the number, by the number; infinite from 0 on."""
        changes = [abs(each - self.answer) for each in (self.answer_low, self.answer_high)]
        known = [each for each in changes if math.isfinite(each)]
        if not known or not math.isfinite(self.answer):
            return math.nan
        largest = max(known)
        return largest / abs(self.answer) if self.answer else math.inf * largest if largest else 0.0

    @property
    def elasticity(self) -> float:
        """Relative change of the number by that of the parameter: 1 where they are proportional."""
        ends = [
            (value, answer)
            for value, answer in (
                (self.low, self.answer_low),
                (self.value, self.answer),
                (self.high, self.answer_high),
            )
            if math.isfinite(value) and math.isfinite(answer)
        ]
        if len(ends) < 2 or not self.answer or not self.value:
            return math.nan
        (low, answer_low), (high, answer_high) = ends[0], ends[-1]
        return (answer_high - answer_low) / self.answer / ((high - low) / self.value)


@dataclass(frozen=True, eq=False)
class Stability(StudyResult):
    """A measurement over the steps and seeds of a recipe, and with its parameters changed.

    Attributes
    ----------
    measurement : str
        What it is called.
    names : tuple of str
        The numbers that it gives.
    seeds : tuple of int
        Random seeds that were run.
    answers : ndarray
        (numbers, 1 + steps, seeds): of the source, and of each step; NaN where there is none.
    by_parameter : tuple of ParameterEffect
        The strongest first, at the recommended step, or the last one.
    unchanged : tuple of str
        Parameters that were to be changed, but are 0 or refuse it.
    stable : tuple of two int or None
        First and last step of the longest plateau of all numbers.
    tolerance, change : float
        Shares: how far from its middle a plateau may be, and by how much parameters were changed.
    """

    title: ClassVar[str] = "Stability of the answer"

    measurement: str
    names: tuple[str, ...]
    seeds: tuple[int, ...]
    answers: NDArray[np.float64]
    by_parameter: tuple[ParameterEffect, ...]
    unchanged: tuple[str, ...]
    stable: tuple[int, int] | None
    tolerance: float
    change: float

    @property
    def values(self) -> NDArray[np.float64]:
        """The first number: (1 + steps, seeds), the source first."""
        return self.answers[0]

    @property
    def recommended(self) -> int | None:
        """The step in the middle of the plateau, the earlier of two; None without one."""
        return None if self.stable is None else sum(self.stable) // 2

    @property
    def means(self) -> NDArray[np.float64]:
        """Mean over the seeds, (numbers, 1 + steps); NaN where a seed has no answer."""
        return np.asarray(self.answers.mean(axis=2))

    @property
    def deviations(self) -> NDArray[np.float64]:
        """Standard deviation over the seeds, as `means`; 0 for one seed."""
        return deviations_of(self.answers)

    def sentences(self) -> tuple[str, ...]:
        """Return where the measurement is stable, where it drifts, and what it depends on."""
        return (self._where(), *map(self._drift, range(len(self.names))), *self._parameters())

    def limits(self) -> tuple[str, ...]:
        """Return what was tried, and what does not follow from it."""
        seeds = (
            f"Tried with {len(self.seeds)} random seeds"
            if len(self.seeds) > 1
            else "Tried with one run, because the recipe has no random noise or one seed was asked"
        )
        return (
            f"{seeds}, and with one parameter at a time {self.change:.0%} larger and smaller.",
            "An answer that does not change is not thereby right: what all steps share, such as "
            "the noise and the blur of the image itself, is not seen here.",
        )

    def tables(self) -> tuple[ResultTable, ...]:
        """Return the numbers at each step, and what they depend on."""
        columns = [f"{name}{part}" for name in self.names for part in ("", ", sd over seeds")]
        rows = tuple(
            (
                step - 1,
                *np.stack([self.means[:, step], self.deviations[:, step]], 1).ravel().tolist(),
            )
            for step in range(self.answers.shape[1])
        )
        steps = ResultTable(f"{self.measurement} over the steps", ("step", *columns), rows)
        effects = ResultTable(
            "What it depends on",
            ("parameter", "number", "value", "answer", "smaller value", "answer at smaller",
             "larger value", "answer at larger", "relative change", "elasticity"),
            tuple(
                (e.name, e.number, e.value, e.answer, e.low, e.answer_low, e.high,
                 e.answer_high, e.relative_change, e.elasticity)
                for e in self.by_parameter
            ),
        )  # fmt: skip
        return (steps, effects) if self.by_parameter else (steps,)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers and sentences."""
        return {
            "title": self.title,
            "recipe": self.recipe.to_dict(),
            "step": self.step,
            "measurement": self.measurement,
            "names": list(self.names),
            "seeds": list(self.seeds),
            "answers": [[list(map(_known, one)) for one in number] for number in self.answers],
            "stable": None if self.stable is None else list(self.stable),
            "recommended": self.recommended,
            "tolerance": self.tolerance,
            "change": self.change,
            "by_parameter": [
                {k: _known(v) for k, v in dataclasses.asdict(each).items()}
                | {
                    "relative_change": _known(each.relative_change),
                    "elasticity": _known(each.elasticity),
                }
                for each in self.by_parameter
            ],
            "unchanged": list(self.unchanged),
            "sentences": list(self.sentences()),
            "limits": list(self.limits()),
        }

    def _where(self) -> str:
        steps = self.answers.shape[1] - 1
        if self.stable is None:
            few = f" (there are {steps})" if steps < FEWEST else ""
            return (
                f"{self.measurement} is stable over no {FEWEST} steps in a row{few}, so no step is "
                "recommended for it."
            )
        seeds = " or 2 standard deviations over the seeds" if len(self.seeds) > 1 else ""
        return (
            f"{self.measurement} is stable from step {self.stable[0]} to step {self.stable[1]}, "
            f"within {self.tolerance:.0%}{seeds}: take step {self.recommended}, in the middle."
        )

    def _drift(self, k: int) -> str:
        """Return how one number goes from the source over the plateau to the last step."""
        means, deviations = self.means[k], self.deviations[k]
        places = {0: "in the source", 1: "after step 0", len(means) - 1: f"after step {self.step}"}
        if self.stable is not None:
            first, last = self.stable
            places |= {first + 1: f"at the start of the plateau, step {first},"}
            places |= {last + 1: f"at its end, step {last},"}
        told = ", ".join(f"{means[at]:.4g} {places[at].rstrip(',')}" for at in sorted(places))
        at = len(means) - 1 if self.recommended is None else self.recommended + 1
        spread = (
            f"; its standard deviation over the seeds is {deviations[at]:.3g} at step {at - 1}"
            if len(self.seeds) > 1
            else ""
        )
        unknown = np.flatnonzero(~np.isfinite(means)) - 1
        missing = (
            f" It has no answer at step {', '.join(map(str, unknown))} (−1 is the source)."
            if unknown.size
            else ""
        )
        return f"{self.names[k].capitalize()}: {told}{spread}.{missing}"

    def _parameters(self) -> tuple[str, ...]:
        if not self.by_parameter:
            return ()
        strong = [e for e in self.by_parameter if e.relative_change > self.tolerance][:3]
        words = "It depends most on " + ", ".join(map(_effect, strong))
        if not strong:
            words = f"No parameter changes it by more than {self.tolerance:.0%}"
        at = self.by_parameter[0].step
        return (
            f"{words}, when each is {self.change:.0%} larger or smaller (whole numbers by 1 or "
            f"more), at step {at}.",
        )


def _effect(effect: ParameterEffect) -> str:
    change = effect.relative_change
    words = f"changes by {change:.0%}" if math.isfinite(change) else "is 0, and is not then"
    return f"{effect.name} ({effect.number} {words})"


def deviations_of(answers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard deviation over the last axis, with Bessel's correction; 0 for one."""
    count = answers.shape[-1]
    if count < 2:
        return np.zeros(answers.shape[:-1])
    return np.asarray(answers.std(axis=-1, ddof=1))


def _known(value: Any) -> Any:
    """Return None for what is no finite number."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
