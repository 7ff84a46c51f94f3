"""A straight line of logarithms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from napari_diffusion.schedules.base import END_ABOVE_0, Schedule, progress


@dataclass(frozen=True)
class Exponential(Schedule):
    """A straight line between the logarithms of the noise scales.

    ``noise_scale[step] = exp(log(starting_noise_scale) + r · log(end))`` with
    ``r = step / (num_steps − 1)``

    Parameters
    ----------
    end : float
        Fraction of the start reached at the last step, greater than 0. Above 1 the noise grows.

    Notes
    -----
    Use it where a recipe is to say the name that diffusion libraries have for it: the curve is that
    of `Geometric`. Not where the last step must have no noise at all.

    References
    ----------
    Song and Ermon (2019), Generative modeling by estimating gradients of the data distribution,
    section 4.2.
    """

    end: Annotated[float, END_ABOVE_0] = 0.1

    def fraction(self, step: int, num_steps: int) -> float:
        """Return the exponential at this step."""
        done = progress(step, num_steps)
        return self.end if done == 1.0 else math.exp(done * math.log(self.end))
