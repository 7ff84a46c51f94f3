"""Measuring the noise in the docks: from all of an image, from a region, from frames."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari")

from napari.layers import Image, Labels, Shapes

import napari_diffusion as nd
from napari_diffusion.widgets.source.noise_meter import FRAMES, REGION, rounded_noise

RANDOM = np.random.default_rng(11)
LIGHT = np.add.outer(np.linspace(20, 400, 96), np.linspace(0, 100, 112))
# Light that falls on a grid of 8 × 8, so that calm windows have one intensity.
LIGHT = np.kron(LIGHT[::8, ::8], np.ones((8, 8)))
DIM = RANDOM.poisson(LIGHT / 2).astype(np.float32) * 2


def dim(**options):
    return Image(DIM.copy(), name="dim", **options)


def measured(dock, qtbot):
    dock.meter.button.click()
    qtbot.waitUntil(lambda: not dock.runner.is_running, timeout=60_000)


def test_the_meter_unfolds_beside_the_noise(open_loop):
    _, loop = open_loop(dim())
    assert not loop.meter.isVisibleTo(loop)
    loop.meter.unfold.click()
    assert loop.meter.isVisibleTo(loop)
    loop.meter.unfold.click()
    assert not loop.meter.isVisibleTo(loop)


def test_measuring_the_whole_image_fills_the_form(open_loop, qtbot):
    _, loop = open_loop(dim())
    before = loop.recipe.value()
    measured(loop, qtbot)
    model = nd.estimate.noise_model(DIM)
    assert model.gain == pytest.approx(2, rel=0.2)
    noise, scale = rounded_noise(model)
    assert noise.gain == float(f"{model.noise().gain:.4g}")
    assert loop.recipe.value() == before.replaced(noise=noise, starting_noise_scale=scale)
    assert loop.meter.found.text().startswith(model.in_words())
    assert loop.meter.found.text().endswith("Filled in this noise and its scale.")
    assert loop.meter.message.text() == " ".join(model.warnings)
    drawn = [item.getData() for item in loop.meter.plot._view.getPlotItem().listDataItems()]
    np.testing.assert_allclose(drawn[0], (model.levels, model.variances))
    np.testing.assert_allclose(drawn[1][1], model.variance_at(drawn[1][0]))
    loop.meter.way.set_value(REGION)
    assert loop.meter.found.text() == ""


def test_a_recipe_without_noise_stays_without(open_loop, qtbot):
    _, loop = open_loop(dim())
    without = loop.recipe.value().replaced(noise=None, starting_noise_scale=0.0)
    loop.recipe.set_value(without)
    measured(loop, qtbot)
    assert loop.recipe.value() == without
    assert (
        "The recipe has no noise: choose one to fill in the measurement." in loop.meter.found.text()
    )


@pytest.mark.parametrize("kind", ["labels", "shapes"])
def test_a_region_is_chosen_like_a_mask(open_loop, qtbot, said, kind):
    inside = np.zeros(DIM.shape, bool)
    inside[0:80, 8:100] = True
    flat = Image(RANDOM.normal(50, 3, DIM.shape).astype(np.float32), name="flat")
    corners = np.array([[-0.5, 7.5], [-0.5, 99.5], [79.5, 99.5], [79.5, 7.5]])
    region = {
        "labels": Labels(inside.astype(int), name="region"),
        "shapes": Shapes(corners, name="region"),
    }[kind]
    viewer, loop = open_loop(flat, region)
    loop.meter.way.set_value(REGION)
    measured(loop, qtbot)
    assert said[-1].startswith("Choose the region: draw it on pure background")
    assert loop.meter.message.text() == said[-1]
    loop.meter.region.set_layer(viewer.layers["region"])
    measured(loop, qtbot)
    model = nd.estimate.noise_model(viewer.layers["flat"].data, region_mask=inside)
    assert loop.recipe.value().starting_noise_scale == float(f"{model.noise_scale:.4g}")
    assert model.sigma == pytest.approx(3, rel=0.05)


def test_repeated_frames(open_loop, qtbot, said):
    frames = RANDOM.normal(50, 3, (4, 40, 40)).astype(np.float32)
    viewer, loop = open_loop(Image(frames, name="frames", axis_labels=("t", "y", "x")), dim())
    loop.meter.way.set_value(FRAMES)
    measured(loop, qtbot)
    assert said[-1] == "The image has no axis of repeated frames: t, z or c."
    loop.source.set_layer(viewer.layers["frames"])
    assert [loop.meter.axis.itemText(row) for row in range(loop.meter.axis.count())] == ["t"]
    measured(loop, qtbot)
    model = nd.estimate.noise_model(frames, axes="tyx", repeats="t")
    assert loop.recipe.value().starting_noise_scale == float(f"{model.noise_scale:.4g}")


def test_what_cannot_be_measured_is_said(open_loop, qtbot, said):
    _, loop = open_loop(Image(np.ones((5, 6), np.float32), contrast_limits=(0, 1), name="tiny"))
    measured(loop, qtbot)
    assert said[-1] == loop.meter.message.text() != ""
    loop.meter.offset.edit.setText("dark")
    loop.meter.button.click()
    assert "offset" in said[-1]


def test_add_noise_is_filled_in_too(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    viewer.add_layer(dim())
    _, tool = viewer.window.add_plugin_dock_widget("napari-diffusion", "Add noise")
    measured(tool, qtbot)
    model = nd.estimate.noise_model(DIM)
    assert (tool.noise.value(), tool.scale.value()) == rounded_noise(model)
    assert len(viewer.layers) == 1


def test_the_numbers_of_noises_within_a_noise_are_short_too():
    model = nd.estimate.NoiseModel(sigma=1 / 3, level=1.0, gain=1 / 7, row_noise=1 / 9)
    noise, scale = rounded_noise(model)
    assert scale == 0.3514
    assert noise.components[0].gain == 0.1429
    assert noise.weights == (0.3333, 0.1111)
