"""A parameter sweep of a run: one mosaic, values taken, everything as before."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from steps_driver import click, clicked, run_on, wait

pytest.importorskip("napari")

from napari.layers import Image

import napari_diffusion as nd

RANDOM = np.random.default_rng(3)
SQUARES = 100.0 * (np.add.outer(np.arange(150) // 25, np.arange(140) // 28) % 2)
NOISY = (SQUARES + 10 * RANDOM.normal(size=SQUARES.shape)).astype(np.float32)
SMOOTH = nd.PRESETS["smooth"].replaced(num_steps=3)


@pytest.fixture(autouse=True)
def _small_part(monkeypatch):
    """Try the numbers on a part that is quick."""
    monkeypatch.setattr("napari_diffusion.widgets.analysis.sweep_run._PLANE", {"y": 128, "x": 112})


def state(viewer):
    camera = viewer.scene.camera
    return (
        [(layer.name, layer.visible) for layer in viewer.layers],
        (camera.zoom, tuple(camera.center)),
        (viewer.dims.point, viewer.dims.ndisplay),
        set(viewer.layers.selection),
        list(viewer.mouse_drag_callbacks),
    )


def press(viewer, world):
    for callback in viewer.mouse_drag_callbacks:
        callback(viewer, SimpleNamespace(position=tuple(world)))


def tiles_of(mosaic, shape, rows, columns):
    """Return the tiles of a mosaic of planes, by where their corners must lie."""
    gap = (mosaic.data.shape[0] - rows * shape[0]) // (rows + 1)
    corners = [
        (gap + r * (shape[0] + gap), gap + c * (shape[1] + gap))
        for r in range(rows)
        for c in range(columns)
    ]
    return corners, [mosaic.data[y : y + shape[0], x : x + shape[1]] for y, x in corners]


def test_one_mosaic_that_goes_without_a_trace(open_steps, qtbot, said, monkeypatch):
    viewer, dock = open_steps(
        Image(NOISY.copy(), name="squares", scale=(0.5, 0.5)), Image(NOISY[:9], name="other")
    )
    run_on(dock, qtbot, SMOOTH, viewer.layers["squares"])
    dock.turn_to("Study")
    sweep = dock.study.sweep
    assert not sweep.is_open
    sweep.values[0].value, sweep.values[1].value = "20, 60", "a lot"
    click(sweep.start)
    assert said[-1] == "Parameter sweep: time must be numbers such as 5, 10, 20 (got 'a lot')."
    sweep.values[1].value = "0.05; 0.1; 0.2"
    qtbot.wait(400)
    before = state(viewer)
    mosaic, words = clicked(dock, qtbot, sweep.start)
    assert (mosaic.name, words.name) == ("parameter sweep", "parameter sweep · values")
    assert [layer.name for layer in viewer.layers if layer.visible] == [mosaic.name, words.name]
    resolved = SMOOTH.resolved(NOISY, spacing=0.5)
    expected = nd.analysis.parameter_sweep(
        NOISY, resolved, {"contrast": [20.0, 60.0], "time": [0.05, 0.1, 0.2]},
        region=(slice(11, 139), slice(14, 126)), spacing=0.5,
    )  # fmt: skip
    corners, tiles = tiles_of(mosaic, (128, 112), 2, 3)
    for tile, sweep_run in zip(tiles, expected.sweep_runs, strict=True):
        np.testing.assert_array_equal(tile, sweep_run.image)
    # The first tile lies where the part lies that is tried.
    np.testing.assert_allclose(mosaic.data_to_world(corners[0]), (5.5, 7.0))
    assert sweep.selected.parameters == expected.best.parameters
    sentence = dock.controls.message.sentence
    assert expected.best.in_words() in sentence
    assert "Try a " in sentence  # of two contrasts each is an end
    assert any("best" in text for text in words.text.values)

    framed = []
    for place in (4, 5):
        press(viewer, mosaic.data_to_world(np.add(corners[place], 30)))
        assert sweep.selected.parameters == expected.sweep_runs[place].parameters
        framed.append(np.isfinite(mosaic.data).sum())
    press(viewer, (-90, -90))
    assert sweep.selected.parameters == expected.sweep_runs[5].parameters
    # Of two tiles one has a frame.
    assert framed[0] == framed[1] > 6 * 128 * 112
    taken = []
    monkeypatch.setattr(
        "napari_diffusion.widgets.steps.steps.hand_over", lambda *each: taken.append(each[1])
    )
    click(sweep.take)
    changed = resolved.diffusion_filter.replaced(contrast=60.0, time=0.2)
    assert taken == [resolved.replaced(diffusion_filter=changed)]
    click(sweep.close_button)
    qtbot.wait(50)
    assert state(viewer) == before


def test_a_sweep_ends_with_its_layer_and_with_its_dock(open_steps, qtbot):
    viewer, dock = open_steps(Image(NOISY.copy(), name="squares"))
    run_on(dock, qtbot, SMOOTH, viewer.layers["squares"])
    before = state(viewer)
    dock.turn_to("Study")
    for value in dock.study.sweep.values:
        value.value = "0.1, 0.2"
    (mosaic, _) = clicked(dock, qtbot, dock.study.sweep.start)
    viewer.layers.remove(mosaic)
    assert not dock.study.sweep.is_open
    assert state(viewer) == before
    clicked(dock, qtbot, dock.study.sweep.start)
    viewer.window.remove_dock_widget(dock.native)
    assert state(viewer) == before


def test_colours(open_steps, qtbot):
    colours = RANDOM.integers(0, 255, (40, 50, 3)).astype(np.uint8)
    viewer, dock = open_steps(Image(colours, name="face", rgb=True))
    run_on(dock, qtbot, SMOOTH, viewer.layers["face"], axes="yxc")
    dock.turn_to("Study")
    dock.study.sweep.values[0].value, dock.study.sweep.values[1].value = "20", "0.1, 0.4"
    mosaic, *_ = clicked(dock, qtbot, dock.study.sweep.start)
    assert mosaic.rgb
    assert mosaic.data.dtype == np.uint8
    _, tiles = tiles_of(mosaic, (40, 50), 1, 2)
    resolved = SMOOTH.resolved(colours, axes="yxc", rgb=True)
    for tile, time in zip(tiles, (0.1, 0.4), strict=True):
        changed = resolved.diffusion_filter.replaced(contrast=20.0, time=time)
        image = nd.run(colours, resolved.replaced(diffusion_filter=changed), axes="yxc", rgb=True)
        np.testing.assert_array_equal(tile, np.rint(image.image.clip(0, 255)).astype(np.uint8))


def test_a_volume_of_flat_voxels_and_one_parameter(open_steps, qtbot):
    stack = np.stack([NOISY[:48, :54]] * 3)
    viewer, dock = open_steps(Image(stack, name="stack", scale=(2.0, 0.5, 0.25)))
    recipe = SMOOTH.replaced(num_steps=1, diffusion_filter=nd.filters.Heat(time=0.5))
    run_on(dock, qtbot, recipe, viewer.layers["stack"], axes="zyx")
    dock.turn_to("Study")
    sweep = dock.study.sweep
    assert [combo.value for combo in sweep.names] == ["time", "–"]
    mosaic, words = clicked(dock, qtbot, sweep.start)
    np.testing.assert_array_equal(mosaic.scale, (2.0, 0.5, 0.25))
    gap = 6
    assert mosaic.data.shape == (3, 48 + 2 * gap, 4 * (54 + gap) + gap)
    for place, factor in enumerate((0.25, 0.5, 1, 2)):
        first = gap + place * (54 + gap)
        heat = nd.filters.Heat(time=float(f"{0.5 * factor:.3g}"))
        expected = nd.run(
            stack, recipe.replaced(diffusion_filter=heat), axes="zyx", spacing=(2.0, 0.5, 0.25)
        )
        np.testing.assert_array_equal(mosaic.data[:, gap:-gap, first : first + 54], expected.image)
    # Values stand within their tiles.
    assert [text.split("\n")[0] for text in words.text.values if "time" in text] == ["time"] * 4
    click(sweep.close_button)
    assert [layer.name for layer in viewer.layers if "sweep" in layer.name] == []


def test_a_cancelled_sweep_keeps_its_tiles_until_it_is_closed(open_steps, qtbot):
    viewer, dock = open_steps(Image(NOISY.copy(), name="squares"))
    run_on(dock, qtbot, SMOOTH, viewer.layers["squares"])
    dock.turn_to("Study")
    before = state(viewer)
    click(dock.study.sweep.start)
    qtbot.waitUntil(lambda: "parameter sweep" in viewer.layers)
    click(dock.controls.cancel)
    wait(dock, qtbot)
    assert dock.controls.message.sentence.startswith("Cancelled: ")
    assert dock.study.sweep.selected is not None
    click(dock.study.sweep.close_button)
    assert state(viewer) == before
