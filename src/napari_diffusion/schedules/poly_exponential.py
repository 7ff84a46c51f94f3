"""A schedule with a power curve of the logarithm of the noise scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

from napari_diffusion.core.citation import Cite
from napari_diffusion.schedules.base import END_ABOVE_0, Schedule, progress


@dataclass(frozen=True)
class PolyExponential(Schedule):
    """Lower the noise scale along a power curve of its logarithm.

    ``noise_scale[step] = starting_noise_scale · exp(log(end) · (1 − (1 − r)^rho))`` with
    ``r = step / (num_steps − 1)``

    Parameters
    ----------
    end : float
        Noise scale of the last step as a fraction of the first, greater than 0. Above 1 the noise
        grows.
    rho : float
        Curvature, 0.01 to 100. 1 is `Geometric`; above 1 the noise falls fast at first and many
        steps have little of it; below 1 it stays strong for long and falls at the end.

    Notes
    -----
    Use it to shift steps towards little noise (rho above 1) or strong noise (below 1) while both
    ends stay. Not where the last step must have no noise at all.

    References
    ----------
    Crowson (2022), k-diffusion, where it is called polyexponential.
    """

    display_name: ClassVar[str] = "Polyexponential"
    method_name = (
        "decreasing along a polyexponential schedule (ρ = {rho}) to {end:%} in the last step"
    )
    cites = (Cite("crowson2022"),)

    end: Annotated[float, END_ABOVE_0] = 0.1
    rho: Annotated[
        float,
        {
            "min": 0.01,
            "max": 100.0,
            "tooltip": "Curvature; values above 1 give more steps with low noise.",
        },
    ] = 2.0

    def fraction(self, step: int, num_steps: int) -> float:
        """Return the exponential of the bent line at this step."""
        done = progress(step, num_steps)
        if done == 1.0:
            return self.end
        return math.exp(math.log(self.end) * (1.0 - (1.0 - done) ** self.rho))
