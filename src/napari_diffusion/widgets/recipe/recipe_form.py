"""The form of a whole recipe."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_diffusion.core.parameter import Parameter
from napari_diffusion.domains.base import UNIT
from napari_diffusion.loop.presets import PRESETS
from napari_diffusion.loop.recipe import Recipe
from napari_diffusion.noise import Noise
from napari_diffusion.widgets.forms.choice import ComponentChoice
from napari_diffusion.widgets.forms.fields import Automatic, LineField
from napari_diffusion.widgets.forms.form_rows import MessageLabel, problem_of
from napari_diffusion.widgets.forms.seed import SeedField
from napari_diffusion.widgets.plots.schedule_plot import SchedulePlot
from napari_diffusion.widgets.recipe.preset_choice import PresetChoice

if TYPE_CHECKING:
    from napari_diffusion.widgets.forms.fields import Field
    from napari_diffusion.widgets.forms.number_text import Value

_STEPS = Parameter(
    "steps", "int", 10, tooltip="How often noise is added and the diffusion filter applied."
)
_START = Parameter(
    "starting_scale",
    "float",
    "auto",
    unit="intensity",
    tooltip=(
        "Standard deviation of the noise in the first step; one per channel: 0.1, 0.2, 0.3. "
        "5 % of range: a share of maximum − minimum; auto: as much noise as the image has; "
        "none: the parameters of the noise as typed."
    ),
    auto=True,
    optional=True,
    many=True,
)
_SEED = Parameter("seed", "int", 0, tooltip="Random seed: the same seed gives the same noise.")
_STOP = Parameter(
    "stop_after",
    "int",
    None,
    tooltip="Number of steps to compute; the schedule spans all steps, or continues beyond.",
)


class RecipeWidget(QWidget):
    """A view of a recipe: whatever recipe is shown comes back equal, to the bit.

    It shows the preset *explore* first.
    """

    changed = Signal(Recipe)
    problem_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._filling = False
        self._last: Recipe | None = None
        self._problem: str | None = None
        self._marked: Field | None = None
        self._world_unit = ""
        self._known: Recipe | None = None
        self.presets = PresetChoice()
        self.num_steps = LineField(_STEPS, partial(_checked, "num_steps"))
        self.starting_noise_scale = LineField(
            _START, partial(_checked, "starting_noise_scale"), Automatic()
        )
        self.seed = SeedField(_SEED, partial(_checked, "seed"))
        self.stop_at = LineField(_STOP, partial(_checked, "stop_at"), Automatic("all", None))
        self.noise = ComponentChoice("noise", may_be_none=True)
        self.schedule = ComponentChoice("schedule")
        self.diffusion_filter = ComponentChoice("filter", "diffusion filter")
        self.final_filter = ComponentChoice("filter", "final filter", may_be_none=True)
        self.domain = ComponentChoice("domain", may_be_none=True, may_be_auto=True)
        self.plot = SchedulePlot()
        self._message = MessageLabel()
        self._lay_out()
        self.presets.chosen.connect(self.set_value)
        for view in self._views.values():
            view.changed.connect(self._edited)
        self.set_value(PRESETS["explore"])

    def _lay_out(self) -> None:
        # By the names of the recipe's fields, from top to bottom.
        self._views: dict[str, Field | ComponentChoice] = {
            "num_steps": self.num_steps,
            "stop_at": self.stop_at,
            "noise": self.noise,
            "starting_noise_scale": self.starting_noise_scale,
            "seed": self.seed,
            "schedule": self.schedule,
            "diffusion_filter": self.diffusion_filter,
            "final_filter": self.final_filter,
            "domain": self.domain,
        }
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        layout.addWidget(self.presets)
        for name, view in self._views.items():
            if isinstance(view, ComponentChoice):
                layout.addSpacing(4)
            layout.addWidget(view)
            if name == "schedule":
                layout.addWidget(self.plot)
        layout.addWidget(self._message)
        layout.addStretch(1)

    def value(self) -> Recipe:
        """Return the recipe; ValueError says in one sentence what is wrong with a field."""
        values: dict[str, Value] = {name: view.value() for name, view in self._views.items()}
        try:
            return Recipe(**values)
        except TypeError as error:
            raise ValueError(str(error)) from None

    def set_value(self, recipe: Recipe) -> None:
        """Show a recipe; an equal one comes back from `value`."""
        self._filling = True
        try:
            for name, view in self._views.items():
                view.set_value(getattr(recipe, name))
        finally:
            self._filling = False
        self._edited()

    def problem(self) -> str | None:
        """Return the sentence of the first bad field, None where the recipe is good."""
        return problem_of(self.value)

    def say(self, sentence: str) -> None:
        """Show what a run has refused, beneath the field that it names, until the next edit.

        The form's own problem goes first; an empty sentence takes the last one away.
        """
        self._unsay()
        self._marked = self._named(sentence) if sentence else None
        (self._marked or self._message).say(sentence)

    def _named(self, sentence: str) -> Field | None:
        """Return the field in "Owner: name …" or "name …", None where it is not in view."""
        owner, name = re.match(r"(?:(\w+): )?(\w*)", sentence).groups()  # type: ignore[union-attr]
        for view in self._views.values():
            for form in view.forms():
                if owner in (None, form.component) and name in form.fields:
                    return form.fields[name]
        named = self._views.get({"noise_scale": "starting_noise_scale"}.get(name, name))
        return None if isinstance(named, ComponentChoice) else named

    def _unsay(self) -> None:
        if self._marked is not None:
            self._marked.say("")
            self._marked = None

    def preset(self) -> str:
        """Return the name of the preset that the recipe equals, or "custom"."""
        return self.presets.name()

    def set_resolved(self, recipe: Recipe | None) -> None:
        """Show the numbers that every "auto" stands for, as found on an image; None forgets them.

        The recipe's value stays as it is.
        """
        self._known = recipe
        for name, view in self._views.items():
            if name not in ("num_steps", "seed", "stop_at", "schedule"):
                view.set_resolved(None if recipe is None else getattr(recipe, name))
        self._show_plot()

    def set_world_unit(self, unit: str) -> None:
        """Name the unit of length, such as "µm"; an empty text goes back to "world"."""
        self._world_unit = unit
        for view in self._views.values():
            view.set_unit("world", unit)
        self._show_plot()

    def set_pixel_size(self, length: float) -> None:
        """Say how far apart the pixels are, in world units.

        Presets and the numbers that a newly chosen component starts with are made for it, so that
        they do the same to an image with pixels of 0.1 µm as to one without units. Numbers that
        were typed stay.
        """
        self._filling = True
        try:
            for view in self._views.values():
                if isinstance(view, ComponentChoice):
                    view.set_pixel_size(length)
        finally:
            self._filling = False
        self.presets.set_pixel_size(length)
        self._edited()

    def _edited(self) -> None:
        if self._filling:
            return
        self._unsay()
        problem = self.problem()
        recipe = None if problem else self.value()
        alone = any(view.problem() for view in self._views.values())
        self._message.say("" if alone else problem or "")
        self.presets.show_recipe(recipe)
        self.stop_at.setVisible(not self.stop_at.tick.isChecked())
        self._show_unit()
        self._show_plot()
        if problem != self._problem:
            self._problem = problem
            self.problem_changed.emit(problem)
        if recipe is not None and recipe != self._last:
            self._last = recipe
            self.changed.emit(recipe)

    def _show_unit(self) -> None:
        """Call intensity what it is in the domain: everything but the domain's own numbers."""
        try:
            unit = "" if self.domain.value() in (None, "auto") else UNIT
        except ValueError:
            unit = UNIT
        for view in self._views.values():
            if view is not self.domain:
                view.set_unit("intensity", unit)

    def _show_plot(self) -> None:
        try:
            noise, schedule = self.noise.value(), self.schedule.value()
            start, steps = self.starting_noise_scale.value(), self.num_steps.value()
            total = self.stop_at.value() or steps
            stabilised = self.domain.value() not in (None, "auto")
        except ValueError:
            return
        self.schedule.setEnabled(noise is not None)
        self.starting_noise_scale.setEnabled(noise is not None and not schedule.starts_itself)
        self.plot.setVisible(noise is not None)
        if isinstance(start, str):
            start = self.starting_noise_scale.resolved
        self.plot.show_schedule(
            schedule,
            start,
            steps,
            total,
            unit=UNIT if stabilised else "intensity",
            times=self._times(),
            world_unit=self._world_unit,
            in_words=self._in_words,
        )

    def _in_words(self, scale: float) -> str:
        """Return what a noise scale is in the terms of the noise, once its numbers are known."""
        typed = self.noise.value()
        if not isinstance(typed, Noise) or scale <= 0:
            return ""
        known = None if self._known is None else self._known.noise
        if type(known) is type(typed):
            found = {name: getattr(known, name) for name in typed.autos() if "." not in name}
            typed = typed.replaced(**found)
        try:
            return "" if typed.autos() else typed.in_words(scale)
        except (ValueError, ArithmeticError):
            return ""

    def _times(self) -> tuple[float, ...]:
        """Return the diffusion times of the series of filters, none where one has no time."""
        try:
            chosen = self.diffusion_filter.value()
        except ValueError:
            return ()
        series = chosen if isinstance(chosen, tuple) else (chosen,)
        times = [getattr(each, "time", None) for each in series]
        known = tuple(time for time in times if isinstance(time, float))
        return known if len(known) == len(times) else ()


def _checked(name: str, value: Value) -> Value:
    """Return a value as the recipe stores it in a field, or raise the recipe's own sentence."""
    if name == "starting_noise_scale" and value is None:
        return None  # whether it goes with the noise, the whole recipe says
    return getattr(Recipe(**{name: value}), name)
