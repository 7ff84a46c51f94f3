"""A schedule that is linear in the logarithm of the noise scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from napari_diffusion.core.citation import Cite
from napari_diffusion.schedules.base import END_ABOVE_0, Schedule, progress


@dataclass(frozen=True)
class Exponential(Schedule):
    """Lower the noise scale along a straight line of its logarithm.

    ``noise_scale[step] = exp(log(starting_noise_scale) + r · log(end))`` with
    ``r = step / (num_steps − 1)``

    Parameters
    ----------
    end : float
        Noise scale of the last step as a fraction of the first, greater than 0. Above 1 the noise
        grows.

    Notes
    -----
    Use it where a recipe should use the name that diffusion libraries use: the curve is that of
    `Geometric`. Not where the last step must have no noise at all.

    References
    ----------
    Song and Ermon (2019), Generative modeling by estimating gradients of the data distribution,
    section 4.2.
    """

    method_name = "decreasing exponentially to {end:%} in the last step"
    cites = (Cite("song2019"),)

    end: Annotated[float, END_ABOVE_0] = 0.1

    def fraction(self, step: int, num_steps: int) -> float:
        """Return the exponential at this step."""
        done = progress(step, num_steps)
        return self.end if done == 1.0 else math.exp(done * math.log(self.end))
