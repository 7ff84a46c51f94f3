"""Which step is shown: slider, list of layers and dock never disagree."""

from __future__ import annotations

import gc
import re
import weakref

import numpy as np
import pytest
from steps_driver import click, run_on, selected

pytest.importorskip("napari")

from napari.layers import Image

import napari_diffusion as nd
from napari_diffusion.widgets.results.shown_step import ShownStep

FACE = np.random.default_rng(1).random((24, 32)).astype(np.float32)
RECIPE = nd.Recipe(num_steps=4, starting_noise_scale=0.1, seed=7)
OTHER = RECIPE.replaced(seed=8, num_steps=3)


def face(**options):
    return Image(FACE.copy(), name="face", **options)


def seen(viewer):
    return [short(layer.name) for layer in viewer.layers if layer.visible]


def short(name):
    """Return a name without the noise scale."""
    return re.sub(r"· σ=\S+ ", "", name)


def agrees(dock, qtbot, name, place):
    """Assert that everything says the same step."""
    qtbot.wait(20)
    assert dock.shown_step.is_visible
    assert short(dock.run.step.layer.name) == name
    assert dock.value == dock.run.shown == dock.step_slider.slider.value() == place
    assert f"step {dock.run.record['step']:02} · {place + 1} of" in dock.step_slider.number.text()
    assert dock.curves.plot._marked == dock.run.record["step"]


def test_the_slider_shows_one_step_and_selects_it_when_it_rests(open_steps, qtbot):
    viewer, dock = open_steps(face())
    steps = run_on(dock, qtbot, RECIPE, viewer.layers["face"])
    agrees(dock, qtbot, "03 · face", 3)
    dock.step_slider.slider.setValue(1)
    agrees(dock, qtbot, "01 · face", 1)
    assert seen(viewer) == ["face", "01 · face"]
    qtbot.waitUntil(lambda: viewer.layers.selection.active is steps[1])
    dock.value = 2
    agrees(dock, qtbot, "02 · face", 2)
    dock.curves.plot.clicked_at(0.3)
    agrees(dock, qtbot, "00 · face", 0)


def test_eyes_and_clicks_in_the_list_are_followed(open_steps, qtbot):
    viewer, dock = open_steps(face())
    steps = run_on(dock, qtbot, RECIPE, viewer.layers["face"])
    # The eye of a step beneath the visible one changes nothing; that of the visible one does.
    steps[1].visible = True
    agrees(dock, qtbot, "03 · face", 3)
    steps[3].visible = False
    agrees(dock, qtbot, "01 · face", 1)
    # To select a hidden step is to show it, alone.
    selected(dock, qtbot, steps[2])
    agrees(dock, qtbot, "02 · face", 2)
    assert seen(viewer) == ["face", "02 · face"]
    # The source says nothing about the step.
    selected(dock, qtbot, viewer.layers["face"])
    agrees(dock, qtbot, "02 · face", 2)
    # A step that another one covers is shown when it is selected.
    steps[3].visible = True
    agrees(dock, qtbot, "03 · face", 3)
    selected(dock, qtbot, steps[2])
    agrees(dock, qtbot, "02 · face", 2)


def test_of_steps_that_shine_through_the_selected_one_counts(open_steps, qtbot):
    viewer, dock = open_steps(face(blending="additive"))
    steps = run_on(dock, qtbot, RECIPE, viewer.layers["face"])
    steps[0].visible = True
    agrees(dock, qtbot, "03 · face", 3)
    selected(dock, qtbot, steps[0])
    agrees(dock, qtbot, "00 · face", 0)
    assert steps[3].visible


def test_all_hidden_and_removed(open_steps, qtbot):
    viewer, dock = open_steps(face())
    steps = run_on(dock, qtbot, RECIPE, viewer.layers["face"])
    selected(dock, qtbot, viewer.layers["face"])
    steps[3].visible = False
    qtbot.wait(20)
    assert not dock.shown_step.is_visible
    assert dock.value == 3
    assert dock.step_slider.number.text() == "hidden · 4 of 4"
    dock.step_slider.slider.setValue(2)
    agrees(dock, qtbot, "02 · face", 2)
    # Removed while it is shown: the nearest one is shown where napari selects it.
    selected(dock, qtbot, steps[2])
    viewer.layers.remove_selected()
    agrees(dock, qtbot, "01 · face", 1)
    assert len(dock.run.steps) == 3
    for layer in [steps[0], steps[1], steps[3]]:
        viewer.layers.remove(layer)
    qtbot.wait(20)
    assert dock.run is dock.value is None
    assert "Run the loop first" in dock.controls.message.sentence
    assert [each.text for each in dock.controls.message.actions] == ["Diffusion loop", "Open run…"]


def test_two_runs_and_a_choice_between_them(open_steps, qtbot):
    viewer, dock = open_steps(face())
    first = run_on(dock, qtbot, RECIPE, viewer.layers["face"])
    assert dock.which.title.value == "4 steps of 'face'"
    assert not dock.which.choice.visible
    second = run_on(dock, qtbot, OTHER, viewer.layers["face"])
    agrees(dock, qtbot, short(second[2].name), 2)
    dock.show()
    assert [dock.which.choice.native.itemText(each) for each in range(2)] == [
        "4 steps of 'face' · run 1",
        "3 steps of 'face' · run 2",
    ]
    dock.which.choice.native.setCurrentIndex(0)
    agrees(dock, qtbot, "03 · face", 3)
    assert first[3].visible
    assert not second[2].visible
    dock.step_slider.slider.setValue(0)
    agrees(dock, qtbot, "00 · face", 0)
    selected(dock, qtbot, second[1])
    assert dock.which.choice.value == 1
    assert dock.value == 1


def test_a_stack_and_a_new_name(open_steps, qtbot):
    viewer, dock = open_steps(face(scale=(0.5, 0.5)))
    (stack,) = run_on(dock, qtbot, RECIPE, viewer.layers["face"], result="stack")
    dock.step_slider.slider.setValue(1)
    assert viewer.dims.current_step[0] == 1
    viewer.dims.set_point(0, 2)
    agrees(dock, qtbot, stack.name, 2)
    stack.visible = False
    dock.value = 0
    assert stack.visible
    agrees(dock, qtbot, stack.name, 0)
    viewer.layers["face"].name = "portrait"
    qtbot.wait(20)
    assert dock.run.source is None
    assert not dock.curves.recommend.enabled
    viewer.layers["portrait"].name = "face"
    qtbot.wait(20)
    assert dock.run.source is viewer.layers["face"]


def test_channels_are_shown_together(open_steps, qtbot):
    layers = [
        Image(FACE * c, name=name, colormap=name, blending="additive")
        for c, name in enumerate(("red", "green"), 1)
    ]
    viewer, dock = open_steps(*layers)
    run_on(dock, qtbot, RECIPE, *viewer.layers)
    dock.value = 1
    assert seen(viewer) == ["01 · red", "01 · green"]
    agrees(dock, qtbot, "01 · green", 1)


def test_layers_that_are_inserted_hidden_are_not_taken_for_clicks(open_steps, qtbot):
    viewer, dock = open_steps(face())
    steps = run_on(dock, qtbot, RECIPE, viewer.layers["face"])
    dock.value = 1
    qtbot.waitUntil(lambda: viewer.layers.selection.active is steps[1])
    click(dock.keep)
    assert [layer.name for layer in viewer.layers] == ["face", steps[1].name]
    click(dock.back)
    agrees(dock, qtbot, "01 · face", 1)
    assert seen(viewer) == ["face", "01 · face"]


def test_one_model_for_a_viewer_that_goes_with_its_docks(make_napari_viewer):
    viewer = make_napari_viewer()
    model = ShownStep.of(viewer)
    assert ShownStep.of(viewer) is model
    known = weakref.ref(model)
    del model
    gc.collect()
    assert known() is None
