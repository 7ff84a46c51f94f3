"""A list of noise scales."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Annotated, ClassVar

from napari_diffusion.schedules.base import Schedule


@dataclass(frozen=True)
class Levels(Schedule):
    """Use a list of noise scales, typed or pasted, in intensity units.

    ``noise_scale[step] = levels[min(step, len(levels) − 1)]``

    The list also replaces the starting noise scale; with a starting noise scale of 0, or without a
    noise model, no noise is added. Steps beyond the list keep its last level; further levels are
    not used.

    Parameters
    ----------
    levels : tuple of float
        Standard deviations of the noise, 0 or more, in descending order.

    Raises
    ------
    ValueError
        If a level is negative or larger than the one before it.

    Notes
    -----
    Use it to repeat exactly what another program or an earlier run did. Not for one recipe on
    images of different intensity ranges: levels are absolute, whereas other schedules scale with
    the starting noise scale.
    """

    display_name: ClassVar[str] = "List of levels"
    method_name = "following the list {levels} in later steps"
    relative: ClassVar[bool] = False
    starts_itself: ClassVar[bool] = True

    levels: Annotated[
        tuple[float, ...],
        {
            "min": 0.0,
            "unit": "intensity",
            "tooltip": "Noise scale of each step, in descending order; separate by commas or "
            "lines.",
        },
    ] = (0.2, 0.1, 0.05)

    def __post_init__(self) -> None:
        super().__post_init__()
        for before, after in itertools.pairwise(self.levels):
            if after > before:
                raise ValueError(
                    f"Levels: levels must be in descending order (got {before:g} before "
                    f"{after:g}): sort them."
                )

    def fraction(self, step: int, num_steps: int) -> float:
        """Return the level at this step by the first one, 0 where that is 0."""
        del num_steps
        return self._level(step) / self.levels[0] if self.levels[0] else 0.0

    def first_scale(self, starting_noise_scale: float) -> float:
        """Return the first level; 0 where no noise is to be added at all."""
        return self.levels[0] if starting_noise_scale else 0.0

    def next_scale(
        self, scale: float, step: int, num_steps: int, removed: float | None = None
    ) -> float:
        """Return the level of step + 1; see `Schedule.next_scale`."""
        del removed
        return self._level(min(step + 1, num_steps - 1)) if scale else 0.0

    def _level(self, step: int) -> float:
        return self.levels[min(step, len(self.levels) - 1)]
