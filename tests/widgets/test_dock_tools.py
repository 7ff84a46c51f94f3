"""The docks Add noise and Filter: one new layer at a click."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("napari")

from napari.layers import Image, Labels

import napari_diffusion as nd
from napari_diffusion.loop.registry import from_dict

RANDOM = np.random.default_rng(8)
FACE = RANDOM.random((24, 32)).astype(np.float32)


def face(**options):
    return Image(FACE.copy(), name="face", **options)


def clicked(tool, qtbot):
    tool.controls.run.native.click()
    qtbot.waitUntil(lambda: not tool.runner.is_running, timeout=60_000)


def names(viewer):
    return [layer.name for layer in viewer.layers]


# --- noise ---


def test_noise_makes_a_noisy_copy(open_dock, qtbot):
    viewer, tool = open_dock("Add noise", face(scale=(0.5, 0.5)), Image(FACE, name="above"))
    tool.source.set_layer(viewer.layers["face"])
    tool.scale.value = 0.1
    tool.seed.value = 5
    clicked(tool, qtbot)
    assert names(viewer) == ["face", "noise Gaussian σ=0.1 · face", "above"]
    noisy = viewer.layers[1]
    np.testing.assert_array_equal(noisy.data, nd.noise.Gaussian()(FACE, 0.1, seed=5))
    np.testing.assert_array_equal(noisy.scale, (0.5, 0.5))
    np.testing.assert_array_equal(viewer.layers["face"].data, FACE)
    assert tool.controls.message.sentence.startswith("Done in 1 s: 1 layer")
    record = json.loads(json.dumps(noisy.metadata["napari_diffusion"]))
    assert record["processed"].startswith("Processed, not raw data: 'face' with Gaussian noise")
    again = from_dict("noise", record["noise"])
    np.testing.assert_array_equal(
        noisy.data, again(FACE, record["noise_scale"], seed=record["seed"])
    )


def test_auto_is_the_noise_that_the_image_has(open_dock, qtbot):
    viewer, tool = open_dock("Add noise", face())
    clicked(tool, qtbot)
    expected = nd.estimate.noise_sigma(FACE)
    assert viewer.layers[1].metadata["napari_diffusion"]["noise_scale"] == expected
    assert f"{expected:.4g}" in tool.scale.note.value


def test_a_share_of_the_range_is_a_noise_scale(open_dock, qtbot):
    viewer, tool = open_dock("Add noise", face())
    qtbot.keyClicks(tool.scale.editor.native, "auto")
    tool.scale.editor.native.setText("5%  of range")
    clicked(tool, qtbot)
    expected = 0.05 * float(FACE.max() - FACE.min())
    assert viewer.layers[1].metadata["napari_diffusion"]["noise_scale"] == pytest.approx(expected)
    assert tool.scale.note.value.startswith(f"= {expected:.4g}")
    assert tool.value.starting_noise_scale == "5 % of range"


def test_noise_with_parameters_of_its_own(open_dock, qtbot):
    viewer, tool = open_dock("Add noise", face())
    tool.noise.value = nd.noise.Poisson(gain=0.25)
    tool.scale.editor.native.setText("none")
    clicked(tool, qtbot)
    np.testing.assert_array_equal(viewer.layers[1].data, nd.noise.Poisson(gain=0.25)(FACE))
    tool.noise.value = nd.noise.Gaussian()
    assert not tool.controls.run.enabled
    assert "starting_noise_scale must be a number" in tool.controls.message.sentence


def test_a_seed_is_drawn_and_only_asked_for_where_there_is_chance(open_dock):
    _, tool = open_dock("Add noise", face())
    assert tool.seed.native.isVisibleTo(tool.native)
    before = tool.value.seed
    tool.new_seed.native.click()
    assert tool.value.seed != before
    recipe = tool.value
    tool.value = nd.Recipe(num_steps=1, seed=7)
    assert tool.value != recipe
    tool.value = recipe
    assert tool.value == recipe


def test_noise_takes_mask_region_and_colours(open_dock, qtbot, monkeypatch):
    part = (slice(2, 14), slice(3, 20), slice(0, 3))
    monkeypatch.setattr(
        "napari_diffusion.widgets.source.run_source.visible_region", lambda *_: part
    )
    colours = RANDOM.integers(0, 255, (24, 32, 3), np.uint8)
    inside = np.zeros((24, 32), bool)
    inside[5:20, 5:15] = True
    viewer, tool = open_dock(
        "Add noise", Image(colours, rgb=True, name="photo"), Labels(inside * 2, name="cells")
    )
    tool.source.set_layer(viewer.layers["photo"])
    tool.source.mask.value = viewer.layers["cells"]
    tool.source.axes.region.value = "visible"
    tool.scale.value = 20.0
    clicked(tool, qtbot)
    expected = nd.noise.Gaussian()(colours, 20.0, axes="yxc", rgb=True, mask=inside)
    noisy = viewer.layers["noise Gaussian σ=20 · photo"]
    np.testing.assert_array_equal(noisy.data, np.rint(expected).clip(0, 255)[part])
    assert noisy.data.dtype == np.uint8
    record = noisy.metadata["napari_diffusion"]
    assert record["mask"]["layer"] == "cells"
    assert "rounded to uint8" in record["processed"]


def test_noise_is_added_to_channels_each_its_own(open_dock, qtbot):
    viewer, tool = open_dock("Add noise", face(), Image(FACE + 1, name="other"))
    viewer.layers.selection = set(viewer.layers)
    tool.source.join.native.click()
    tool.scale.value = (0.1, 0.2)
    clicked(tool, qtbot)
    expected = nd.noise.Gaussian()(np.stack([FACE, FACE + 1]), (0.1, 0.2), axes="cyx")
    for name, values in zip(("face", "other"), expected, strict=True):
        noisy = viewer.layers[f"noise Gaussian σ=0.1/0.2 · {name}"]
        np.testing.assert_array_equal(noisy.data, values)


def test_what_noise_cannot_do_is_said(open_dock, qtbot, said):
    negative = Image(FACE - 5, name="negative")
    _, tool = open_dock("Add noise", negative)
    tool.noise.value = nd.noise.Poisson()
    tool.scale.value = 0.1
    clicked(tool, qtbot)
    assert said
    assert tool.controls.message.sentence == said[-1]
    tool.noise.value = nd.noise.Gaussian()
    assert tool.controls.message.sentence == ""
    tool.scale.editor.native.setText("-1")
    assert not tool.controls.run.enabled
    assert "finite and 0 or more" in tool.controls.message.sentence


def test_the_source_stays_when_a_layer_has_been_made_and_follows_the_list(open_dock, qtbot):
    viewer, tool = open_dock("Add noise", face())
    clicked(tool, qtbot)
    assert tool.source.layer().name == "face"
    noisy = viewer.layers[1]
    viewer.layers.selection.active = viewer.layers["face"]
    viewer.layers.selection.active = noisy
    assert tool.source.layer() is noisy
    clicked(tool, qtbot)
    said = viewer.layers[2].metadata["napari_diffusion"]["processed"]
    assert said.count("Processed, not raw data") == 2
    assert "The source was: Processed, not raw data: 'face' with Gaussian" in said


def test_a_noisy_copy_is_a_source_of_the_loop(open_dock, qtbot):
    viewer, tool = open_dock("Add noise", face())
    _, loop = viewer.window.add_plugin_dock_widget("napari-diffusion", "Diffusion loop")
    tool.scale.value = 0.1
    clicked(tool, qtbot)
    assert loop.source.layer() is viewer.layers[1]
    loop.value = nd.Recipe(num_steps=1, starting_noise_scale=0.1)
    clicked(loop, qtbot)
    assert names(viewer)[-1] == "00 · σ=0.1 · noise Gaussian σ=0.1 · face"
    record = viewer.layers[-1].metadata["napari_diffusion"]
    assert "The source was: Processed, not raw data: 'face'" in record["processed"]


def test_noise_can_be_cancelled_and_undone(open_dock, qtbot):
    viewer, tool = open_dock("Add noise", Image(np.zeros((3000, 3000), np.float32), name="large"))
    tool.scale.value = 0.1
    tool.controls.run.native.click()
    assert tool.controls.cancel.enabled
    tool.controls.cancel.native.click()
    qtbot.waitUntil(lambda: not tool.runner.is_running)
    assert names(viewer) == ["large"]
    assert tool.controls.message.sentence == "Cancelled: 0 layers kept."


# --- filters ---


def test_a_filter_makes_a_filtered_copy(open_dock, qtbot):
    viewer, tool = open_dock("Filter", face(scale=(0.5, 0.5)))
    tool.filter.value = nd.filters.Heat(time=0.3)
    clicked(tool, qtbot)
    assert names(viewer) == ["face", "Linear diffusion t=0.3 · face"]
    expected = nd.filters.Heat(time=0.3)(FACE, spacing=0.5)
    np.testing.assert_array_equal(viewer.layers[1].data, expected)
    said = viewer.layers[1].metadata["napari_diffusion"]["processed"]
    assert "'face' after 1 of 1 steps of Linear diffusion (time 0.3), without added noise." in said
    assert tool.controls.message.sentence.startswith("Done in 1 s: 1 layer")


def test_the_numbers_of_a_filter_are_shown_and_follow_the_samples(open_dock, qtbot):
    viewer, tool = open_dock("Filter", face(scale=(0.1, 0.1)))
    tool.filter.value = nd.filters.PeronaMalik(contrast="auto")
    clicked(tool, qtbot)
    found = viewer.layers[1].metadata["napari_diffusion"]["recipe"]["diffusion_filter"]["contrast"]
    assert f"{found:.4g}" in tool.filter.form.rows["contrast"].note.value


def test_filters_can_follow_each_other(open_dock, qtbot):
    viewer, tool = open_dock("Filter", face())
    tool.filter.value = nd.filters.Heat(time=1.0)
    clicked(tool, qtbot)
    viewer.layers.selection.active = viewer.layers["face"]
    viewer.layers.selection.active = viewer.layers[1]
    assert tool.source.layer() is viewer.layers[1]
    clicked(tool, qtbot)
    expected = nd.filters.Heat(time=1.0)(nd.filters.Heat(time=1.0)(FACE))
    np.testing.assert_array_equal(viewer.layers[-1].data, expected)


def test_deleting_what_was_made_leaves_the_viewer_as_it_was(open_dock, qtbot):
    viewer, tool = open_dock("Filter", face(blending="translucent"))
    before = [(layer.name, layer.visible, layer.opacity) for layer in viewer.layers]
    clicked(tool, qtbot)
    viewer.layers.remove(viewer.layers[-1])
    assert [(layer.name, layer.visible, layer.opacity) for layer in viewer.layers] == before


def test_closing_the_dock_stops_it(open_dock, qtbot):
    viewer, tool = open_dock("Filter", Image(np.zeros((2000, 2000), np.float32)))
    tool.controls.run.native.click()
    viewer.window.remove_dock_widget(tool.native)
    assert tool.runner.worker.join(30)
    assert len(viewer.layers) == 1
