"""A schedule of one over the step number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from napari_diffusion.core.citation import Cite
from napari_diffusion.schedules.base import Schedule


@dataclass(frozen=True)
class InverseTime(Schedule):
    """Lower the noise scale as 1, ½, ⅓, … of the start.

    ``noise_scale[step] = starting_noise_scale / (1 + rate · step)``

    Parameters
    ----------
    rate : float
        0 to 10⁶. 1 gives a half after one step and a third after two; larger values fall faster; 0
        is `Constant`. The number of steps does not matter.

    Notes
    -----
    Use it where the length of the run is open, since the noise of a step does not depend on the
    number of steps, and where the noise must vanish slowly enough for the image to keep changing.
    Not where the last step must have a given noise scale.

    References
    ----------
    Robbins and Monro (1951), A stochastic approximation method, whose step sizes are these.
    """

    display_name: ClassVar[str] = "Inverse time (1/k)"
    method_name = "divided by 1 + {rate} k in step k = 0, 1, …"
    cites = (Cite("robbins1951"),)

    rate: Annotated[
        float,
        {"min": 0.0, "max": 1e6, "tooltip": "Speed of the decrease; larger values fall faster."},
    ] = 1.0

    def fraction(self, step: int, num_steps: int) -> float:
        """Return the reciprocal at this step."""
        del num_steps
        return 1.0 / (1.0 + self.rate * step)
