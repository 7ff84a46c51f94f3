"""The schedule of Karras and others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from napari_diffusion.core.citation import Cite
from napari_diffusion.schedules.base import END, Schedule, progress


@dataclass(frozen=True)
class Karras(Schedule):
    """Lower the noise scale along a straight line of its rho-th root: most steps have little noise.

    ``noise_scale[step] = starting_noise_scale · (1 + (end^(1/rho) − 1) · r)^rho`` with
    ``r = step / (num_steps − 1)``

    Parameters
    ----------
    end : float
        Noise scale of the last step as a fraction of the first, 0 or more. Above 1 the noise grows.
    rho : float
        Curvature, 0.1 to 100. 1 is `Linear`; larger values approach `Geometric` and give more steps
        with little noise. The authors use 7.

    Notes
    -----
    Use it where the steps with little noise determine the image, or to compare with a sampler that
    uses it. Not to study strong noise: it is gone after a few steps.

    References
    ----------
    Karras, Aittala, Aila and Laine (2022), Elucidating the design space of diffusion-based
    generative models, equation 5.
    """

    method_name = "decreasing along a Karras schedule (ρ = {rho}) to {end:%} in the last step"
    cites = (Cite("karras2022"),)

    end: Annotated[float, END] = 0.1
    rho: Annotated[
        float,
        {
            "min": 0.1,
            "max": 100.0,
            "tooltip": "Curvature; larger values give more steps with low noise.",
        },
    ] = 7.0

    def fraction(self, step: int, num_steps: int) -> float:
        """Return the power of the straight line at this step."""
        done = progress(step, num_steps)
        if done == 1.0:
            return self.end
        root = self.end ** (1.0 / self.rho)
        return float((1.0 + (root - 1.0) * done) ** self.rho)
