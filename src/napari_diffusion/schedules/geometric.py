"""A schedule with a constant factor from step to step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from napari_diffusion.schedules.base import END_ABOVE_0, Schedule, progress


@dataclass(frozen=True)
class Geometric(Schedule):
    """Multiply the noise scale by the same factor at every step: much noise early, little late.

    ``noise_scale[step] = starting_noise_scale · end ** (step / (num_steps − 1))``

    Parameters
    ----------
    end : float
        Noise scale of the last step as a fraction of the first, greater than 0. Above 1 the noise
        grows.

    Notes
    -----
    Start with this one: every step reduces the noise by the same fraction, so that coarse and fine
    structures get equally many steps. Not where the last step must have no noise at all.
    """

    method_name = "decreasing geometrically to {end:%} in the last step"

    end: Annotated[float, END_ABOVE_0] = 0.1

    def fraction(self, step: int, num_steps: int) -> float:
        """Return the power of `end` at this step."""
        return float(self.end ** progress(step, num_steps))
