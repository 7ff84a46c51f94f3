"""The same factor between any two steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from napari_diffusion.schedules.base import END_ABOVE_0, Schedule, progress


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

    end: Annotated[float, END_ABOVE_0] = 0.1

    def fraction(self, step: int, num_steps: int) -> float:
        """Return the power of `end` at this step."""
        return float(self.end ** progress(step, num_steps))
