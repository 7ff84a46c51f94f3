"""Noise schedules: how the noise scale changes from one step to the next."""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np

from napari_diffusion.member import Member

if TYPE_CHECKING:
    from numpy.typing import NDArray

_END = {
    "min": 0.0,
    "max": 1e6,
    "tooltip": "Fraction of the starting noise scale that is reached at the last step.",
}


@dataclass(frozen=True)
class Schedule(Member, abc.ABC):
    """The noise scale of every step, as a fraction of the first one.

    Calling a schedule tabulates it: ``schedule(starting_noise_scale, num_steps)`` returns the
    array of shape (num_steps,) that the loop uses, in intensity units.
    """

    slot: ClassVar[str] = "schedule"

    @abc.abstractmethod
    def fraction(self, step: int, num_steps: int) -> float:
        """Return noise_scale / starting_noise_scale at a step, 0 ≤ step < num_steps."""

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

    def __call__(self, starting_noise_scale: float, num_steps: int) -> NDArray[np.float64]:
        """Tabulate the noise scale of each of `num_steps` steps."""
        if num_steps < 1:
            raise ValueError(f"num_steps must be at least 1 (got {num_steps}).")
        scales = [float(starting_noise_scale)]
        for step in range(num_steps - 1):
            scales.append(self.next_scale(scales[-1], step, num_steps))
        return np.array(scales)


def _progress(step: int, num_steps: int) -> float:
    return step / (num_steps - 1) if num_steps > 1 else 0.0


@dataclass(frozen=True)
class Constant(Schedule):
    """The same noise scale at every step.

    ``noise_scale[step] = starting_noise_scale``

    Notes
    -----
    Use it to see what a filter makes of the same disturbance again and again. Not where the last
    step is to be nearly free of added noise, unless the noise is small from the start.
    """

    def fraction(self, step: int, num_steps: int) -> float:
        """Return 1 for every step."""
        del step, num_steps
        return 1.0


@dataclass(frozen=True)
class Linear(Schedule):
    """A straight line from the starting noise scale to a fraction of it.

    ``noise_scale[step] = starting_noise_scale · (1 + (end − 1) · step / (num_steps − 1))``

    Parameters
    ----------
    end : float
        Fraction of the start reached at the last step, 0 or more. Above 1 the noise grows.

    Notes
    -----
    Use it to reach a noise of exactly 0 at the last step. Much noise stays for long; where early
    steps should be rough and late ones fine, `Geometric` gives more steps to small noise.
    """

    end: Annotated[float, _END] = 0.0

    def fraction(self, step: int, num_steps: int) -> float:
        """Return the straight line at this step."""
        return 1.0 + (self.end - 1.0) * _progress(step, num_steps)


@dataclass(frozen=True)
class Geometric(Schedule):
    """The same factor between any two steps: much noise early, little late.

    ``noise_scale[step] = starting_noise_scale · end ** (step / (num_steps − 1))``

    Parameters
    ----------
    end : float
        Fraction of the start reached at the last step, greater than 0. Above 1 the noise grows.

    Notes
    -----
    Use it first: every step has the same share less noise than the one before, so that coarse and
    fine structures get as many steps each. Not where the last step must have no noise at all.
    """

    end: Annotated[float, {**_END, "min": None, "above": 0.0}] = 0.1

    def fraction(self, step: int, num_steps: int) -> float:
        """Return the power of `end` at this step."""
        return float(self.end ** _progress(step, num_steps))


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine wave: slow at both ends, fastest in the middle.

    ``noise_scale[step] = starting_noise_scale · (end + (1 − end) · (1 + cos(π r)) / 2)`` with
    ``r = step / (num_steps − 1)``

    Parameters
    ----------
    end : float
        Fraction of the start reached at the last step, 0 or more. Above 1 the noise grows.

    Notes
    -----
    Use it to stay near the start and near the end for a few steps each. Not for runs of two or
    three steps, where it is hardly different from `Linear`.

    References
    ----------
    Loshchilov and Hutter (2017), SGDR: stochastic gradient descent with warm restarts, equation 5,
    use the same curve for a learning rate.
    """

    end: Annotated[float, _END] = 0.0

    def fraction(self, step: int, num_steps: int) -> float:
        """Return the half wave at this step."""
        wave = 0.5 * (1.0 + math.cos(math.pi * _progress(step, num_steps)))
        return self.end + (1.0 - self.end) * wave


SCHEDULES: tuple[type[Schedule], ...] = (Constant, Linear, Geometric, Cosine)
