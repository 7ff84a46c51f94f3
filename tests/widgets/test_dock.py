"""The dock Diffusion loop, driven in a real viewer: runs from the click to the layers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from dock_driver import FACE, RECIPE, click_run, face, made, names, ran, wait

pytest.importorskip("napari")

from napari.layers import Image

import napari_diffusion as nd
from napari_diffusion.records.provenance import recipe_of

NAMES = [
    "00 · σ=0.1 · face",
    "01 · σ=0.046 · face",
    "02 · σ=0.022 · face",
    "03 · σ=0.01 · face",
    "final · face",
]


def test_clicking_run_makes_a_layer_of_every_step_and_of_the_final_filter(open_loop, qtbot):
    viewer, loop = open_loop(face())
    ran(loop, qtbot)
    assert names(viewer) == ["face", *NAMES]
    expected = list(nd.steps(FACE, RECIPE.resolved(FACE)))
    for layer, step in zip(made(viewer), expected, strict=True):
        np.testing.assert_array_equal(layer.data, step.image)
    assert [layer.visible for layer in viewer.layers] == [True, *[False] * 4, True]
    assert "4 steps and the final result" in loop.controls.message.sentence
    assert loop.controls.run.enabled
    assert not loop.controls.cancel.enabled


def test_without_a_final_filter_there_is_no_extra_layer(open_loop, qtbot):
    viewer, loop = open_loop(face())
    ran(loop, qtbot, RECIPE.replaced(final_filter=None))
    assert names(viewer) == ["face", *NAMES[:-1]]


def test_each_layer_has_its_record(open_loop, qtbot):
    viewer, loop = open_loop(face(scale=(0.5, 0.25), axis_labels=("y", "x")))
    ran(loop, qtbot)
    for index, layer in enumerate(made(viewer)):
        record = json.loads(json.dumps(layer.metadata["napari_diffusion"]))
        recipe = recipe_of(record)
        assert recipe.is_resolved
        assert (record["step"], record["is_final"]) == (index, index == 4)
        assert record["grid"]["spacing"] == [0.5, 0.25]
        assert (record["source"], record["seed"], record["first_step"]) == ("face", 7, 0)
        again = list(nd.steps(FACE, recipe, spacing=(0.5, 0.25)))[index]
        np.testing.assert_array_equal(layer.data, again.image)


def test_steps_appear_as_they_are_made(open_loop, qtbot, gate):
    viewer, loop = open_loop(face())
    click_run(loop)
    for count in range(5):
        assert len(made(viewer)) == count
        gate.let(1)
        qtbot.waitUntil(lambda count=count: len(made(viewer)) == count + 1)
        seen = [layer for layer in made(viewer) if layer.visible]
        assert [layer.name for layer in seen] == [NAMES[count]]
    wait(loop, qtbot)


def test_cancel_keeps_the_steps_made_so_far(open_loop, qtbot, gate):
    viewer, loop = open_loop(face())
    click_run(loop)
    gate.let(2)
    qtbot.waitUntil(lambda: len(made(viewer)) == 2)
    loop.controls.cancel.native.click()
    wait(loop, qtbot)
    assert loop.controls.run.enabled
    assert "Cancelled: 2 steps kept" in loop.controls.message.sentence
    gate.let(3)
    qtbot.wait(100)
    assert names(viewer) == ["face", *NAMES[:2]]


def test_cancel_stops_the_thread_within_a_step(open_loop, qtbot):
    _, loop = open_loop(Image(np.random.default_rng(0).random((1500, 1500), np.float32)))
    click_run(loop, RECIPE.replaced(num_steps=1, diffusion_filter=nd.filters.Heat(time=2000.0)))
    qtbot.wait(300)
    loop.controls.cancel.native.click()
    assert loop.runner.worker.join(30)


def test_pause_holds_between_two_steps_and_resume_goes_on(open_loop, qtbot, gate):
    viewer, loop = open_loop(face())
    click_run(loop)
    gate.let(1)
    qtbot.waitUntil(lambda: len(made(viewer)) == 1)
    loop.controls.pause.native.click()
    assert loop.controls.message.sentence == "Paused"
    gate.let(4)
    qtbot.wait(150)
    # What was under way when the button was pressed may still arrive.
    held = len(made(viewer))
    assert held <= 2
    qtbot.wait(150)
    assert len(made(viewer)) == held
    loop.controls.pause.native.click()
    wait(loop, qtbot)
    assert names(viewer) == ["face", *NAMES]


def test_a_paused_run_can_be_cancelled(open_loop, qtbot, gate):
    viewer, loop = open_loop(face())
    click_run(loop)
    gate.let(1)
    qtbot.waitUntil(lambda: len(made(viewer)) == 1)
    loop.controls.pause.native.click()
    loop.controls.cancel.native.click()
    assert loop.runner.worker.join(10)
    wait(loop, qtbot)
    assert loop.controls.pause.text == "Pause"


def test_two_runs_never_overwrite_each_other(open_loop, qtbot):
    viewer, loop = open_loop(face(), Image(FACE, name="01 · σ=0.046 · face"))
    loop.source.set_layer(viewer.layers["face"])
    ran(loop, qtbot)
    first = {id(layer): layer.data.copy() for layer in viewer.layers}
    ran(loop, qtbot, RECIPE.replaced(seed=8))
    assert len(made(viewer)) == 10
    assert len(set(names(viewer))) == 12
    for layer in viewer.layers:
        if id(layer) in first:
            np.testing.assert_array_equal(layer.data, first[id(layer)])
    # The second run lies above the first.
    seeds = [layer.metadata["napari_diffusion"]["seed"] for layer in made(viewer)]
    assert seeds == [7] * 5 + [8] * 5


def test_steps_lie_in_order_right_above_their_source(open_loop, qtbot):
    viewer, loop = open_loop(Image(FACE, name="below"), face(), Image(FACE, name="above"))
    loop.source.set_layer(viewer.layers["face"])
    ran(loop, qtbot)
    assert names(viewer) == ["below", "face", *NAMES, "above"]


def test_deleting_the_source_in_mid_run_does_no_harm(open_loop, qtbot, gate):
    viewer, loop = open_loop(Image(FACE, name="below"), face())
    click_run(loop)
    gate.let(2)
    qtbot.waitUntil(lambda: len(made(viewer)) == 2)
    viewer.layers.remove("face")
    gate.let(3)
    wait(loop, qtbot)
    assert names(viewer) == ["below", *NAMES]
    np.testing.assert_array_equal(made(viewer)[-1].data, nd.run(FACE, RECIPE.resolved(FACE)).image)
    assert loop.source.layer().name == "below"


def test_changing_the_source_in_mid_run_does_not_change_the_run(open_loop, qtbot, gate):
    viewer, loop = open_loop(face())
    found = []
    loop.runner.resolved.connect(found.append)
    click_run(loop)
    qtbot.waitUntil(lambda: len(found) == 1)
    viewer.layers["face"].data[:] = 0
    viewer.layers["face"].data = np.zeros((5, 5), np.float32)
    gate.let(5)
    wait(loop, qtbot)
    np.testing.assert_array_equal(made(viewer)[-1].data, nd.run(FACE, RECIPE.resolved(FACE)).image)


def test_deleting_steps_in_mid_run_does_no_harm(open_loop, qtbot, gate):
    viewer, loop = open_loop(face())
    click_run(loop)
    gate.let(2)
    qtbot.waitUntil(lambda: len(made(viewer)) == 2)
    for layer in made(viewer):
        viewer.layers.remove(layer)
    gate.let(3)
    wait(loop, qtbot)
    assert names(viewer) == ["face", *NAMES[2:]]


@pytest.mark.parametrize("how", ["remove", "close button"])
def test_closing_the_dock_in_mid_run_stops_it(open_loop, qtbot, gate, how):
    viewer, loop = open_loop(face())
    click_run(loop)
    gate.let(2)
    qtbot.waitUntil(lambda: len(made(viewer)) == 2)
    if how == "remove":
        viewer.window.remove_dock_widget(loop.native)
    else:
        loop.native.parent().destroyOnClose()
    gate.let(3)
    assert loop.runner.worker.join(10)
    qtbot.wait(100)
    assert names(viewer) == ["face", *NAMES[:2]]
    assert not loop.runner.is_running


def test_a_closed_dock_is_forgotten_and_can_be_opened_again(open_loop, qtbot):
    viewer, loop = open_loop(face())
    viewer.window.remove_dock_widget(loop.native)
    viewer.add_image(FACE, name="another")
    _, again = viewer.window.add_plugin_dock_widget("napari-diffusion", "Diffusion loop")
    assert again is not loop
    assert again.source.layer().name == "another"
    ran(again, qtbot)
    assert len(made(viewer)) == 5


def test_hiding_the_dock_lets_the_run_go_on(open_loop, qtbot, gate):
    viewer, loop = open_loop(face(), show=True)
    click_run(loop)
    gate.let(1)
    qtbot.waitUntil(lambda: len(made(viewer)) == 1)
    loop.native.parent().hide()
    gate.let(4)
    wait(loop, qtbot)
    assert names(viewer) == ["face", *NAMES]


def test_closing_the_window_in_mid_run_stops_it(open_loop, qtbot, gate):
    viewer, loop = open_loop(face(), show=True)
    click_run(loop)
    gate.let(2)
    qtbot.waitUntil(lambda: len(made(viewer)) == 2)
    worker = loop.runner.worker
    viewer.close()
    assert worker.join(10)


def test_estimate_shows_the_numbers_behind_auto(open_loop, qtbot):
    viewer, loop = open_loop(face())
    recipe = nd.PRESETS["explore"].replaced(starting_noise_scale="auto")
    loop.value = recipe
    loop.estimate_button.native.click()
    wait(loop, qtbot)
    resolved = recipe.resolved(FACE)
    shown = loop.recipe.starting_noise_scale.note.value
    assert shown == f"= {resolved.starting_noise_scale:.4g}"
    assert loop.value == recipe
    assert names(viewer) == ["face"]


def test_the_numbers_of_one_source_are_forgotten_for_another(open_loop, qtbot):
    viewer, loop = open_loop(face())
    recipe = nd.PRESETS["explore"].replaced(starting_noise_scale="auto")
    loop.value = recipe
    loop.estimate_button.native.click()
    wait(loop, qtbot)
    viewer.add_image(FACE, name="another")
    assert loop.recipe.starting_noise_scale.note.value == "intensity"


def test_progress_and_the_time_left_are_shown(open_loop, qtbot, gate):
    _, loop = open_loop(face())
    click_run(loop)
    gate.let(2)
    qtbot.waitUntil(lambda: loop.controls.bar.value == 2, timeout=10_000)
    assert loop.controls.bar.max == 5
    assert loop.controls.message.sentence.endswith("left")


def test_an_error_nobody_thought_of_is_said_without_a_traceback(
    open_loop, qtbot, monkeypatch, said, caplog
):
    def broken(*args, **options):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("napari_diffusion.widgets.run.loop_run.steps", broken)
    _, loop = open_loop(face())
    click_run(loop)
    wait(loop, qtbot)
    assert "ZeroDivisionError" in said[0]
    assert "ZeroDivisionError" in loop.controls.message.sentence
    assert loop.controls.run.enabled


def test_the_command_of_the_menus_opens_the_dock_and_runs(make_napari_viewer, qtbot):
    from napari._app_model import get_app_model

    viewer = make_napari_viewer()
    viewer.add_layer(face())
    commands = get_app_model().commands
    if "napari-diffusion.loop" not in commands:
        pytest.skip("this version of napari registers no commands in tests")
    commands.execute_command("napari-diffusion.loop").result()
    loop = viewer.window.dock_widgets["Diffusion loop (napari-diffusion)"]
    ran(loop, qtbot)
    assert names(viewer) == ["face", *NAMES]


def test_the_dock_works_with_the_viewer_itself_and_with_the_proxy_of_plugins(
    make_napari_viewer, qtbot
):
    from napari_diffusion.widgets.loop.diffusion_loop import DiffusionLoop

    viewer = make_napari_viewer()
    viewer.add_layer(face())
    loop = DiffusionLoop(viewer)
    viewer.window.add_dock_widget(loop)
    ran(loop, qtbot)
    assert names(viewer) == ["face", *NAMES]
