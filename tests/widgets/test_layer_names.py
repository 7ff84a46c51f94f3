"""Names of layers, and which run on its source a layer is of."""

from __future__ import annotations

import pytest

pytest.importorskip("napari")

from dock_driver import RECIPE, click_run, face, go_on, made, names, ran, wait

from napari_diffusion.loop.step import Step
from napari_diffusion.widgets.layers import layer_names

FIRST = ["00 · σ=0.1 · face", "01 · σ=0.046 · face", "02 · σ=0.022 · face", "03 · σ=0.01 · face"]


def test_what_tells_layers_apart_comes_first():
    assert layer_names.layer_name("07 · σ=2", "face") == "07 · σ=2 · face"
    assert layer_names.layer_name("final", "face", 2) == "final · face (run 2)"
    assert layer_names.noise_free_name(Step(7, 0.0, None, False), 10) == "07 · noise-free"
    assert layer_names.noise_free_name(Step(10, 0.0, None, True), 10) == "final · noise-free"


@pytest.mark.parametrize(
    ("there", "run"),
    [
        ([], 1),
        (["face", "face (run 7)", "denoised · face", "07 · σ=2 · other"], 1),
        (["07 · σ=2 · face"], 2),
        (["final · face"], 2),
        (["31 steps · face"], 2),
        (["final · face (run 4)"], 5),
        (["final · face · crop"], 1),
    ],
)
def test_the_number_of_the_next_run(there, run):
    assert layer_names.next_run(there, "face") == run


def test_every_layer_of_a_second_run_has_its_number(open_loop, qtbot):
    viewer, loop = open_loop(face())
    ran(loop, qtbot)
    loop.source.set_layer(viewer.layers["face"])
    ran(loop, qtbot)
    first = [*FIRST, "final · face"]
    assert names(viewer) == ["face", *first, *(f"{name} (run 2)" for name in first)]


def test_a_run_that_is_continued_keeps_its_number(open_loop, qtbot, gate):
    viewer, loop = open_loop(face())
    ran_steps = RECIPE.replaced(num_steps=8, final_filter=None)
    click_run(loop, ran_steps)
    gate.let(3)
    qtbot.waitUntil(lambda: len(made(viewer)) == 3)
    loop.controls.cancel.native.click()
    wait(loop, qtbot)
    gate.let(20)
    go_on(viewer, qtbot, more=2)
    assert len(made(viewer)) == 5
    assert not any("run" in layer.name or "[" in layer.name for layer in made(viewer))


def test_the_same_noise_twice_has_two_names():
    taken = {"denoised · face", "denoised · face (run 2)"}
    assert layer_names.free_name("denoised", "face", 1, taken) == "denoised · face (run 3)"
