"""Measuring the noise in the docks: from all of an image, from a region, from frames."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

pytest.importorskip("napari")

from napari.layers import Image, Labels, Shapes

import napari_diffusion as nd
from napari_diffusion.widgets.forms.fold import Fold
from napari_diffusion.widgets.source.noise_measurement import rounded_noise
from napari_diffusion.widgets.source.noise_meter import FRAMES, REGION

RANDOM = np.random.default_rng(11)
LIGHT = np.add.outer(np.linspace(20, 400, 96), np.linspace(0, 100, 112))
# Light that falls on a grid of 8 × 8, so that calm windows have one intensity.
LIGHT = np.kron(LIGHT[::8, ::8], np.ones((8, 8)))
DIM = RANDOM.poisson(LIGHT / 2).astype(np.float32) * 2


def dim(**options):
    return Image(DIM.copy(), name="dim", **options)


def measured(dock, qtbot):
    dock.meter.button.native.click()
    qtbot.waitUntil(lambda: not dock.runner.is_running, timeout=60_000)


def offered(dock):
    combo = dock.meter.axis.native
    return [combo.itemText(row) for row in range(combo.count())]


@pytest.fixture
def open_noise(open_dock):
    """Return a function that opens a viewer with some layers and the dock Add noise."""
    return partial(open_dock, "Add noise")


def test_the_meter_unfolds_beneath_the_noise(open_noise):
    _, dock = open_noise(dim())
    assert not dock.meter.native.isVisibleTo(dock.native)
    fold = next(each for each in dock.noise.details if isinstance(each, Fold))
    fold.toggle.native.click()
    assert dock.meter.native.isVisibleTo(dock.noise.native)


def test_measuring_the_whole_image_fills_the_form(open_noise, qtbot):
    viewer, dock = open_noise(dim())
    during = []
    dock.controls.running.connect(lambda on: during.append(dock.meter.button.enabled))
    measured(dock, qtbot)
    assert during == [False, True]
    model = nd.estimate.noise_model(DIM)
    assert model.gain == pytest.approx(2, rel=0.2)
    noise, scale = rounded_noise(model)
    assert noise.gain == float(f"{model.noise().gain:.4g}")
    assert (dock.noise.value, dock.scale.value) == (noise, scale)
    assert len(viewer.layers) == 1
    words = model.in_words().removesuffix(".")
    assert dock.controls.message.sentence == f"Filled in what was measured: {words}."
    assert dock.controls.message.details == "\n\n".join(model.warnings)
    drawn = [item.getData() for item in dock.meter.plot._view.getPlotItem().listDataItems()]
    np.testing.assert_allclose(drawn[0], (model.levels, model.variances))
    np.testing.assert_allclose(drawn[1][1], model.variance_at(drawn[1][0]))
    dock.meter.way.value = REGION
    assert not dock.meter.plot._view.getPlotItem().listDataItems()


@pytest.mark.parametrize("kind", ["labels", "shapes"])
def test_a_region_is_chosen_like_a_mask(open_noise, qtbot, said, kind):
    inside = np.zeros(DIM.shape, bool)
    inside[0:80, 8:100] = True
    flat = Image(RANDOM.normal(50, 3, DIM.shape).astype(np.float32), name="flat")
    corners = np.array([[-0.5, 7.5], [-0.5, 99.5], [79.5, 99.5], [79.5, 7.5]])
    region = {
        "labels": Labels(inside.astype(int), name="region"),
        "shapes": Shapes(corners, name="region"),
    }[kind]
    viewer, dock = open_noise(flat, region)
    dock.meter.way.value = REGION
    measured(dock, qtbot)
    assert said[-1].startswith("Choose the region: draw it on pure background")
    assert dock.controls.message.sentence == said[-1]
    dock.meter.region.value = viewer.layers["region"]
    measured(dock, qtbot)
    model = nd.estimate.noise_model(viewer.layers["flat"].data, region_mask=inside)
    assert dock.scale.value == float(f"{model.noise_scale:.4g}")
    assert model.sigma == pytest.approx(3, rel=0.05)


def test_repeated_frames(open_noise, qtbot, said):
    frames = RANDOM.normal(50, 3, (4, 40, 40)).astype(np.float32)
    viewer, dock = open_noise(Image(frames, name="frames", axis_labels=("t", "y", "x")), dim())
    dock.meter.way.value = FRAMES
    measured(dock, qtbot)
    assert said[-1] == "The image has no axis of repeated frames: t, z or c."
    dock.source.set_layer(viewer.layers["frames"])
    assert offered(dock) == ["t"]
    measured(dock, qtbot)
    model = nd.estimate.noise_model(frames, axes="tyx", repeats="t")
    assert dock.scale.value == float(f"{model.noise_scale:.4g}")


def test_what_cannot_be_measured_is_said(open_noise, qtbot, said):
    _, dock = open_noise(Image(np.ones((5, 6), np.float32), contrast_limits=(0, 1), name="tiny"))
    measured(dock, qtbot)
    assert said[-1] == dock.controls.message.sentence != ""
    dock.meter.offset.editor.native.setText("dark")
    dock.meter.button.native.click()
    assert "offset" in said[-1]


def test_the_meter_needs_an_image(open_noise):
    viewer, dock = open_noise()
    assert not dock.meter.button.enabled
    viewer.add_layer(dim())
    assert dock.meter.button.enabled


def test_the_numbers_of_noises_within_a_noise_are_short_too():
    model = nd.estimate.NoiseModel(sigma=1 / 3, level=1.0, gain=1 / 7, row_noise=1 / 9)
    noise, scale = rounded_noise(model)
    assert scale == 0.3514
    assert noise.components[0].gain == 0.1429
    assert noise.weights == (0.3333, 0.1111)
