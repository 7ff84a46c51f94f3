"""Layers that the user has locked are neither removed nor changed; restored ones look right."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari")

from dock_driver import FACE, RECIPE, click_run, face, made, names, ran, wait
from napari.layers import Image
from napari.layers.base import LayerLock

import napari_diffusion as nd
from napari_diffusion.records.provenance import record
from napari_diffusion.widgets.layers.layer_locks import locked_words
from napari_diffusion.widgets.layers.layer_style import LayerStyle
from napari_diffusion.widgets.layers.step_layers import Place, StepStack, image_layer
from napari_diffusion.widgets.layers.thumbnails import draw_thumbnails
from napari_diffusion.widgets.results.shown_step import ShownStep
from napari_diffusion.widgets.results.side_by_side import SideBySide
from napari_diffusion.widgets.steps.step_keeping import StepKeeper

PLAIN = RECIPE.replaced(diffusion_filter=nd.filters.Heat(time=0.2))

GRID = {"axes": "yx", "spacing": (1.0, 1.0)}


@pytest.fixture
def infos(monkeypatch):
    sentences = []
    monkeypatch.setattr("napari.utils.notifications.show_info", sentences.append)
    return sentences


@pytest.fixture
def run(make_napari_viewer):
    """Return a viewer with a source and the five steps of a run, the last of them shown."""
    viewer = make_napari_viewer()
    source = viewer.add_layer(Image(FACE.copy(), name="face", contrast_limits=(0, 1)))
    for step in nd.steps(FACE, PLAIN, **GRID):
        kept = record(PLAIN, step, GRID, "face")
        name = f"{'final' if step.is_final else f'{step.index:02}'} · face"
        layer = viewer.add_layer(image_layer(step.image, name, LayerStyle.of(source), kept))
        layer.visible = step.is_final
    return viewer


def state(layer):
    return layer.name, layer.visible, layer.data.copy()


def same(layer, before):
    return (layer.name, layer.visible) == before[:2] and np.array_equal(layer.data, before[2])


def test_the_sentence_of_what_was_spared():
    assert locked_words(0) == ""
    assert locked_words(1) == "1 locked layer was kept."
    assert locked_words(2, "left visible") == "2 locked layers were left visible."


def test_keeping_one_step_keeps_the_locked_ones(run, infos):
    for name in ("01 · face", "03 · face"):
        run.layers[name].locked = LayerLock.DELETION
    run.layers.selection.active = run.layers["final · face"]
    keeper = StepKeeper(run)
    assert keeper.keep(ShownStep.of(run).run)
    assert names(run) == ["face", "01 · face", "03 · face", "final · face"]
    assert infos == ["2 locked layers were kept."]
    keeper.bring_back()
    assert len(names(run)) == 6
    keeper.close()


def test_stepping_leaves_a_locked_layer_as_it_was(run):
    shown_step = ShownStep.of(run)
    run.layers.selection.active = run.layers["final · face"]
    hidden, shown = run.layers["01 · face"], run.layers["03 · face"]
    shown.visible = True
    for layer in (hidden, shown):
        layer.locked = True
    shown_step.show(0)
    assert shown.visible
    assert shown_step.run.shown == 0
    shown_step.show(1)  # the user asks for it
    assert hidden.visible
    shown_step.show(2)
    assert (hidden.visible, shown.visible) == (False, True)
    assert shown_step.run.shown == 2


def test_a_run_covers_no_locked_source(open_loop, qtbot, infos):
    viewer, loop = open_loop(face(blending="additive"))
    viewer.layers["face"].locked = True
    before = state(viewer.layers["face"])
    ran(loop, qtbot)
    assert same(viewer.layers["face"], before)
    assert infos == ["1 locked layer was left visible."]
    other = viewer.layers["face"]
    other.visible = False
    while made(viewer):
        viewer.layers.remove(made(viewer)[-1])
    assert not other.visible  # shown again by nobody


def test_a_step_that_is_locked_in_mid_run_stays_visible(open_loop, qtbot, gate):
    viewer, loop = open_loop(face())
    click_run(loop)
    gate.let(1)
    qtbot.waitUntil(lambda: len(made(viewer)) == 1)
    first = made(viewer)[0]
    first.locked = True
    gate.let(4)
    wait(loop, qtbot)
    assert first.visible
    assert [layer.visible for layer in made(viewer)[1:]] == [False, False, False, True]


def test_a_stack_that_is_locked_in_mid_run_is_left_as_it_is(make_napari_viewer, infos):
    viewer = make_napari_viewer()
    source = viewer.add_layer(face())
    buffer = np.zeros((5, *FACE.shape), np.float32)
    sink = StepStack(viewer, Place(viewer, [source]), LayerStyle.of(source), "5 steps", buffer)
    locked = None
    for step in nd.steps(FACE, PLAIN, **GRID):
        sink.show(sink.keep(step), record(PLAIN, step, GRID, "face"))
        sink.finish()
        if step.index == 1:
            locked = made(viewer)[0]
            locked.locked = True
            before = state(locked)
    assert same(locked, before)
    assert len(locked.metadata["napari_diffusion"]["steps"]) == 2
    whole = made(viewer)[1]
    assert len(whole.data) == len(whole.metadata["napari_diffusion"]["steps"]) == 5
    assert len(infos) == 1


def test_a_locked_comparison_is_left_alone(run, infos):
    run.layers.selection.active = run.layers["final · face"]
    found = ShownStep.of(run).run
    cover = SideBySide(run, left=False)
    cover.show(found, FACE, "compared")
    layer = cover.layer
    layer.locked = True
    before = state(layer)
    assert not cover.turn()
    cover.show(found, FACE + 1, "other")
    assert same(layer, before)
    assert cover.layer is not layer
    cover.close()
    assert names(run)[-1] == "compared"
    assert infos == ["1 locked layer was kept."]


# --- thumbnails ---


def right(layer):
    """Say whether a thumbnail is what napari draws once the layer is shown."""
    drawn = layer.thumbnail.copy()
    layer.visible = True
    layer.refresh(force=True)
    return drawn[..., :3].any() and np.abs(drawn.astype(int) - layer.thumbnail).max() <= 1


def test_restored_layers_have_their_thumbnails(run):
    run.layers.selection.active = run.layers["final · face"]
    for layer in made(run):
        layer.data = layer.data * 0.5  # hidden layers draw nothing for this
    keeper = StepKeeper(run)
    keeper.keep(ShownStep.of(run).run)
    keeper.bring_back()
    assert len(made(run)) == 5
    assert all(right(layer) for layer in made(run))
    keeper.close()


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2)])
@pytest.mark.parametrize("ndisplay", [2, 3])
@pytest.mark.parametrize("kind", ["float", "uint16", "mask", "gamma"])
def test_thumbnails_of_volumes_follow_the_sliders(make_napari_viewer, order, ndisplay, kind):
    viewer = make_napari_viewer()
    values = np.random.default_rng(0).random((6, 50, 70))
    values[2] *= 0.3
    arguments = {"scale": (2.0, 0.5, 0.5), "contrast_limits": (0.1, 0.9)}
    if kind == "uint16":
        values, arguments["contrast_limits"] = (1000 * values).astype(np.uint16), (100, 900)
    elif kind == "mask":
        values, arguments["contrast_limits"] = values > 0.1, (0, 1)
    elif kind == "gamma":
        arguments |= {"gamma": 0.5, "opacity": 0.7, "colormap": "magma"}
    viewer.add_image(np.zeros((6, 50, 70)), scale=(2.0, 0.5, 0.5))
    viewer.dims.order, viewer.dims.ndisplay = order, ndisplay
    viewer.dims.set_point(order[0], 4.0)
    layer = Image(values, visible=False, **arguments)
    viewer.layers.append(layer)
    assert not layer.thumbnail[..., :3].any()
    draw_thumbnails([layer], viewer.dims)
    assert right(layer)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("count", [3, 4])
def test_thumbnails_of_colours(make_napari_viewer, dtype, count):
    viewer = make_napari_viewer()
    values = np.random.default_rng(0).random((40, 60, count))
    values = (255 * values).astype(np.uint8) if dtype == np.uint8 else values.astype(dtype)
    layer = Image(values, rgb=True, visible=False, opacity=0.8)
    viewer.layers.append(layer)
    draw_thumbnails([layer], viewer.dims)
    assert right(layer)


def test_hidden_layers_of_a_run_have_thumbnails(open_loop, qtbot):
    viewer, loop = open_loop(face())
    loop.noise_free_run.value = True
    ran(loop, qtbot)
    hidden = [layer for layer in made(viewer) if "noise-free" in layer.name]
    assert len(hidden) == 5
    assert all(right(layer) for layer in hidden)
