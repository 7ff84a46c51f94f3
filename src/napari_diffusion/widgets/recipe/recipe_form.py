"""The form of a whole recipe."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from typing import TYPE_CHECKING

from magicgui.widgets import PushButton
from psygnal import Signal

from napari_diffusion.domains.base import UNIT
from napari_diffusion.loop.presets import PRESETS
from napari_diffusion.loop.recipe import Recipe
from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.forms.component_choice import ComponentChoice
from napari_diffusion.widgets.forms.form_row import problem_of
from napari_diffusion.widgets.forms.units import Units
from napari_diffusion.widgets.recipe.preset_choice import PresetChoice
from napari_diffusion.widgets.recipe.recipe_fields import StopAfter, recipe_field
from napari_diffusion.widgets.recipe.schedule_view import ScheduleView
from napari_diffusion.widgets.recipe.seed_field import SeedField
from napari_diffusion.widgets.recipe.typed_recipe import TypedRecipe

if TYPE_CHECKING:
    from napari_diffusion.loop.recipe_units import LengthUnit
    from napari_diffusion.widgets.forms.form_row import FormRow
    from napari_diffusion.widgets.forms.number_text import Value

# What an engine calls a row.
_ALIASES = {"noise_scale": "starting_noise_scale"}


class RecipeForm(Box):
    """A view of a recipe: whatever recipe is shown comes back equal, to the bit.

    It shows the preset *explore* first. `advanced` holds what a dock shows on demand: the working
    domain, how steps change the image, what was measured of it, and after which step to stop.
    """

    #: What was wrong before is another thing now, or nothing.
    problem_changed = Signal(object)

    def __init__(self) -> None:
        self._filling = False
        self._last: Recipe | None = None
        self._problem: str | None = None
        self._units = Units()
        self._typed: TypedRecipe | None = None
        self._shown_units: Units | None = None
        self._marked: FormRow | None = None
        self.note = ""
        self.presets = PresetChoice()
        self.num_steps = recipe_field("num_steps")
        self.noise = ComponentChoice("noise", none=True)
        self.starting_noise_scale = recipe_field("starting_noise_scale")
        self.schedule = ComponentChoice("schedule")
        self.diffusion_filter = ComponentChoice("filter", "diffusion filter")
        self.final_filter = ComponentChoice("filter", "final filter", none=True)
        self.seed = SeedField()
        self.domain = ComponentChoice("domain", "working domain", none=True, auto=True)
        self.updates = recipe_field("update")
        self.measurement = ComponentChoice("measurement", none=True)
        self.rounds = recipe_field("rounds")
        self.stop_at = StopAfter()
        self.new_seed = PushButton(text="New seed", tooltip="Draw another random seed.")
        self.noise_buttons = Box(self.new_seed, layout="horizontal")
        self.schedule_view = ScheduleView(self.schedule.toggle)
        self.advanced = Box(self.domain, self.updates, self.measurement, self.stop_at)
        # By the names of the recipe's fields, from top to bottom.
        self.rows: dict[str, FormRow] = {
            name: getattr(self, name)
            for name in (
                "num_steps", "noise", "starting_noise_scale", "schedule", "diffusion_filter",
                "final_filter", "seed", "domain", "measurement", "rounds", "stop_at",
            )
        } | {"update": self.updates}  # fmt: skip
        folded = [*self.advanced, self.rounds]
        shown = [row for row in self.rows.values() if row not in folded]
        super().__init__(self.presets, *shown)  # type: ignore[arg-type]
        self.noise.add_details(self.noise_buttons)
        self.measurement.add_details(self.rounds)
        self.schedule.add_details(self.schedule_view)
        self._connect()
        self._fill(PRESETS["explore"])

    def _connect(self) -> None:
        self.presets.chosen.connect(self._take_typed)
        self.presets.custom_chosen.connect(self.take)
        self.new_seed.changed.connect(self.seed.draw)
        for row in self.rows.values():
            row.changed.connect(self._edited)

    @property
    def value(self) -> Recipe:
        """The recipe; ValueError says in one sentence what is wrong with a row."""
        values: dict[str, Value] = {name: row.value for name, row in self.rows.items()}
        try:
            return Recipe(**values)
        except TypeError as error:
            raise ValueError(str(error)) from None

    @value.setter
    def value(self, recipe: Recipe) -> None:
        self._take_typed(recipe)

    @property
    def problem(self) -> str | None:
        """The sentence of the first bad row, None where the recipe is good."""
        return problem_of(self)

    @property
    def preset(self) -> str:
        """The name of the preset that the recipe equals, or "custom"."""
        return self.presets.value

    # --- units ---

    def take(self, typed: TypedRecipe) -> None:
        """Show a recipe that was typed in some unit, in the unit of the image."""
        recipe, self.note = typed.on(self._units.of_length)
        self._fill(recipe, typed)

    def set_units(self, units: Units) -> None:
        """Follow an image: a preset is scaled to its pixels, other recipes are converted.

        `note` says in a sentence what became of lengths; `keep_as_typed` undoes it.
        """
        if units == self._units:
            return
        before, self._units = self._units, units
        preset, typed = self.presets.recipe_in_view(), self._typed
        self.presets.set_pixel_size(units.pixel_size)
        self._filling = True
        try:
            self._show_units()
        finally:
            self._filling = False
        if preset is not None:
            self._fill(self.presets.recipe_in_view() or preset)
        elif typed is not None:
            self.take(typed)
        else:
            unit = before.of_length.plural
            said = f"The recipe has an error, so its lengths are still in {unit}: check them."
            self._edited(note=said if units.length != before.length else "")

    def keep_as_typed(self) -> None:
        """Take the numbers as they were typed, in the unit of the image."""
        if self._typed is not None:
            self._take_typed(self._typed.recipe)

    @property
    def is_converted(self) -> bool:
        """Whether numbers differ from those that were typed."""
        return self.problem is None and self._typed is not None and self._typed.recipe != self.value

    @property
    def unit(self) -> LengthUnit:
        """The unit that lengths in the form are in."""
        return self._units.of_length

    @property
    def typed(self) -> TypedRecipe | None:
        """The recipe as it was typed or loaded, in its own unit; None where it has an error."""
        return self._typed

    def _take_typed(self, recipe: Recipe) -> None:
        self.take(TypedRecipe(recipe, self.unit))

    # --- what a run says ---

    def mark(self, sentence: str) -> None:
        """Mark the row that a sentence names until the next edit; an empty one unmarks it."""
        self._unmark()
        if not sentence:
            return
        owner, name = re.match(r"(?:(\w+): )?(\w*)", sentence).groups()  # type: ignore[union-attr]
        for row in self.rows.values():
            for form in row.forms():
                if owner in (None, form.component) and name in form.rows:
                    assert isinstance(row, ComponentChoice)
                    row.toggle.open = True
                    self._marked = form.rows[name]
                    break
        self._marked = self._marked or self.rows.get(_ALIASES.get(name, name))
        if self._marked is not None:
            self._marked.mark(sentence)

    def _unmark(self) -> None:
        if self._marked is not None:
            self._marked.mark(self._marked.problem or "")
            self._marked = None

    def set_resolved(self, recipe: Recipe | None) -> None:
        """Show the values that every "auto" stands for, as found on an image; None forgets them.

        The recipe's value stays as it is.
        """
        self.schedule_view.known = recipe
        for name, row in self.rows.items():
            if name not in ("num_steps", "seed", "update", "rounds", "stop_at", "schedule"):
                row.set_resolved(None if recipe is None else getattr(recipe, name))
        self._show_schedule()

    # --- edits ---

    def _fill(self, recipe: Recipe, typed: TypedRecipe | None = None) -> None:
        """Show a recipe, which was typed like that unless something else is said."""
        self._filling = True
        try:
            for name, row in self.rows.items():
                row.value = getattr(recipe, name)
        finally:
            self._filling = False
        note = self.note if typed is not None else ""
        self._edited(typed=typed or TypedRecipe(recipe, self.unit), note=note)

    def _edited(self, *_: object, typed: TypedRecipe | None = None, note: str = "") -> None:
        if self._filling:
            return
        problem = self.problem
        recipe = None if problem else self.value
        if typed is None and recipe is not None:
            typed = TypedRecipe(recipe, self.unit)
        self._typed, self.note = typed, note
        self._unmark()
        self.presets.show_recipe(typed, recipe)
        self._show_units()
        self._show_schedule()
        if problem != self._problem:
            self._problem = problem
            self.problem_changed.emit(problem)
        if recipe is not None and recipe != self._last:
            self._last = recipe
            self.changed.emit(self)

    def _show_units(self) -> None:
        """Call intensity what it is in the domain: everything but the domain's own numbers."""
        try:
            plain = self.domain.value in (None, "auto")
        except ValueError:
            plain = False
        units = self._units if plain else dataclasses.replace(self._units, intensity=UNIT)
        if units == self._shown_units:
            return
        self._shown_units = units
        for row in self.rows.values():
            row.set_units(self._units if row is self.domain else units)
        self.schedule_view.units = units

    def _show_schedule(self) -> None:
        with_noise, starts_itself = self.noise.choice.value is not None, False
        with contextlib.suppress(ValueError):
            starts_itself = bool(self.schedule.value.starts_itself)
        self.schedule.enabled = with_noise
        self.starting_noise_scale.enabled = with_noise and not starts_itself
        if self.problem is None:
            self.schedule_view.show_recipe(self.value)
