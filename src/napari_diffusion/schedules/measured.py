"""A schedule that follows the noise removed by the filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from napari_diffusion.core.citation import Cite
from napari_diffusion.schedules.base import Schedule


@dataclass(frozen=True)
class Measured(Schedule):
    """Add as much noise as the filter removed in the last step, or a fraction of it.

    ``noise_scale[step + 1] = min(noise_scale[step], share · removed[step])``, where ``removed`` is
    the root mean square of the difference between the image before and after the diffusion filter

    The difference is measured over the whole image, all frames together, inside the mask;
    separately for each channel if the starting noise scale has one value per channel. The noise
    never grows, however much a filter removes. There is no table before the run; the steps and
    their records hold the values. A region takes as long as the whole image, and a dask array is
    computed step by step, because the removed noise is measured everywhere.

    Parameters
    ----------
    share : float
        Fraction of the removed noise that the next step adds, 0 to 1. Small values end the noise
        within a few steps.

    Notes
    -----
    Use it where the noise should fall as fast as the image settles, without guessing the number of
    steps. Not for a filter that hardly changes anything, which ends the noise at once, nor to
    compare runs of several images step by step.

    References
    ----------
    Kadkhodaie and Simoncelli (2021), Stochastic solutions for linear inverse problems using the
    prior implicit in a denoiser, algorithm 1, whose γ at h = 1 this is with share = 1 − β.
    """

    method_name = "then {share} of what the filter had removed in the step before"
    cites = (Cite("kadkhodaie2021"),)

    tabulated: ClassVar[bool] = False

    share: Annotated[
        float,
        {
            "min": 0.0,
            "max": 1.0,
            "tooltip": "Fraction of what the filter removed that the next step adds.",
        },
    ] = 0.9

    def fraction(self, step: int, num_steps: int) -> float:
        """Raise: the noise scale is unknown before the run."""
        raise ValueError(_NO_TABLE)

    def next_scale(
        self, scale: float, step: int, num_steps: int, removed: float | None = None
    ) -> float:
        """Return the share of what was removed; see `Schedule.next_scale`."""
        if step >= num_steps - 1:
            return scale
        if removed is None:
            raise ValueError(_NO_TABLE)
        return min(scale, self.share * removed)

    def largest_scale(self, starting_noise_scale: float, num_steps: int) -> float:
        """Return the first noise scale, for the noise never grows."""
        del num_steps
        return self.first_scale(starting_noise_scale)


_NO_TABLE = (
    "Measured: the noise scale of a step is unknown until the step before it is done: use the "
    "noise scales of the steps of a run, or a schedule with a table."
)
