"""A sigmoid schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from napari_diffusion.core.citation import Cite
from napari_diffusion.schedules.base import END, Schedule, progress


@dataclass(frozen=True)
class Sigmoid(Schedule):
    """Lower the noise scale along an S-shaped curve of adjustable steepness.

    ``noise_scale[step] = starting_noise_scale · (end + (1 − end) · (S(x) − S(−w)) / (S(w) −
    S(−w)))`` with ``S(x) = 1 / (1 + exp(−x))``, ``w = steepness`` and ``x`` falling evenly from w
    at the first step to −w at the last.

    Parameters
    ----------
    end : float
        Noise scale of the last step as a fraction of the first, 0 or more. Above 1 the noise grows.
    steepness : float
        Steepness in the middle, 0 to 100. Small values approach `Linear`; 6 is common; large values
        drop from the start to the end within a few steps.

    Notes
    -----
    Use it for some steps with strong noise, some with little, and an adjustable transition. Not for
    short runs with a large steepness, where the drop falls between two steps.

    References
    ----------
    Chen (2023), On the importance of noise scheduling for diffusion models, section 2; with
    w = 6 the curve that diffusion libraries call sigmoid.
    """

    method_name = "decreasing along a sigmoid (steepness {steepness}) to {end:%} in the last step"
    cites = (Cite("chen2023"),)

    end: Annotated[float, END] = 0.0
    steepness: Annotated[
        float,
        {"above": 0.0, "max": 100.0, "tooltip": "Steepness of the drop in the middle."},
    ] = 6.0

    def fraction(self, step: int, num_steps: int) -> float:
        """Return the S-shaped curve at this step."""
        # S(x) = (1 + tanh(x / 2)) / 2, of which the quotient is exact for a small steepness too.
        half = self.steepness / 2
        at = math.tanh(half * (1.0 - 2.0 * progress(step, num_steps))) / math.tanh(half)
        return self.end + (1.0 - self.end) * (0.5 * (1.0 + at))
