"""The form of a whole recipe: any recipe comes back equal, presets, problems, the plot."""

from __future__ import annotations

import itertools
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from form_recipes import EXACT, recipes
from hypothesis import HealthCheck, given, settings
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QLabel

from napari_diffusion import PRESETS, Recipe, filters, noise, schedules
from napari_diffusion.widgets.recipe.preset_choice import PresetChoice
from napari_diffusion.widgets.recipe.recipe_form import RecipeWidget

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
    form = RecipeWidget()
    qtbot.addWidget(form)
    return form


def followed(form: RecipeWidget) -> tuple[list[Recipe], list[str | None]]:
    """The recipes and the problems that a form signals from now on."""
    changed: list[Recipe] = []
    problems: list[str | None] = []
    form.changed.connect(changed.append)
    form.problem_changed.connect(problems.append)
    return changed, problems


def said_by(widget) -> list[str]:
    return [each.text() for each in widget.findChildren(QLabel) if each.isVisibleTo(widget)]


# --- round trips ---


def test_any_recipe_comes_back_to_the_bit(form):
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(recipe=recipes())
    def comes_back(recipe):
        form.set_value(recipe)
        assert form.problem() is None
        assert form.value() == recipe
        assert form.value().to_json() == recipe.to_json()

    comes_back()


def test_a_series_and_numbers_per_channel_survive(form):
    form.set_value(SERIES)
    assert form.value() == SERIES
    form.set_value(PRESETS["denoise"])
    form.set_value(SERIES)
    assert form.value() == SERIES


@pytest.mark.parametrize("number", EXACT)
def test_numbers_typed_as_text_are_the_recipe_s_to_the_bit(form, number):
    form.starting_noise_scale.edit.setText(repr(number))
    form.diffusion_filter.form.fields["contrast"].edit.setText(repr(number))
    recipe = form.value()
    assert recipe.starting_noise_scale.hex() == number.hex()
    assert recipe.diffusion_filter.contrast.hex() == number.hex()


# --- presets ---


def test_explore_is_shown_first(form):
    assert form.presets.combo.itemText(0) == "explore"
    assert form.preset() == "explore"
    assert form.value() == PRESETS["explore"]


def test_choosing_a_preset_shows_it(form):
    changed, _ = followed(form)
    form.presets.combo.setCurrentText("denoise")
    assert form.value() == PRESETS["denoise"]
    assert changed == [PRESETS["denoise"]]


def test_an_edit_makes_a_preset_custom_and_undoing_it_makes_it_the_preset_again(form):
    assert form.presets.combo.findText("custom") < 0
    form.num_steps.edit.setText("11")
    assert form.preset() == "custom"
    form.num_steps.edit.setText("10")
    assert form.preset() == "explore"


def test_custom_brings_the_edited_recipe_back(form):
    form.num_steps.edit.setText("11")
    edited = form.value()
    form.presets.combo.setCurrentText("denoise")
    form.presets.combo.setCurrentText("custom")
    assert form.value() == edited
    assert form.preset() == "custom"


def test_a_recipe_with_a_mistake_is_custom(form):
    form.num_steps.edit.setText("many")
    assert form.preset() == "custom"
    form.presets.combo.setCurrentText("explore")
    assert form.problem() is None
    assert form.value() == PRESETS["explore"]


def test_a_preset_equal_to_what_is_shown_is_named(qtbot):
    presets = PresetChoice({"one": Recipe(seed=1), "two": Recipe(seed=2)})
    qtbot.addWidget(presets)
    presets.show_recipe(Recipe(seed=2))
    assert presets.name() == "two"


# --- signals and problems ---


def test_changed_carries_every_new_valid_recipe_once(form):
    changed, problems = followed(form)
    form.set_value(form.value())
    form.num_steps.edit.setText("12")
    form.num_steps.edit.setText("")
    form.num_steps.edit.setText("12")
    form.num_steps.edit.setText("12.5")
    form.num_steps.edit.setText("13")
    assert [recipe.num_steps for recipe in changed] == [12, 13]
    assert len(problems) == 4
    assert problems[1] is problems[3] is None


def test_setting_a_recipe_signals_once(form):
    changed, problems = followed(form)
    form.set_value(SERIES)
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
def test_a_bad_field_is_said_beneath_it_in_the_recipe_s_own_words(form, name, text, value):
    _, problems = followed(form)
    field = getattr(form, name)
    field.edit.setText(text)
    with pytest.raises((ValueError, TypeError), match=name) as refused:
        Recipe(**{name: value})
    with pytest.raises(ValueError, match=name):
        form.value()
    assert form.problem() == field.problem() == str(refused.value)
    assert problems == [form.problem()]
    assert form.problem() in said_by(field)


def test_the_first_problem_from_the_top_is_the_form_s(form):
    form.diffusion_filter.form.fields["time"].edit.setText("-1")
    assert form.problem().startswith("PeronaMalik: time")
    form.num_steps.edit.setText("0")
    assert form.problem().startswith("num_steps")


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
def test_what_a_run_refuses_is_said_beneath_the_field_until_the_next_edit(form, sentence, beneath):
    changed, problems = followed(form)
    fields = {
        **form.diffusion_filter.form.fields,
        "final time": form.final_filter.form.fields["time"],
        "starting_noise_scale": form.starting_noise_scale,
        "num_steps": form.num_steps,
    }
    form.say(sentence)
    said = [name for name, field in fields.items() if sentence in said_by(field)]
    assert said == [beneath]
    assert form.problem() is None
    form.seed.edit.setText("5")
    assert sentence not in said_by(form)
    assert len(changed) == 1
    assert problems == []


def test_what_names_no_field_is_said_at_the_end(form):
    form.say("The disk is full.")
    assert "The disk is full." in said_by(form)
    form.say("")
    assert "The disk is full." not in said_by(form)


def test_the_form_s_own_problem_goes_before_what_a_run_refused(form):
    form.num_steps.edit.setText("0")
    form.say("num_steps is more than fits into memory.")
    assert form.problem() in said_by(form.num_steps)


# --- what the recipe's other parts do to the form ---


def test_without_noise_its_scale_and_schedule_are_greyed_and_kept(form):
    form.noise.combo.setCurrentText("none")
    assert form.value() == PRESETS["explore"].replaced(noise=None)
    assert not form.starting_noise_scale.isEnabled()
    assert not form.schedule.isEnabled()
    assert not form.plot.isVisibleTo(form)
    form.noise.combo.setCurrentText("Gaussian")
    assert form.value() == PRESETS["explore"]
    assert form.schedule.isEnabled()
    assert form.plot.isVisibleTo(form)


def test_stop_after_is_seen_only_where_the_recipe_stops_elsewhere(form):
    assert not form.stop_at.isVisibleTo(form)
    form.set_value(Recipe(stop_at=4))
    assert form.stop_at.isVisibleTo(form)
    form.stop_at.tick.click()
    assert form.value() == Recipe()
    assert not form.stop_at.isVisibleTo(form)


def test_the_dice_draws_another_seed_that_is_allowed(form):
    before = form.value()
    form.seed.dice.click()
    assert form.value().seed != before.seed
    assert form.value() == before.replaced(seed=form.value().seed)


def test_resolved_numbers_are_hints_and_the_recipe_stays_auto(form):
    image = np.add.outer(np.arange(16.0), np.arange(16.0)) / 30
    recipe = PRESETS["explore"].replaced(starting_noise_scale="auto")
    form.set_value(recipe)
    changed, _ = followed(form)
    resolved = form.value().resolved(image)
    form.set_resolved(resolved)
    assert form.value() == recipe
    assert changed == []
    contrast = form.diffusion_filter.form.fields["contrast"]
    assert contrast.edit.placeholderText() == f"auto: {resolved.diffusion_filter.contrast:.4g}"
    contrast.tick.click()
    assert form.value().diffusion_filter == resolved.diffusion_filter
    form.set_resolved(None)
    assert form.starting_noise_scale.edit.placeholderText() == "auto"


def test_the_unit_of_length_is_shown_in_forms_made_later_too(form):
    form.set_world_unit("µm")
    form.diffusion_filter.combo.setCurrentText("Median")
    label = form.diffusion_filter.form.findChildren(QLabel)[0].text()
    assert "µm" in label
    assert "world" not in label


def test_the_tab_key_goes_from_top_to_bottom(qtbot, qtlog, caplog):
    form = RecipeWidget()
    qtbot.addWidget(form)
    form.diffusion_filter.combo.setCurrentText("Median")
    form.show()
    qtbot.waitExposed(form)
    stops, widget = [], form.presets.combo
    while widget is not form.presets.combo or not stops:
        if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            stops.append(widget.mapTo(form, widget.rect().center()).y())
        widget = widget.nextInFocusChain()
    assert len(stops) == 14
    # Where vispy is loaded, it takes Qt's messages to its own log.
    assert "setTabOrder" not in f"{qtlog.records} {caplog.text}"
    assert all(below > above - 6 for above, below in itertools.pairwise(stops))


# --- the plot ---


def heights(plot: SchedulePlot) -> list[list[float]]:
    return [list(curve.yData) for curve in plot.curves]


def caption(plot: SchedulePlot) -> str:
    return plot.findChildren(QLabel)[-1].text()


def test_the_plot_is_the_schedule_s_own_table(form):
    form.set_value(Recipe(num_steps=5, starting_noise_scale=0.5, schedule=schedules.Linear(end=0)))
    assert heights(form.plot) == [[1.0, 0.75, 0.5, 0.25, 0.0]]
    assert form.plot.top == "0.5"
    assert "intensity" in caption(form.plot)


def test_the_plot_follows_edits_and_says_fractions_while_auto(form):
    assert "fraction of the start" in caption(form.plot)
    assert form.plot.top == "1"
    form.schedule.combo.setCurrentText("Constant")
    form.num_steps.edit.setText("3")
    assert heights(form.plot) == [[1.0, 1.0, 1.0]]
    form.set_resolved(form.value().replaced(starting_noise_scale=0.25))
    assert form.plot.top == "0.25"
    assert "intensity" in caption(form.plot)


def test_the_plot_has_a_curve_for_each_channel_and_goes_on_after_the_schedule(form):
    form.set_value(
        Recipe(
            num_steps=2,
            stop_at=4,
            starting_noise_scale=(0.1, 0.2),
            schedule=schedules.Linear(end=0.5),
        )
    )
    assert heights(form.plot) == [[0.5, 0.25, 0.25, 0.25], [1.0, 0.5, 0.5, 0.5]]


def test_a_scale_of_zero_draws_nothing_and_says_so(form):
    form.starting_noise_scale.edit.setText("0")
    assert heights(form.plot) == []
    assert caption(form.plot) == "Noise scale 0: no noise is added."


@pytest.mark.parametrize("start", [1e-323, 1e30, 1.7e308, (0.0, 1e300)])
@pytest.mark.parametrize("num_steps", [1, 2, 41, 2**32 - 1])
def test_no_number_is_too_large_or_too_small_to_draw(form, qtbot, start, num_steps):
    form.set_value(
        Recipe(
            num_steps=num_steps,
            starting_noise_scale=start,
            schedule=schedules.Geometric(end=1e6),
        )
    )
    form.show()
    qtbot.waitExposed(form)
    QApplication.processEvents()
    drawn = np.array(heights(form.plot))
    assert drawn.shape[1] == min(num_steps, 200)
    assert np.isfinite(drawn).all()
    assert drawn.max() == 1.0


def test_levels_are_drawn_as_they_are_typed_and_the_start_rests(form):
    form.set_value(Recipe(num_steps=5, schedule=schedules.Levels((0.4, 0.2, 0.1))))
    assert heights(form.plot) == [[1.0, 0.5, 0.25, 0.25, 0.25]]
    assert form.plot.top == "0.4"
    assert "intensity units" in caption(form.plot)
    assert not form.starting_noise_scale.isEnabled()
    form.schedule.form.fields["levels"].edit.setPlainText("8\n2")
    assert heights(form.plot) == [[1.0, 0.25, 0.25, 0.25, 0.25]]
    assert form.plot.top == "8"
    form.schedule.combo.setCurrentText("Linear")
    assert form.starting_noise_scale.isEnabled()


def test_rules_of_one_s_own_are_drawn_and_measured_ones_say_why_not(form):
    form.set_value(Recipe(num_steps=3, starting_noise_scale=0.5, schedule=schedules.Custom()))
    assert heights(form.plot) == [[1.0, 0.5, 0.25]]
    form.num_steps.edit.setText("20000")
    assert caption(form.plot).startswith("Custom: too many steps to draw.")
    form.set_value(Recipe(schedule=schedules.Measured()))
    assert heights(form.plot) == []
    assert caption(form.plot).startswith("Measured: ")
    assert form.problem() is None


def test_the_diffusion_so_far_is_drawn_on_an_axis_of_its_own(form):
    form.set_world_unit("µm")
    form.set_value(Recipe(num_steps=4, diffusion_filter=filters.Heat(time=2.0)))
    np.testing.assert_allclose(form.plot.width.yData, np.sqrt(np.arange(1, 5) / 4))
    assert "Dashed: diffusion so far, √(2 · time), to 4 µm" in said_by(form.plot)  # √(2 · 4 · 2)
    form.set_value(
        Recipe(num_steps=3, diffusion_filter=(filters.Heat(time=2.0), filters.Heat(time=3.0)))
    )
    np.testing.assert_allclose(form.plot.width.yData, np.sqrt(np.array([2.0, 5.0, 8.0]) / 8))
    form.set_value(Recipe(diffusion_filter=filters.Median()))
    assert form.plot.width is None
    assert "Dashed" not in " ".join(said_by(form.plot))


def test_in_a_domain_units_of_intensity_are_called_stabilised(form):
    form.set_value(Recipe(starting_noise_scale=1.0, domain="anscombe"))

    def units(view):
        return " ".join(label.text() for label in view.findChildren(QLabel))

    assert "stabilised" in units(form.starting_noise_scale)
    assert "stabilised/world" in units(form.diffusion_filter)
    assert "intensity/photon" in units(form.domain)
    assert "stabilised units" in caption(form.plot)
    form.domain.combo.setCurrentText("none")
    assert "stabilised" not in units(form)
    assert form.value() == Recipe(starting_noise_scale=1.0)


def test_the_domain_s_measured_numbers_are_hints(form):
    image = np.random.default_rng(0).poisson(5.0, (64, 64))
    form.set_value(Recipe(domain="anscombe"))
    resolved = form.value().resolved(image)
    form.set_resolved(resolved)
    gain = form.domain.form.fields["gain"]
    assert gain.edit.placeholderText() == f"auto: {resolved.domain.gain:.4g}"
    assert form.value() == Recipe(domain="anscombe")


def test_the_noise_says_what_its_scale_is_in_its_own_terms(form):
    form.set_value(
        Recipe(starting_noise_scale=2.0, noise=noise.Poisson(reference=12.0)),
    )
    assert "At the start: 36 photons at 12" in said_by(form.plot)  # reference² / scale²
    form.starting_noise_scale.edit.setText("4")
    assert "At the start: 9 photons at 12" in said_by(form.plot)
    form.set_value(Recipe(starting_noise_scale=2.0, noise=noise.Poisson()))
    assert "photons" not in " ".join(said_by(form.plot))
    form.set_resolved(form.value().resolved(np.full((9, 9), 10.0)))
    assert "At the start: 25 photons at 10" in said_by(form.plot)
    form.set_value(Recipe(starting_noise_scale=1.0))
    assert "At the start" not in " ".join(said_by(form.plot))


def test_no_scale_at_all_takes_the_noise_as_typed(form):
    typed = Recipe(starting_noise_scale=None, noise=noise.Poisson(gain=2.0))
    form.set_value(typed)
    assert form.value() == typed
    form.noise.combo.setCurrentText("Gaussian")
    assert "starting_noise_scale" in form.problem()


def test_the_plot_comes_without_its_library_until_it_is_made():
    code = (
        "import sys, napari_diffusion.widgets.recipe.recipe_form\n"
        "assert 'pyqtgraph' not in sys.modules and 'napari' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_presets_and_new_components_follow_the_distance_of_the_samples(qtbot):
    form = RecipeWidget()
    qtbot.addWidget(form)
    form.set_pixel_size(0.25)
    assert form.preset() == "explore"
    assert form.value() == PRESETS["explore"].scaled(0.25, digits=3)
    form.final_filter.combo.setCurrentText("Median")
    assert form.final_filter.value() == filters.Median().scaled(0.25)


def test_typed_numbers_stay_when_the_distance_of_the_samples_changes(qtbot):
    form = RecipeWidget()
    qtbot.addWidget(form)
    shown = Recipe(diffusion_filter=filters.Heat(time=3.0), final_filter=filters.Median())
    form.set_value(shown)
    form.set_pixel_size(2.0)
    assert form.value() == shown
    assert form.preset() == "custom"
    form.final_filter.combo.setCurrentText("Gaussian")
    form.final_filter.form.fields["sigma"].set_value(3.0)
    form.set_pixel_size(1.0)
    assert form.final_filter.value() == filters.Gaussian(sigma=3.0)


def test_numbers_made_for_a_distance_are_short(qtbot):
    form = RecipeWidget()
    qtbot.addWidget(form)
    form.set_pixel_size(0.107)
    assert form.value().diffusion_filter.time == 0.00343  # 0.3 · 0.107² = 0.0034347
    assert form.preset() == "explore"
