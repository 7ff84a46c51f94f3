"""The form of a whole recipe: any recipe comes back equal, presets, problems, the plot."""

from __future__ import annotations

import itertools
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from form_recipes import EXACT, marked, recipes
from hypothesis import HealthCheck, given, settings
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QLabel

from napari_diffusion import PRESETS, Recipe, filters, noise, schedules, steps
from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.measurements import Masked
from napari_diffusion.widgets.forms.units import Units
from napari_diffusion.widgets.recipe.preset_choice import PresetChoice
from napari_diffusion.widgets.recipe.recipe_form import RecipeForm

if TYPE_CHECKING:
    from napari_diffusion.widgets.plots.schedule_plot import SchedulePlot

SERIES = Recipe(
    num_steps=3,
    starting_noise_scale=(0.1, 0.2, 1 / 3),
    diffusion_filter=(filters.Heat(time=1e-4), filters.PeronaMalik(contrast=(1.0, 2.0))),
    final_filter=filters.Median(radius=2.5),
    seed=2**64 - 1,
    stop_at=7,
)


@pytest.fixture
def form(qtbot):
    form = RecipeForm()
    qtbot.addWidget(form.native)
    return form


def followed(form: RecipeForm) -> tuple[list[Recipe], list[str | None]]:
    """The recipes and the problems that a form signals from now on."""
    changed: list[Recipe] = []
    problems: list[str | None] = []
    form.changed.connect(lambda: changed.append(form.value))
    form.problem_changed.connect(problems.append)
    return changed, problems


def choose(view, name: str) -> None:
    """Choose in the list as a user does."""
    view.choice.native.setCurrentText(name)


def offered(view) -> list[str]:
    """What the list offers."""
    native = view.choice.native
    return [native.itemText(index) for index in range(native.count())]


def typed(field, text: str) -> None:
    """Type into a field."""
    field.editor.native.setText(text)


def plot_of(form) -> SchedulePlot:
    """The plot, behind the fold of the schedule."""
    form.schedule.toggle.open = True
    return form.schedule_view.plot


def said_by(widget) -> list[str]:
    return [each.text() for each in widget.findChildren(QLabel) if each.isVisibleTo(widget)]


# --- round trips ---


def test_any_recipe_comes_back_to_the_bit(form):
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(recipe=recipes())
    def comes_back(recipe):
        form.value = recipe
        assert form.problem is None
        assert form.value == recipe
        assert form.value.to_json() == recipe.to_json()

    comes_back()


def test_a_series_and_numbers_per_channel_survive(form):
    form.value = SERIES
    assert form.value == SERIES
    form.value = PRESETS["denoise"]
    form.value = SERIES
    assert form.value == SERIES


@pytest.mark.parametrize("number", EXACT)
def test_numbers_typed_as_text_are_the_recipe_s_to_the_bit(form, number):
    typed(form.starting_noise_scale, repr(number))
    typed(form.diffusion_filter.form.rows["contrast"], repr(number))
    recipe = form.value
    assert recipe.starting_noise_scale.hex() == number.hex()
    assert recipe.diffusion_filter.contrast.hex() == number.hex()


# --- presets ---


def test_explore_is_shown_first(form):
    assert offered(form.presets)[0] == "explore"
    assert form.preset == "explore"
    assert form.value == PRESETS["explore"]


def test_choosing_a_preset_shows_it(form):
    changed, _ = followed(form)
    choose(form.presets, "denoise")
    assert form.value == PRESETS["denoise"]
    assert changed == [PRESETS["denoise"]]


def test_an_edit_makes_a_preset_custom_and_undoing_it_makes_it_the_preset_again(form):
    assert "custom" not in offered(form.presets)
    typed(form.num_steps, "11")
    assert form.preset == "custom"
    typed(form.num_steps, "10")
    assert form.preset == "explore"


def test_custom_brings_the_edited_recipe_back(form):
    typed(form.num_steps, "11")
    edited = form.value
    choose(form.presets, "denoise")
    choose(form.presets, "custom")
    assert form.value == edited
    assert form.preset == "custom"


def test_a_recipe_with_a_mistake_is_custom(form):
    typed(form.num_steps, "many")
    assert form.preset == "custom"
    choose(form.presets, "explore")
    assert form.problem is None
    assert form.value == PRESETS["explore"]


def test_a_preset_equal_to_what_is_shown_is_named(qtbot):
    presets = PresetChoice({"one": Recipe(seed=1), "two": Recipe(seed=2)})
    qtbot.addWidget(presets.native)
    presets.show_recipe(None, Recipe(seed=2))
    assert presets.value == "two"


# --- signals and problems ---


def test_changed_carries_every_new_valid_recipe_once(form):
    changed, problems = followed(form)
    form.value = form.value
    typed(form.num_steps, "12")
    typed(form.num_steps, "")
    typed(form.num_steps, "12")
    typed(form.num_steps, "12.5")
    typed(form.num_steps, "13")
    assert [recipe.num_steps for recipe in changed] == [12, 13]
    assert len(problems) == 4
    assert problems[1] is problems[3] is None


def test_setting_a_recipe_signals_once(form):
    changed, problems = followed(form)
    form.value = SERIES
    assert changed == [SERIES]
    assert problems == []


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("num_steps", "0", 0),
        ("num_steps", "2.5", "2.5"),
        ("starting_noise_scale", "-0.1", -0.1),
        ("starting_noise_scale", "0.1, -0.1", (0.1, -0.1)),
        ("starting_noise_scale", "nan", float("nan")),
        ("starting_noise_scale", "loud", "loud"),
        ("seed", "-1", -1),
        ("seed", str(2**64), 2**64),
        ("seed", "x", "x"),
        ("stop_at", "0", 0),
    ],
)
def test_a_bad_field_is_marked_with_the_recipe_s_own_words(form, name, text, value):
    _, problems = followed(form)
    field = getattr(form, name)
    typed(field, text)
    with pytest.raises((ValueError, TypeError), match=name) as refused:
        Recipe(**{name: value})
    with pytest.raises(ValueError, match=name):
        form.value  # noqa: B018
    assert form.problem == field.problem == str(refused.value)
    assert problems == [form.problem]
    assert marked(field) == [form.problem]


def test_the_first_problem_from_the_top_is_the_form_s(form):
    typed(form.diffusion_filter.form.rows["time"], "-1")
    assert form.problem.startswith("PeronaMalik: time")
    typed(form.num_steps, "0")
    assert form.problem.startswith("num_steps")


@pytest.mark.parametrize(
    ("sentence", "beneath"),
    [
        ("PeronaMalik: time=9e9 needs 20000 sub-steps.", "time"),
        ("contrast lists 2 values, but the image has 3 channels.", "contrast"),
        ("Heat: time=9e9 needs 20000 sub-steps.", "final time"),
        ("noise_scale lists 2 values, but the image has 3 channels.", "starting_noise_scale"),
        ("num_steps is more than fits into memory.", "num_steps"),
    ],
)
def test_what_a_run_refuses_marks_the_field_until_the_next_edit(form, sentence, beneath):
    changed, problems = followed(form)
    fields = {
        **form.diffusion_filter.form.rows,
        "final time": form.final_filter.form.rows["time"],
        "starting_noise_scale": form.starting_noise_scale,
        "num_steps": form.num_steps,
    }
    form.mark(sentence)
    said = [name for name, field in fields.items() if sentence in marked(field)]
    assert said == [beneath]
    # The fold that hides the field is open.
    assert form.diffusion_filter.toggle.open == (beneath in ("time", "contrast"))
    assert form.final_filter.toggle.open == (beneath == "final time")
    assert form.problem is None
    typed(form.seed, "5")
    assert marked(form) == []
    assert len(changed) == 1
    assert problems == []


def test_what_names_no_field_marks_none(form):
    form.mark("The disk is full.")
    assert marked(form) == []


def test_the_form_s_own_problem_goes_before_what_a_run_refused(form):
    typed(form.num_steps, "0")
    form.mark("num_steps is more than fits into memory.")
    form.mark("")
    assert marked(form) == [form.problem]


# --- what the recipe's other parts do to the form ---


def test_without_noise_its_scale_and_schedule_are_greyed_and_kept(form):
    plot = plot_of(form)
    choose(form.noise, "none")
    assert form.value == PRESETS["explore"].replaced(noise=None)
    assert not form.starting_noise_scale.enabled
    assert not form.schedule.enabled
    assert not plot.isVisibleTo(form.native)
    choose(form.noise, "Gaussian")
    assert form.value == PRESETS["explore"]
    assert form.schedule.enabled
    assert plot.isVisibleTo(form.native)


def test_stop_after_says_what_none_stands_for(form):
    assert form.stop_at.note.value == "= all steps"
    form.value = Recipe(stop_at=4)
    assert form.stop_at.note.value == ""
    typed(form.stop_at, "")
    assert form.value == Recipe()


def test_reverse_updates_are_chosen_and_shown(form):
    form.updates.editor.native.setCurrentText("reverse")
    assert form.value == PRESETS["explore"].replaced(update="reverse")
    form.value = PRESETS["explore"]
    assert form.updates.value == "whole"
    form.updates.editor.native.setCurrentText("reverse")
    choose(form.noise, "Poisson")
    assert form.problem.startswith('update="reverse" needs white Gaussian noise')


def test_what_was_measured_is_chosen_and_comes_back(form):
    for name in ("restore holes", "sharpen", "enlarge", "fill the wedge", "low light"):
        form.presets.value = name
        assert form.preset == name
        assert form.value == PRESETS[name]
    mask = ArrayParameter(np.eye(4))
    recipe = PRESETS["restore holes"].replaced(measurement=Masked(missing=mask), rounds=5)
    form.value = recipe
    assert form.value == recipe
    form.measurement.choice.native.setCurrentText("none")
    assert form.value == recipe.replaced(measurement=None)
    form.measurement.choice.native.setCurrentText("Missing pixels")
    form.updates.value = "whole"
    assert "update" in form.problem


@pytest.mark.parametrize("text", ["step", "1.5 × step", "2*step"])
def test_the_noise_of_a_step_is_typed_and_shown(form, text):
    recipe = Recipe(diffusion_filter=filters.NonLocalDiffusion())
    form.value = recipe
    typed(form.diffusion_filter.form.rows["noise_sigma"], text)
    told = recipe.replaced(diffusion_filter=filters.NonLocalDiffusion(noise_sigma=text))
    assert form.value == told
    form.value = recipe
    form.value = told
    assert form.value == told
    assert form.problem is None


def test_new_seed_draws_another_one_that_is_allowed(form):
    before = form.value
    form.new_seed.native.click()
    assert form.value.seed != before.seed
    assert form.value == before.replaced(seed=form.value.seed)


def test_resolved_values_are_notes_and_the_recipe_stays_auto(form):
    image = np.add.outer(np.arange(16.0), np.arange(16.0)) / 30
    recipe = PRESETS["explore"].replaced(starting_noise_scale="auto")
    form.value = recipe
    changed, _ = followed(form)
    resolved = form.value.resolved(image)
    form.set_resolved(resolved)
    assert form.value == recipe
    assert changed == []
    contrast = form.diffusion_filter.form.rows["contrast"]
    assert contrast.note.value == f"= {resolved.diffusion_filter.contrast:.4g} per pixel"
    assert form.starting_noise_scale.note.value == f"= {resolved.starting_noise_scale:.4g}"
    form.set_resolved(None)
    assert form.starting_noise_scale.note.value == "intensity"


def test_a_share_of_the_range_says_what_it_is(form):
    image = np.linspace(0, 200, 400).reshape(20, 20)
    typed(form.starting_noise_scale, "5 % of range")
    assert form.value.starting_noise_scale == "5 % of range"
    form.set_resolved(form.value.resolved(image))
    assert form.starting_noise_scale.note.value == "= 10"


def test_a_resolved_value_is_that_of_the_word_it_was_asked_for(form):
    form.value = Recipe(starting_noise_scale="auto")
    form.set_resolved(Recipe(starting_noise_scale=0.25))
    assert form.starting_noise_scale.note.value.startswith("= 0.25")
    form.starting_noise_scale.value = "5 % of range"
    assert form.starting_noise_scale.note.value == "intensity"
    form.starting_noise_scale.value = "auto"
    assert form.starting_noise_scale.note.value.startswith("= 0.25")


def test_the_unit_of_length_is_shown_in_forms_made_later_too(form):
    form.set_units(Units("µm", 0.5))
    choose(form.diffusion_filter, "Median")
    assert form.diffusion_filter.form.rows["radius"].note.value == "µm = 1.5 px"


def test_the_tab_key_goes_from_top_to_bottom(qtbot, qtlog, caplog):
    form = RecipeForm()
    qtbot.addWidget(form.native)
    form.native.show()
    qtbot.waitExposed(form.native)
    first = form.presets.choice.native
    stops, widget = [], first
    while widget is not first or not stops:
        if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            stops.append(widget.mapTo(form.native, widget.rect().center()).y())
        widget = widget.nextInFocusChain()
    assert len(stops) == 12  # 8 rows, and the arrows of 4 folds
    # Where vispy is loaded, it takes Qt's messages to its own log.
    assert "setTabOrder" not in f"{qtlog.records} {caplog.text}"
    assert all(below > above - 6 for above, below in itertools.pairwise(stops))


# --- the plot ---


def heights(plot: SchedulePlot) -> list[list[float]]:
    return [list(curve.yData) for curve in plot.curves]


def caption(plot: SchedulePlot) -> str:
    return plot.findChildren(QLabel)[0].text()


def test_the_plot_is_the_schedule_s_own_table(form):
    form.value = Recipe(num_steps=5, starting_noise_scale=0.5, schedule=schedules.Linear(end=0))
    assert heights(plot_of(form)) == [[1.0, 0.75, 0.5, 0.25, 0.0]]
    assert plot_of(form).top == "0.5"
    assert "intensity" in caption(plot_of(form))


def test_the_plot_follows_edits_and_says_fractions_while_auto(form):
    assert "fraction of the start" in caption(plot_of(form))
    assert plot_of(form).top == "1"
    choose(form.schedule, "Constant")
    typed(form.num_steps, "3")
    assert heights(plot_of(form)) == [[1.0, 1.0, 1.0]]
    form.set_resolved(form.value.replaced(starting_noise_scale=0.25))
    assert plot_of(form).top == "0.25"
    assert "intensity" in caption(plot_of(form))


def test_the_plot_has_a_curve_for_each_channel_and_goes_on_after_the_schedule(form):
    form.value = Recipe(
        num_steps=2,
        stop_at=4,
        starting_noise_scale=(0.1, 0.2),
        schedule=schedules.Linear(end=0.5),
    )
    assert heights(plot_of(form)) == [[0.5, 0.25, 0.25, 0.25], [1.0, 0.5, 0.5, 0.5]]


def test_a_scale_of_zero_draws_nothing_and_says_so(form):
    typed(form.starting_noise_scale, "0")
    assert heights(plot_of(form)) == []
    assert caption(plot_of(form)) == "Noise scale 0: no noise is added."


@pytest.mark.parametrize("start", [1e-323, 1e30, 1.7e308, (0.0, 1e300)])
@pytest.mark.parametrize("num_steps", [1, 2, 41, 100_000])
def test_no_number_is_too_large_or_too_small_to_draw(form, qtbot, start, num_steps):
    form.value = Recipe(
        num_steps=num_steps,
        starting_noise_scale=start,
        schedule=schedules.Geometric(end=1e6),
    )
    plot_of(form)
    form.native.show()
    qtbot.waitExposed(form.native)
    QApplication.processEvents()
    drawn = np.array(heights(plot_of(form)))
    assert drawn.shape[1] == min(num_steps, 200)
    assert np.isfinite(drawn).all()
    assert drawn.max() == 1.0


def test_levels_are_drawn_as_they_are_typed_and_the_start_rests(form):
    form.value = Recipe(num_steps=5, schedule=schedules.Levels((0.4, 0.2, 0.1)))
    assert heights(plot_of(form)) == [[1.0, 0.5, 0.25, 0.25, 0.25]]
    assert plot_of(form).top == "0.4"
    assert "intensity units" in caption(plot_of(form))
    assert not form.starting_noise_scale.enabled
    typed(form.schedule.form.rows["levels"], "8; 2")
    assert heights(plot_of(form)) == [[1.0, 0.25, 0.25, 0.25, 0.25]]
    assert plot_of(form).top == "8"
    choose(form.schedule, "Linear")
    assert form.starting_noise_scale.enabled


def test_rules_of_one_s_own_are_drawn_and_measured_ones_say_why_not(form):
    form.value = Recipe(num_steps=3, starting_noise_scale=0.5, schedule=schedules.Custom())
    assert heights(plot_of(form)) == [[1.0, 0.5, 0.25]]
    typed(form.num_steps, "20000")
    assert caption(plot_of(form)).startswith("Custom: too many steps to draw.")
    form.value = Recipe(schedule=schedules.Measured())
    assert heights(plot_of(form)) == []
    assert caption(plot_of(form)).startswith("Measured: ")
    assert form.problem is None


def test_the_diffusion_so_far_is_drawn_on_an_axis_of_its_own(form):
    form.set_units(Units("µm"))
    form.value = Recipe(num_steps=4, diffusion_filter=filters.Heat(time=2.0))
    np.testing.assert_allclose(plot_of(form).width.yData, np.sqrt(np.arange(1, 5) / 4))
    assert "Dashed: diffusion so far, √(2 · time), to 4 µm" in said_by(plot_of(form))  # √(2·4·2)
    series = (filters.Heat(time=2.0), filters.Heat(time=3.0))
    form.value = Recipe(num_steps=3, diffusion_filter=series)
    np.testing.assert_allclose(plot_of(form).width.yData, np.sqrt(np.array([2.0, 5.0, 8.0]) / 8))
    form.value = Recipe(diffusion_filter=filters.Median())
    assert plot_of(form).width is None
    assert "Dashed" not in " ".join(said_by(plot_of(form)))


def test_in_a_domain_units_of_intensity_are_called_stabilised(form):
    form.value = Recipe(starting_noise_scale=1.0, domain="anscombe")

    def units(view):
        return " ".join(label.text() for label in view.native.findChildren(QLabel))

    assert "stabilised" in units(form.starting_noise_scale)
    assert "stabilised/pixel" in units(form.diffusion_filter)
    assert "intensity/photon" in units(form.domain)
    assert "stabilised units" in caption(plot_of(form))
    choose(form.domain, "none")
    assert "stabilised" not in units(form)
    assert form.value == Recipe(starting_noise_scale=1.0)


def test_the_domain_s_measured_numbers_are_hints(form):
    image = np.random.default_rng(0).poisson(5.0, (64, 64))
    form.value = Recipe(domain="anscombe")
    resolved = form.value.resolved(image)
    form.set_resolved(resolved)
    gain = form.domain.form.rows["gain"]
    assert gain.note.value == f"= {resolved.domain.gain:.4g} per photon"
    assert form.value == Recipe(domain="anscombe")


def test_the_noise_says_what_its_scale_is_in_its_own_terms(form):
    form.value = Recipe(starting_noise_scale=2.0, noise=noise.Poisson(reference=12.0))
    assert "At the start: 36 photons at 12" in said_by(plot_of(form))  # reference² / scale²
    typed(form.starting_noise_scale, "4")
    assert "At the start: 9 photons at 12" in said_by(plot_of(form))
    form.value = Recipe(starting_noise_scale=2.0, noise=noise.Poisson())
    assert "photons" not in " ".join(said_by(plot_of(form)))
    form.set_resolved(form.value.resolved(np.full((9, 9), 10.0)))
    assert "At the start: 25 photons at 10" in said_by(plot_of(form))
    form.value = Recipe(starting_noise_scale=1.0)
    assert "At the start" not in " ".join(said_by(plot_of(form)))


def test_no_scale_at_all_takes_the_noise_as_typed(form):
    typed = Recipe(starting_noise_scale=None, noise=noise.Poisson(gain=2.0))
    form.value = typed
    assert form.value == typed
    choose(form.noise, "Gaussian")
    assert "starting_noise_scale" in form.problem


def test_the_plot_comes_without_its_library_until_it_is_made():
    code = (
        "import sys, napari_diffusion.widgets.recipe.recipe_form\n"
        "assert 'pyqtgraph' not in sys.modules and 'napari' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- units ---


def test_presets_and_new_components_follow_the_pixel_size(form):
    form.set_units(Units("µm", 0.25))
    assert form.preset == "explore"
    assert form.value == PRESETS["explore"].scaled(0.25, digits=3)
    assert form.note == ""
    choose(form.final_filter, "Median")
    assert form.final_filter.value == filters.Median().scaled(0.25)


def test_values_made_for_a_pixel_size_are_short(form):
    form.set_units(Units("µm", 0.107))
    assert form.value.diffusion_filter.time == 0.00343  # 0.3 · 0.107² = 0.0034347
    assert form.preset == "explore"


HEAT = Recipe(diffusion_filter=filters.Heat(time=3.0), final_filter=filters.Median(radius=2.0))


def test_a_recipe_in_pixels_has_the_same_effect_on_an_image_in_micrometres(form):
    """With its numbers as typed it was 87 times the diffusion: 1 / 0.107²."""
    image = np.random.default_rng(0).random((16, 16))
    form.value = HEAT
    form.set_units(Units("µm", 0.107))
    assert form.value.diffusion_filter.time == pytest.approx(3.0 * 0.107**2)
    assert form.value.final_filter.radius == pytest.approx(2 * 0.107)
    assert form.preset == "custom"
    assert form.note == (
        "Lengths converted from pixels to µm; the effect on the pixels is the same."
    )
    seen = [step.image for step in steps(image, form.value.resolved(image), spacing=(0.107, 0.107))]
    for made, expected in zip(seen, steps(image, HEAT.resolved(image)), strict=True):
        np.testing.assert_allclose(made, expected.image, rtol=1e-6)


def test_undo_keeps_the_numbers_as_they_were_typed(form):
    form.value = HEAT
    form.set_units(Units("µm", 0.107))
    assert form.is_converted
    form.keep_as_typed()
    assert form.value == HEAT
    assert form.note == ""
    assert not form.is_converted
    # From now on they are micrometres.
    form.set_units(Units("nm", 107.0))
    assert form.value.diffusion_filter.time == pytest.approx(3.0e6)


def test_between_physical_units_numbers_are_converted_and_stay_in_the_same_one(form):
    form.set_units(Units("µm", 0.5))
    form.value = HEAT
    form.set_units(Units("µm", 0.1))
    assert form.value == HEAT
    assert form.note == ""
    form.set_units(Units("nm", 100.0))
    assert form.value.diffusion_filter.time == 3e6
    assert form.value.final_filter.radius == 2000.0
    assert form.note == "Lengths converted from µm to nm."


def test_going_to_another_unit_and_back_changes_no_digit(form):
    form.value = Recipe(diffusion_filter=filters.Heat(time=1 / 3))
    before = form.value
    for units in (Units("µm", 0.107), Units("nm", 65.0), Units()):
        form.set_units(units)
    assert form.value == before
    assert form.note == ""
    form.set_units(Units("µm", 0.107))
    typed(form.num_steps, "3")
    assert form.note == ""  # the numbers in view are what is meant now
    shown = form.value
    form.set_units(Units("µm", 0.3))
    assert form.value == shown


def test_an_edited_recipe_that_is_not_in_view_is_converted_too(form):
    form.value = HEAT
    choose(form.presets, "explore")
    form.set_units(Units("µm", 0.5))
    choose(form.presets, "custom")
    assert form.value.diffusion_filter.time == 0.75
    assert "converted from pixels to µm" in form.note


def test_a_form_with_an_error_says_that_nothing_was_converted(form):
    typed(form.num_steps, "many")
    form.set_units(Units("µm", 0.5))
    assert form.note == ("The recipe has an error, so its lengths are still in pixels: check them.")


def test_a_sample_s_recipe_is_offered_shown_first_and_goes_with_it(form):
    form.presets.offer_sample(SERIES)
    assert form.preset == "sample recipe"
    assert form.value == SERIES
    choose(form.presets, "smooth")
    choose(form.presets, "sample recipe")
    assert form.value == SERIES
    form.presets.offer_sample(None)
    assert form.preset == "explore"
    assert form.value == PRESETS["explore"]
    assert offered(form.presets) == list(PRESETS)


def test_a_sample_does_not_replace_an_edited_recipe(form):
    typed(form.num_steps, "3")
    form.presets.offer_sample(SERIES)
    assert form.preset == "custom"
    assert form.value.num_steps == 3
    choose(form.presets, "sample recipe")
    assert form.value == SERIES
