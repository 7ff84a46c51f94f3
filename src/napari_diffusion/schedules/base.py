"""The base class of schedules: a rule for the noise scale of the next step."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from napari_diffusion.core.component import Component

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLAIMS = ("tabulated", "relative", "monotone", "starts_itself")

# How the parameter that most schedules share is declared.
END = {
    "min": 0.0,
    "max": 1e6,
    "tooltip": "Noise scale of the last step as a fraction of the first.",
}
END_ABOVE_0 = {**END, "min": None, "above": 0.0}


@dataclass(frozen=True)
class Schedule(Component, abc.ABC):
    """The noise scale of every step, relative to that of the first.

    Calling a schedule tabulates it: ``schedule(starting_noise_scale, num_steps)`` returns the array
    of shape (num_steps,) that the loop uses, in intensity units.

    The class variables are claims; the tests check every schedule against them.

    Attributes
    ----------
    tabulated : bool
        The noise scales are known before the run.
    relative : bool
        Doubling the starting noise scale doubles the noise scale of every step.
    monotone : bool
        The noise scale only falls, or only grows.
    starts_itself : bool
        The schedule sets the noise scale of step 0 itself and ignores the starting noise scale.
    """

    slot: ClassVar[str] = "schedule"
    tabulated: ClassVar[bool] = True
    relative: ClassVar[bool] = True
    monotone: ClassVar[bool] = True
    starts_itself: ClassVar[bool] = False

    @property
    def claims(self) -> frozenset[str]:
        """The claims that hold for this schedule."""
        return frozenset(name for name in CLAIMS if getattr(self, name))

    @abc.abstractmethod
    def fraction(self, step: int, num_steps: int) -> float:
        """Return noise_scale / starting_noise_scale at a step, 0 ≤ step < num_steps."""

    def first_scale(self, starting_noise_scale: float) -> float:
        """Return the noise scale of step 0; only a list of levels has one of its own."""
        return float(starting_noise_scale)

    def next_scale(
        self, scale: float, step: int, num_steps: int, removed: float | None = None
    ) -> float:
        """Return the noise scale of step + 1, given that of `step`.

        Parameters
        ----------
        scale : float
            The noise scale at `step`, in intensity units.
        step, num_steps : int
            The step just made, counted from 0, and how many there are. Past the last step the
            scale stays where it is.
        removed : float, optional
            Root mean square of what the filter just took out. Tabulated schedules ignore it.
        """
        del removed
        last = num_steps - 1
        before = self.fraction(min(step, last), num_steps)
        after = self.fraction(min(step + 1, last), num_steps)
        return scale * (after / before) if before else 0.0

    def largest_scale(self, starting_noise_scale: float, num_steps: int) -> float:
        """Return the largest noise scale of a run; of what never turns back, one of the ends."""
        first = self.first_scale(starting_noise_scale)
        return first * max(self.fraction(step, num_steps) for step in (0, num_steps - 1))

    def __call__(self, starting_noise_scale: float, num_steps: int) -> NDArray[np.float64]:
        """Tabulate the noise scale of each of `num_steps` steps."""
        if num_steps < 1:
            raise ValueError(f"num_steps must be at least 1 (got {num_steps}).")
        scales = [self.first_scale(starting_noise_scale)]
        for step in range(num_steps - 1):
            scales.append(self.next_scale(scales[-1], step, num_steps))
        return np.array(scales)


def progress(step: int, num_steps: int) -> float:
    """Return how much of the run lies behind: 0 at the first step, 1 at the last."""
    return step / (num_steps - 1) if num_steps > 1 else 0.0
