"""A cosine schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from napari_diffusion.core.citation import Cite
from napari_diffusion.schedules.base import END, Schedule, progress


@dataclass(frozen=True)
class Cosine(Schedule):
    """Lower the noise scale along half a cosine wave: slow at both ends, fastest in the middle.

    ``noise_scale[step] = starting_noise_scale · (end + (1 − end) · (1 + cos(π r)) / 2)`` with
    ``r = step / (num_steps − 1)``

    Parameters
    ----------
    end : float
        Noise scale of the last step as a fraction of the first, 0 or more. Above 1 the noise grows.

    Notes
    -----
    Use it to stay close to the start and to the end for a few steps each. Not for runs of two or
    three steps, where it hardly differs from `Linear`.

    References
    ----------
    Loshchilov and Hutter (2017), SGDR: stochastic gradient descent with warm restarts, equation 5,
    use the same curve for a learning rate.
    """

    method_name = "decreasing along half a cosine wave to {end:%} in the last step"
    cites = (Cite("loshchilov2017"),)

    end: Annotated[float, END] = 0.0

    def fraction(self, step: int, num_steps: int) -> float:
        """Return the half wave at this step."""
        wave = 0.5 * (1.0 + math.cos(math.pi * progress(step, num_steps)))
        return self.end + (1.0 - self.end) * wave
