"""The noise of a variance-preserving process."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

from napari_diffusion.core.citation import Cite
from napari_diffusion.schedules.base import Schedule, progress


@dataclass(frozen=True)
class VariancePreserving(Schedule):
    """Follow the noise-to-signal ratio of a variance-preserving diffusion process.

    ``noise_scale[step] = starting_noise_scale · s(t) / s(1)`` with
    ``s(t) = √(exp(beta_d t²/2 + beta_min t) − 1)`` and ``t`` falling evenly from 1 at the first
    step to ``eps_s`` at the last.

    Parameters
    ----------
    beta_d : float
        Increase of the noise rate over the process, 0 to 1000. Larger values fall faster in the
        first steps.
    beta_min : float
        Noise rate at the beginning of the process, greater than 0, at most 100.
    eps_s : float
        Time of the last step, greater than 0, at most 1. Smaller values leave less noise.

    Notes
    -----
    Use it to compare with samplers of the variance-preserving kind, which start at s(1) ≈ 152 times
    the signal with the usual values. Not for a gentle start: the noise falls to a tenth within a
    few steps.

    References
    ----------
    Song, Sohl-Dickstein, Kingma, Kumar, Ermon and Poole (2021), Score-based generative modeling
    through stochastic differential equations, equation 11 and appendix C.
    """

    display_name: ClassVar[str] = "Variance-preserving (VP)"
    method_name = (
        "decreasing along a variance-preserving schedule (β_d = {beta_d}, β_min = {beta_min}, last "
        "time {eps_s})"
    )
    cites = (Cite("song2021"),)

    beta_d: Annotated[
        float,
        {
            "min": 0.0,
            "max": 1000.0,
            "tooltip": "Growth of the noise rate; larger values start steeper.",
        },
    ] = 19.9
    beta_min: Annotated[float, {"above": 0.0, "max": 100.0, "tooltip": "Noise rate at time 0."}] = (
        0.1
    )
    eps_s: Annotated[
        float,
        {
            "above": 0.0,
            "max": 1.0,
            "tooltip": "Time of the last step; smaller values leave less noise.",
        },
    ] = 1e-3

    def fraction(self, step: int, num_steps: int) -> float:
        """Return the ratio at this step to that at the first one."""
        time = 1.0 + (self.eps_s - 1.0) * progress(step, num_steps)
        return self._ratio(time) / self._ratio(1.0)

    def _ratio(self, time: float) -> float:
        return math.sqrt(math.expm1(0.5 * self.beta_d * time * time + self.beta_min * time))
