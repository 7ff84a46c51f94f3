"""The dock Diffusion loop as it is first seen, and what it says."""

from __future__ import annotations

import numpy as np
import pytest
from dock_driver import FACE, RECIPE, face, made, ran, wait

pytest.importorskip("napari")

from napari.layers import Image, Labels
from qtpy.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QPushButton, QSpinBox

import napari_diffusion as nd
from napari_diffusion.loop.recipe_units import LengthUnit
from napari_diffusion.records.provenance import recipe_of
from napari_diffusion.widgets.layers.step_records import records_of
from napari_diffusion.widgets.loop import diffusion_loop
from napari_diffusion.widgets.run import folder_question, memory
from napari_diffusion.widgets.steps.recipe_handover import hand_over

HEAT = nd.Recipe(num_steps=2, noise=None, diffusion_filter=nd.filters.Heat(time=3.0))

FOLDS = ("noise", "schedule", "diffusion_filter", "final_filter")


def in_view(loop, *kinds):
    return [
        each
        for each in loop.native.findChildren(kinds)
        if each.isVisible() and each.isEnabled() and each.property("role") != "fold"
    ]


def unfold(loop):
    for name in FOLDS:
        getattr(loop.recipe, name).toggle.open = True
    loop.advanced.open = True


def actions(loop):
    return [button.text for button in loop.controls.message.actions]


# --- first sight ---


def test_at_most_twelve_things_can_be_set_or_clicked_at_first_sight(open_loop, qtbot):
    _, loop = open_loop(face(), show=True)
    qtbot.waitUntil(loop.controls.run.native.isVisible)
    found = in_view(loop, QComboBox, QLineEdit, QSpinBox, QCheckBox, QPushButton)
    assert 8 <= len(found) <= 12
    buttons = loop.native.findChildren(QPushButton)
    primary = [each.text() for each in buttons if each.property("role") == "primary"]
    assert primary == ["Run"]
    unfold(loop)
    assert len(in_view(loop, QComboBox, QLineEdit, QSpinBox, QCheckBox, QPushButton)) > 30


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_nothing_is_clipped_at_1280_by_800(open_loop, qtbot, theme):
    viewer, loop = open_loop(face(scale=(0.107, 0.107), units="µm"), show=True)
    viewer.window._qt_window.resize(1280, 800)
    viewer.theme = theme
    ran(loop, qtbot)
    unfold(loop)
    qtbot.wait(50)
    area = loop._area
    assert area.widget().minimumSizeHint().width() <= area.viewport().width()
    assert area.viewport().width() < 340
    assert not area.horizontalScrollBar().isVisible()
    for button in loop.native.findChildren(QPushButton):
        if button.isVisible():
            wanted = button.fontMetrics().horizontalAdvance(button.text())
            assert wanted <= button.width(), button.text()
    for label in loop.native.findChildren(QLabel):
        if label.isVisible() and not label.wordWrap():
            assert label.sizeHint().width() <= label.width(), label.text()
    window = viewer.window._qt_window
    assert window.height() <= 800
    for button in (loop.controls.run.native, loop.controls.message.actions[0].native):
        assert window.rect().contains(button.mapTo(window, button.rect().bottomRight()))


def test_without_an_image_there_is_nothing_to_run(open_loop):
    viewer, loop = open_loop()
    for button in (loop.controls.run, loop.estimate_button, loop.preview.tick, loop.meter.button):
        assert not button.enabled
    assert loop.controls.message.sentence.startswith("No image layer")
    viewer.add_layer(face())
    for button in (loop.controls.run, loop.estimate_button, loop.preview.tick, loop.meter.button):
        assert button.enabled
    assert loop.controls.message.sentence == ""


def test_buttons_that_do_not_apply_are_disabled_during_a_run(open_loop, qtbot, gate):
    _, loop = open_loop(face())
    loop.value = RECIPE
    loop.controls.run.native.click()
    others = (loop.estimate_button, loop.preview.tick, loop.meter.button, loop.controls.run)
    assert not any(button.enabled for button in others)
    typed = loop.recipe.num_steps.editor.native
    typed.setText("5")
    assert not any(button.enabled for button in others)
    gate.let(9)
    wait(loop, qtbot)
    assert all(button.enabled for button in others)


def test_a_bad_field_is_marked_and_said_in_the_message(open_loop):
    _, loop = open_loop(face())
    edit = loop.recipe.num_steps.editor.native
    edit.setText("0")
    assert edit.property("role") == "error"
    assert loop.controls.message.sentence == loop.recipe.problem
    assert loop.controls.message.role == "error"
    assert not loop.controls.run.enabled
    edit.setText("4")
    assert loop.controls.message.sentence == ""
    assert loop.controls.run.enabled


def test_what_a_run_refuses_marks_the_field_and_unfolds_it(open_loop, qtbot, said):
    _, loop = open_loop(Image(np.random.default_rng(0).random((3, 24, 32)), axis_labels="cyx"))
    filters = nd.filters.PeronaMalik(contrast=(1.0, 2.0))
    loop.value = RECIPE.replaced(diffusion_filter=filters)
    loop.controls.run.native.click()
    wait(loop, qtbot)
    sentence = "PeronaMalik: contrast lists 2 values, but the image has 3 channels."
    assert loop.controls.message.sentence == said[-1] == sentence
    assert loop.recipe.diffusion_filter.toggle.open
    contrast = loop.recipe.diffusion_filter.form.rows["contrast"]
    assert contrast.editor.native.property("role") == "error"


def test_what_a_run_takes_stands_in_the_tooltip_of_its_button(open_loop):
    _, loop = open_loop(face())
    loop.value = RECIPE
    assert "It makes 5 layers, " in loop.controls.run.tooltip
    loop.result.value = "stack", 2
    assert "It makes 1 stack of " in loop.controls.run.tooltip


# --- scripts ---


def test_the_dock_works_in_a_script_without_a_window_of_its_own(make_napari_viewer, qtbot):
    from napari_diffusion.widgets import DiffusionLoop

    viewer = make_napari_viewer()
    viewer.add_layer(face())
    loop = DiffusionLoop(viewer)
    heard = []
    loop.changed.connect(heard.append)
    assert loop.source.image.value is viewer.layers["face"]
    loop.value = RECIPE
    assert heard
    assert loop.value == RECIPE
    loop.run()
    wait(loop, qtbot)
    assert len(made(viewer)) == 5
    loop.let_go(closed=True)


# --- units ---


def test_a_recipe_edited_in_pixels_is_converted_for_an_image_in_micrometres(open_loop, qtbot):
    """With its numbers as typed it was 87 times the diffusion."""
    viewer, loop = open_loop(face())
    loop.value = HEAT
    ran(loop, qtbot, HEAT)
    in_pixels = made(viewer)[-1].data
    small = viewer.add_layer(Image(FACE.copy(), name="small", scale=(0.107,) * 2, units="µm"))
    assert loop.source.layer() is small
    assert loop.value.diffusion_filter.time == pytest.approx(3 * 0.107**2)
    assert loop.controls.message.role == "warning"
    assert loop.controls.message.sentence == (
        "Lengths converted from pixels to µm; the effect on the pixels is the same."
    )
    loop.controls.run.native.click()
    wait(loop, qtbot)
    np.testing.assert_allclose(made(viewer)[-1].data, in_pixels, rtol=1e-5)


def test_undo_takes_the_numbers_as_typed(open_loop):
    viewer, loop = open_loop(face())
    loop.value = HEAT
    viewer.add_layer(Image(FACE.copy(), name="small", scale=(0.107,) * 2, units="µm"))
    assert actions(loop) == ["Undo"]
    loop.controls.message.actions[0].native.click()
    assert loop.value == HEAT
    assert loop.controls.message.sentence == ""
    time = loop.recipe.diffusion_filter.form.rows["time"]
    assert time.note.value == "µm² = 262 px²"


def test_an_edit_takes_the_numbers_in_view_for_good(open_loop):
    viewer, loop = open_loop(face())
    loop.value = HEAT
    viewer.add_layer(Image(FACE.copy(), name="small", scale=(0.5,) * 2, units="µm"))
    loop.recipe.num_steps.editor.native.setText("3")
    assert loop.controls.message.sentence == ""
    assert loop.value.diffusion_filter.time == 0.75


def test_removing_the_image_converts_nothing(open_loop):
    viewer, loop = open_loop(face(scale=(0.107,) * 2, units="µm"))
    loop.value = HEAT
    viewer.layers.clear()
    assert loop.value == HEAT
    viewer.add_layer(face(scale=(0.107,) * 2, units="µm"))
    assert loop.value == HEAT
    assert loop.controls.message.sentence == ""


def test_a_preset_in_view_stays_that_preset_and_says_nothing(open_loop):
    viewer, loop = open_loop(face())
    viewer.add_layer(Image(FACE.copy(), name="small", scale=(0.107,) * 2, units="µm"))
    assert loop.recipe.preset == "explore"
    assert loop.value == nd.PRESETS["explore"].scaled(0.107, 3)
    assert loop.controls.message.sentence == ""


def test_a_step_s_recipe_comes_with_its_unit_and_its_mask(open_loop):
    viewer, loop = open_loop(face(scale=(0.5, 0.5), units="µm"))
    viewer.add_layer(Labels(np.ones(FACE.shape, int), name="cell", scale=(0.5, 0.5), units="µm"))
    loop.use_recipe(HEAT, "cell")
    assert loop.value == HEAT
    assert loop.source.mask.value is viewer.layers["cell"]
    assert loop.controls.message.sentence == "Filled in the recipe and the mask."
    loop.use_recipe(HEAT, "gone", LengthUnit())
    assert loop.value.diffusion_filter.time == 0.75
    assert loop.controls.message.sentence.startswith(
        "Filled in the recipe; its mask 'gone' was removed or does not fit the image. Lengths "
    )
    assert actions(loop) == ["Undo"]


def test_a_step_s_recipe_is_converted_from_the_unit_of_its_run(open_loop, qtbot):
    viewer, loop = open_loop(face(scale=(0.5, 0.5), units="µm"))
    ran(loop, qtbot, HEAT)
    record = records_of(made(viewer)[-1])[0]
    viewer.add_layer(Image(FACE.copy(), name="in pixels"))
    hand_over(viewer, recipe_of(record), record)
    assert loop.value.diffusion_filter.time == 12.0  # 3 / 0.5²
    assert "Lengths converted from µm to pixels" in loop.controls.message.sentence


# --- samples ---


def test_the_recipe_of_a_sample_is_shown_first(open_loop):
    sample = {"name": "face", "role": "image", "recipe": RECIPE.to_dict()}
    viewer, loop = open_loop(face(metadata={"napari_diffusion_sample": sample}))
    assert loop.recipe.preset == "sample recipe"
    assert loop.value == RECIPE
    viewer.add_layer(Image(FACE.copy(), name="own", scale=(0.5, 0.5), units="µm"))
    assert loop.recipe.preset == "explore"
    assert loop.value == nd.PRESETS["explore"].scaled(0.5, 3)


# --- what is said after a run ---


def test_after_a_run_the_steps_can_be_shown(open_loop, qtbot, monkeypatch):
    viewer, loop = open_loop(face())
    opened = []
    monkeypatch.setattr(diffusion_loop, "open_dock", lambda *which: opened.append(which[:2]))
    ran(loop, qtbot)
    assert loop.controls.message.sentence.endswith("4 steps and the final result.")
    assert loop.controls.message.role == "good"
    assert actions(loop) == ["Show steps"]
    loop.controls.message.actions[0].native.click()
    assert opened == [(viewer, "Steps")]


def test_steps_of_colours_that_are_rounded_say_so(open_loop, qtbot):
    colours = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)
    _, loop = open_loop(Image(colours, rgb=True))
    ran(loop, qtbot)
    assert "rounded to uint8, as RGB layers are." in loop.controls.message.sentence
    ran(loop, qtbot, RECIPE.replaced(noise=None, starting_noise_scale="auto"))
    assert "rounded" not in loop.controls.message.sentence


def test_what_fits_into_memory_is_offered(open_loop, said, monkeypatch):
    _, loop = open_loop(face())
    monkeypatch.setattr(memory, "free_memory", lambda: 50_000)
    monkeypatch.setattr(folder_question, "asked", lambda sentence, lazy: None)
    loop.value = RECIPE.replaced(num_steps=100, final_filter=None)
    loop.controls.run.native.click()
    assert loop.controls.message.role == "error"
    assert loop.controls.message.sentence.startswith("This run needs ")
    first, every, fewer = actions(loop)
    assert first == "Stack on disk"
    assert every.startswith("Every ")
    loop.controls.message.actions[2].native.click()
    assert f"{loop.value.num_steps} steps" == fewer
    assert loop.controls.message.sentence == ""
