"""A parameter sweep in the window: tiles side by side, values taken, everything as before."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from dock_driver import wait

pytest.importorskip("napari")

from napari.layers import Image

import napari_diffusion as nd

RANDOM = np.random.default_rng(3)
SQUARES = 100.0 * (np.add.outer(np.arange(150) // 25, np.arange(140) // 28) % 2)
NOISY = (SQUARES + 10 * RANDOM.normal(size=SQUARES.shape)).astype(np.float32)
SMOOTH = nd.PRESETS["smooth"]


@pytest.fixture(autouse=True)
def _small_part(monkeypatch):
    """Try the numbers on a part that is quick."""
    monkeypatch.setattr("napari_diffusion.widgets.analysis.sweep_run._PLANE", {"y": 128, "x": 112})


def test_tiles_stand_side_by_side_and_go_without_a_trace(open_loop, qtbot, said):
    viewer, loop = open_loop(
        Image(NOISY.copy(), name="squares", scale=(0.5, 0.5)), Image(NOISY[:9], name="other")
    )
    viewer.layers.selection.active = viewer.layers["squares"]
    loop.recipe.set_value(SMOOTH)
    parameter_sweep = loop.parameter_sweep
    assert not parameter_sweep.take.isVisibleTo(parameter_sweep)
    parameter_sweep.values[0].setText("20, 60")
    parameter_sweep.values[1].setText("a lot")
    parameter_sweep.button.click()
    assert said[-1] == "Parameter sweep: time must be numbers such as 5, 10, 20 (got 'a lot')."
    assert len(viewer.layers) == 2
    parameter_sweep.values[1].setText("0.05; 0.1; 0.2")
    callbacks = list(viewer.mouse_drag_callbacks)
    before = (viewer.scene.camera.zoom, viewer.scene.camera.center)
    parameter_sweep.button.click()
    wait(loop, qtbot)
    tiles = [each for each in viewer.layers if each.name.startswith("parameter sweep · contrast")]
    assert len(tiles) == 6
    expected = nd.analysis.parameter_sweep(
        NOISY, SMOOTH, {"contrast": [20.0, 60.0], "time": [0.05, 0.1, 0.2]},
        region=(slice(11, 139), slice(14, 126)), spacing=0.5,
    )  # fmt: skip
    for tile, sweep_run in zip(tiles, expected.sweep_runs, strict=True):
        np.testing.assert_array_equal(tile.data, sweep_run.image)
        assert sweep_run.in_words() in tile.name
    # In rows of three, none over another, at their own scale.
    places = np.array([tile.extent.world[0] for tile in tiles])
    assert len(np.unique(places[:, 0])) == 2
    assert np.diff(places[:3, 1]).min() > 112 * 0.5
    assert not viewer.layers["squares"].visible
    best = next(t for t, r in zip(tiles, expected.sweep_runs, strict=True) if r is expected.best)
    assert viewer.layers.selection.active is best
    assert expected.best.in_words() in parameter_sweep.message.text()
    assert "Try a " in parameter_sweep.message.text()  # of two contrasts each is an end
    assert any("best" in text for text in viewer.layers["parameter sweep · values"].text.values)
    for where, chosen in (
        (places[4] + 30, tiles[4]),
        (places[5] + 1, tiles[5]),
        ((-9, -9), tiles[5]),
    ):
        for callback in viewer.mouse_drag_callbacks:
            callback(viewer, SimpleNamespace(position=tuple(where)))
        assert viewer.layers.selection.active is chosen
    parameter_sweep.take.click()
    taken = SMOOTH.diffusion_filter.replaced(contrast=60.0, time=0.2)
    assert loop.recipe.value() == SMOOTH.replaced(diffusion_filter=taken)
    parameter_sweep.close_button.click()
    assert viewer.mouse_drag_callbacks == callbacks
    assert [each.name for each in viewer.layers] == ["squares", "other"]
    assert [each.visible for each in viewer.layers] == [True, True]
    assert (viewer.scene.camera.zoom, viewer.scene.camera.center) == before
    assert loop.source.layer() is viewer.layers["squares"]


def test_of_a_filter_with_one_number_and_a_stack(open_loop, qtbot):
    stack = np.stack([NOISY[:48, :54]] * 3)
    viewer, loop = open_loop(Image(stack, name="stack"))
    loop.recipe.set_value(SMOOTH.replaced(num_steps=1, diffusion_filter=nd.filters.Heat(time=0.5)))
    assert [combo.currentText() for combo in loop.parameter_sweep.names] == ["time", "–"]
    loop.parameter_sweep.button.click()
    wait(loop, qtbot)
    tiles = [each for each in viewer.layers if each.name.startswith("parameter sweep · time")]
    assert [tile.name.split(":")[0] for tile in tiles] == [
        f"parameter sweep · time {0.5 * f:.3g}" for f in (0.25, 0.5, 1, 2)
    ]
    assert tiles[0].data.shape == (3, 48, 54)
    loop.parameter_sweep.close_sweep()
    assert [each.name for each in viewer.layers] == ["stack"]
