"""The plot of a recipe's noise scales, made when its fold is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.domains.base import UNIT
from napari_diffusion.noise import Noise
from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.forms.units import Units

if TYPE_CHECKING:
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.widgets.forms.fold import FoldToggle
    from napari_diffusion.widgets.plots.schedule_plot import SchedulePlot


class ScheduleView(Box):
    """Shows the noise scale of every step of a recipe, where it has noise.

    Parameters
    ----------
    toggle : FoldToggle
        Of the fold that it stands in.

    Attributes
    ----------
    known : Recipe or None
        The recipe with every "auto" resolved, where it is known.
    units : Units
        What numbers are in.
    """

    def __init__(self, toggle: FoldToggle) -> None:
        self.known: Recipe | None = None
        self.units = Units()
        self._recipe: Recipe | None = None
        self._plot: SchedulePlot | None = None
        super().__init__()
        self._toggle = toggle
        toggle.toggled.connect(self._draw)

    @property
    def plot(self) -> SchedulePlot:
        """The plot."""
        if self._plot is None:
            from napari_diffusion.widgets.plots.schedule_plot import SchedulePlot

            self._plot = SchedulePlot()
            self.add_native(self._plot)
        return self._plot

    def show_recipe(self, recipe: Recipe) -> None:
        """Show a recipe."""
        self._recipe = recipe
        self.visible = recipe.noise is not None
        self._draw()

    def _draw(self) -> None:
        recipe = self._recipe
        if recipe is None or not self._toggle.open:
            return
        start, known = recipe.starting_noise_scale, self.known
        if isinstance(start, str):
            start = None if known is None else known.starting_noise_scale
        stabilised = self.units.intensity == UNIT
        self.plot.show_schedule(
            recipe.schedule,
            None if isinstance(start, str) else start,
            recipe.num_steps,
            recipe.total_steps,
            unit=UNIT if stabilised else "intensity",
            times=_times(recipe),
            world_unit=self.units.length,
            in_words=self._in_words,
        )

    def _in_words(self, scale: float) -> str:
        """Return what a noise scale is in the terms of the noise, once its numbers are known."""
        typed = None if self._recipe is None else self._recipe.noise
        if not isinstance(typed, Noise) or scale <= 0:
            return ""
        known = None if self.known is None else self.known.noise
        if type(known) is type(typed):
            found = {name: getattr(known, name) for name in typed.autos() if "." not in name}
            typed = typed.replaced(**found)
        try:
            return "" if typed.autos() else typed.in_words(scale)
        except (ValueError, ArithmeticError):
            return ""


def _times(recipe: Recipe) -> tuple[float, ...]:
    """Return the diffusion times of the series of filters, none where one has no time."""
    times = [getattr(each, "time", None) for each in recipe.filters]
    known = tuple(time for time in times if isinstance(time, float))
    return known if len(known) == len(times) else ()
