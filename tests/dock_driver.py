"""Clicks in the dock *Diffusion loop*, and what came of them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari")

from napari.layers import Image

import napari_diffusion as nd

FACE = np.random.default_rng(1).random((24, 32)).astype(np.float32)


RECIPE = nd.Recipe(
    num_steps=4, starting_noise_scale=0.1, final_filter=nd.filters.Heat(time=0.5), seed=7
)


def face(**options):
    return Image(FACE.copy(), name="face", **options)


def click_run(loop, recipe=RECIPE):
    loop.value = recipe
    loop.controls.run.native.click()


def wait(loop, qtbot):
    qtbot.waitUntil(lambda: not loop.runner.is_running, timeout=60_000)


def ran(loop, qtbot, recipe=RECIPE):
    click_run(loop, recipe)
    wait(loop, qtbot)
    assert loop.controls.message.sentence.startswith("Done")


def names(viewer):
    return [layer.name for layer in viewer.layers]


def made(viewer):
    return [layer for layer in viewer.layers if "napari_diffusion" in layer.metadata]


def look_at(viewer, layer):
    """Show one of the layers that were made, and select it."""
    for each in made(viewer):
        each.visible = each is layer
    viewer.layers.selection.active = layer


def open_study(viewer):
    """Open the dock Steps at its tab Study, which goes on with a run, and return it."""
    _, dock = viewer.window.add_plugin_dock_widget("napari-diffusion", "Steps")
    dock.turn_to("Study")
    dock.refresh()
    return dock


def go_on(viewer, qtbot, more=1):
    """Make more steps from the layer that is active."""
    dock = open_study(viewer)
    dock.study.more.value = more
    dock.study.go_on.native.click()
    wait(dock, qtbot)
