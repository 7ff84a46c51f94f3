"""Three walks of new users, by real clicks in the real window; the pictures of the pages show them.

`NAPARI_DIFFUSION_SCREENSHOTS=folder` keeps a screenshot of each station.
"""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari")

import tifffile
from hand import Hand
from PIL import Image
from qtpy.QtWidgets import QApplication, QFileDialog
from skimage import data

import napari_diffusion as nd
from napari_diffusion.records.methods_paragraph import paragraph
from napari_diffusion.widgets.denoise.denoise_dock import Denoise
from napari_diffusion.widgets.docks.dock_tabs import opened_dock
from napari_diffusion.widgets.loop.diffusion_loop import DiffusionLoop
from napari_diffusion.widgets.steps.steps import Steps

#: More clicks than this, and nobody gets there.
DOZEN = 12


@pytest.fixture
def hand(make_napari_viewer, request, qtbot):
    viewer = make_napari_viewer(show=True)
    hand = Hand(viewer, request.node.name.removeprefix("test_").replace("_", "-"))
    yield hand
    # napari looks for what still holds its window when a test has ended.
    hand.viewer = hand.window = None


@pytest.fixture
def opens(monkeypatch, hand):
    """Answer napari's dialog for files with a file, and count the click on its button."""

    def opens(path):
        def chosen(*_, **__):
            hand.clicks += 1
            return [str(path)], ""

        monkeypatch.setattr(QFileDialog, "getOpenFileNames", chosen)
        hand.menu("File", "Open File(s)...")
        hand.settle(1)
        return hand.viewer.layers[-1]

    return opens


def write(path, stack):
    """Write a stack as most microscopes and cameras do: without names of its axes."""
    tifffile.imwrite(path, stack, photometric="minisblack")


def wait(hand, qtbot, dock):
    qtbot.waitUntil(lambda: not dock.runner.is_running, timeout=120_000)
    hand.settle(0.5)


def answer_dialogs(hand, monkeypatch, path):
    """Answer the dock's own dialogs with a file, and count the click on their buttons."""

    def clicked(answer):
        hand.clicks += 1
        return answer

    monkeypatch.setattr(QFileDialog, "exec", lambda self: clicked(1))
    monkeypatch.setattr(QFileDialog, "selectedFiles", lambda self: [str(path)])
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: clicked((str(path), "")))


def open_dock(hand, title, kind):
    hand.menu("Plugins", "napari-diffusion", title)
    hand.settle(0.5)
    return opened_dock(hand.viewer, kind)


def test_a_microscopist_denoises_a_stack(hand, opens, qtbot, tmp_path, monkeypatch):
    scene = nd.samples.SAMPLES["phantom"]()
    photons = np.random.default_rng(0).poisson(scene.truth[16:32, 40:136, 40:136] * 60) + 100
    write(tmp_path / "cells.tif", photons.astype(np.uint16))
    layer = opens(tmp_path / "cells.tif")
    denoise = open_dock(hand, "Denoise", Denoise)
    assert denoise.source.first_axis.is_guessed
    hand.picture()
    hand.choose(denoise.source.first_axis.choice, "depth")
    hand.press(denoise.advanced.toggle)
    hand.type(denoise.source.axes.pixel_size.spacing.editor, "1, 0.2, 0.2")
    hand.type(denoise.source.axes.pixel_size.unit.editor, "µm", tabbed=True)
    assert tuple(layer.scale) == (1, 0.2, 0.2)
    hand.press(denoise.controls.run)
    wait(hand, qtbot, denoise)
    hand.picture()
    result = hand.viewer.layers.selection.active
    assert result is not layer
    target = tmp_path / "denoised.ome.tif"
    answer_dialogs(hand, monkeypatch, target)
    hand.press(denoise.results.save)
    qtbot.waitUntil(lambda: not denoise.results.is_working, timeout=60_000)
    hand.press(denoise.results.open)
    qtbot.waitUntil(lambda: not denoise.results.is_working, timeout=60_000)
    hand.settle(0.5)
    again = hand.viewer.layers.selection.active
    assert again is not result
    np.testing.assert_array_equal(again.data, result.data)
    assert tuple(again.scale) == pytest.approx((1, 0.2, 0.2))
    assert {str(unit) for unit in again.units} == {"micrometer"}
    hand.press(denoise.results.copy)
    hand.picture()
    copied = QApplication.clipboard().text()
    assert copied == paragraph(again.metadata["napari_diffusion"])
    assert len(copied.split()) <= 120
    assert "voxel size 1×0.2×0.2 µm" in copied
    assert hand.clicks <= DOZEN, hand.clicks


def test_a_portrait_goes_through_the_loop(hand, opens, qtbot, tmp_path):
    Image.fromarray(data.astronaut()[:256, 96:352]).save(tmp_path / "portrait.jpg", quality=85)
    source = opens(tmp_path / "portrait.jpg")
    loop = open_dock(hand, "Diffusion loop", DiffusionLoop)
    hand.picture()
    hand.press(loop.controls.run)
    wait(hand, qtbot, loop)
    first = hand.viewer.layers[1]
    noise = np.std(np.asarray(first.data, float) - source.data)
    assert noise > 4, "the noise of the first step is not visible"
    hand.picture()
    hand.press(loop.controls.message.actions[0])
    hand.settle(0.5)
    steps = opened_dock(hand.viewer, Steps)
    hand.drag(steps.step_slider.slider, 0.0)
    assert steps.value == 0
    hand.drag(steps.step_slider.slider, 0.5)
    assert 0 < steps.value < 10
    hand.picture()
    hand.tab(steps.tabs, "Compare")
    hand.press(steps.compare.side)
    beside = hand.viewer.layers[-1]
    assert beside.visible
    assert beside is not source
    np.testing.assert_array_equal(beside.data, source.data)
    hand.picture()
    assert hand.clicks <= DOZEN


def asked_once(hand, qtbot, answer):
    """Answer the first axis in one dock, denoise, and see that another one asks no more."""
    denoise = open_dock(hand, "Denoise", Denoise)
    assert denoise.source.first_axis.is_guessed
    hand.choose(denoise.source.first_axis.choice, answer)
    hand.press(denoise.controls.run)
    wait(hand, qtbot, denoise)
    hand.picture()
    return denoise


def test_a_video_is_asked_for_its_first_axis(hand, opens, qtbot, tmp_path):
    video = nd.samples.SAMPLES["video"]().image[:8]
    tifffile.imwrite(
        tmp_path / "video.tif", np.asarray(video, np.float32), photometric="minisblack"
    )
    layer = opens(tmp_path / "video.tif")
    denoise = asked_once(hand, qtbot, "time")
    record = hand.viewer.layers.selection.active.metadata["napari_diffusion"]
    assert record["grid"]["axes"] == "tyx"
    assert record["grid"]["along"] == "yx"
    hand.select(layer)
    loop = open_dock(hand, "Diffusion loop", DiffusionLoop)
    assert not loop.source.first_axis.is_guessed
    assert loop.source.axes.axes.value == denoise.source.axes.axes.value == "tyx"
    assert hand.clicks <= DOZEN


def test_a_stack_of_four_channels_is_asked_for_its_first_axis(hand, opens, qtbot, tmp_path):
    image = data.astronaut()[60:156, 160:256].astype(np.uint16)
    planes = np.stack([np.stack([image[..., c % 3]] * 4) for c in range(4)])
    noisy = np.random.default_rng(1).poisson(planes).astype(np.uint16)
    write(tmp_path / "channels.tif", noisy)
    opens(tmp_path / "channels.tif")
    asked_once(hand, qtbot, "channel")
    record = hand.viewer.layers.selection.active.metadata["napari_diffusion"]
    assert record["grid"]["axes"] == "czyx"
    assert hand.clicks <= DOZEN
