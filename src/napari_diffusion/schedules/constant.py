"""The same noise at every step."""

from __future__ import annotations

from dataclasses import dataclass

from napari_diffusion.schedules.base import Schedule


@dataclass(frozen=True)
class Constant(Schedule):
    """Use the same noise scale at every step.

    ``noise_scale[step] = starting_noise_scale``

    Notes
    -----
    Use it to see how a filter handles the same disturbance again and again. Not where the last step
    must be nearly free of added noise, unless the noise is weak from the start.
    """

    method_name = "the same in every step"

    def fraction(self, step: int, num_steps: int) -> float:
        """Return 1 for every step."""
        del step, num_steps
        return 1.0
