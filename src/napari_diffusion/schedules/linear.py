"""A linear schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from napari_diffusion.schedules.base import END, Schedule, progress


@dataclass(frozen=True)
class Linear(Schedule):
    """Lower the noise scale in equal steps to a fraction of the start.

    ``noise_scale[step] = starting_noise_scale · (1 + (end − 1) · step / (num_steps − 1))``

    Parameters
    ----------
    end : float
        Noise scale of the last step as a fraction of the first, 0 or more. Above 1 the noise grows.

    Notes
    -----
    Use it to reach exactly 0 at the last step. The noise stays strong for long; where early steps
    should be rough and late ones fine, `Geometric` gives more steps with little noise.
    """

    method_name = "decreasing linearly to {end:%} in the last step"

    end: Annotated[float, END] = 0.0

    def fraction(self, step: int, num_steps: int) -> float:
        """Return the straight line at this step."""
        return 1.0 + (self.end - 1.0) * progress(step, num_steps)
