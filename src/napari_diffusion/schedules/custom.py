"""A schedule made of any function."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from napari_diffusion.core.function_parameter import imported
from napari_diffusion.schedules.base import Schedule

# Of longer runs the first steps are tried before the run, and the others when their turn comes.
_TRIED = 10_000


def halved(noise_scale: float, step: int, num_steps: int) -> float:
    """Return half the noise scale: an example."""
    del step, num_steps
    return noise_scale / 2


@dataclass(frozen=True)
class Custom(Schedule):
    """Compute the next noise scale with a function of your own.

    ``noise_scale[step + 1] = function(noise_scale[step], step, num_steps)``

    Parameters
    ----------
    function : callable or str
        Called with the noise scale of a step, the step, counted from 0, and the number of steps;
        returns the next noise scale, finite and 0 or more. Its name as text is
        ``"package.module:function"``. It must return the same value for the same arguments, or a
        run cannot be repeated.

    Raises
    ------
    ValueError
        If there is no such function, or it does not return a noise scale.

    Notes
    -----
    Use it for a rule that no other schedule has. Not as a lambda if the recipe is to be saved: a
    file can only refer to functions of a module.
    """

    display_name: ClassVar[str] = "Custom function"
    method_name = "then set by the user-defined function {function}"
    relative: ClassVar[bool] = False
    monotone: ClassVar[bool] = False

    function: Annotated[
        Callable[..., Any] | str,
        {"tooltip": "Function (noise_scale, step, num_steps) that returns the next noise scale."},
    ] = "napari_diffusion.schedules.custom:halved"

    def fraction(self, step: int, num_steps: int) -> float:
        """Return the noise scale at this step of a run that starts at 1."""
        scale = 1.0
        for before in range(step):
            scale = self.next_scale(scale, before, num_steps)
        return scale

    def next_scale(
        self, scale: float, step: int, num_steps: int, removed: float | None = None
    ) -> float:
        """Return what the function returns; see `Schedule.next_scale`."""
        del removed
        if step >= num_steps - 1:
            return scale
        found = imported(self.function)(scale, step, num_steps)
        try:
            number = float(found)
        except (TypeError, ValueError):
            number = math.nan
        if not 0 <= number < math.inf:
            raise ValueError(
                f"Custom: function must return a noise scale, finite and 0 or more (got {found!r} "
                f"after step {step} with scale {scale:g})."
            )
        return number

    def largest_scale(self, starting_noise_scale: float, num_steps: int) -> float:
        """Return the largest noise scale of the first 10 000 steps."""
        scale = largest = float(starting_noise_scale)
        for step in range(min(num_steps - 1, _TRIED)):
            scale = self.next_scale(scale, step, num_steps)
            largest = max(largest, scale)
        return largest
