"""The rows of a recipe's own numbers, beside those of its components."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from napari_diffusion.core.parameter import Parameter
from napari_diffusion.loop.recipe import Recipe
from napari_diffusion.widgets.forms.field import Field

if TYPE_CHECKING:
    from napari_diffusion.widgets.forms.number_text import Value

_STEPS = Parameter(
    "steps", "int", 10, tooltip="How often noise is added and the diffusion filter applied."
)
_START = Parameter(
    "noise scale",
    "float",
    "auto",
    unit="intensity",
    tooltip=(
        "Standard deviation of the noise in the first step; one per channel: 0.1, 0.2, 0.3. "
        "auto: as much noise as the image has, or as hides what is missing; 5 % of range: that "
        "share of its brightest minus its darkest value; none: the parameters of the noise as "
        "typed."
    ),
    auto=True,
    optional=True,
    many=True,
)
_UPDATES = Parameter(
    "updates",
    "choice",
    "whole",
    choices=("whole", "reverse"),
    tooltip=(
        "whole: each step adds all its noise and filters all of it. reverse: from the image's own "
        "noise, each step goes on to less, towards one plausible image, not a measurement; for "
        "filters whose noise sigma is step."
    ),
)
_STOP = Parameter(
    "stop after",
    "int",
    None,
    tooltip="Number of steps to compute; the schedule spans all steps, or continues beyond.",
    optional=True,
)
_ROUNDS = Parameter(
    "rounds",
    "int",
    3,
    tooltip=(
        "How often a step is corrected by what was measured; each time takes as long as the "
        "filter. More fit it better; 5 are enough."
    ),
    minimum=0,
    maximum=100,
)
_FIELDS = {
    "num_steps": _STEPS,
    "starting_noise_scale": _START,
    "update": _UPDATES,
    "rounds": _ROUNDS,
}


def recipe_field(name: str) -> Field:
    """Return the row of a field of a recipe."""
    return Field(_FIELDS[name], partial(_checked, name))


class StopAfter(Field):
    """The number of steps to compute."""

    def __init__(self) -> None:
        super().__init__(_STOP, partial(_checked, "stop_at"))

    def _meaning(self, unit: str) -> str:
        del unit
        return "= all steps" if self.value is None else ""


def _checked(name: str, value: Value) -> Value:
    """Return a value as the recipe stores it in a field, or raise the recipe's own sentence."""
    if name == "starting_noise_scale" and value is None:
        return None  # whether it goes with the noise, the whole recipe says
    return getattr(Recipe(**{name: value}), name)
