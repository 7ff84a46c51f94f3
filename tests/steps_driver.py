"""Runs among the layers, and clicks in the dock *Steps*."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip("napari")

from napari_diffusion.widgets.layers.layer_axes import Fold
from napari_diffusion.widgets.results.layer_sink import layer_sink_for
from napari_diffusion.widgets.run.loop_run import loop_work
from napari_diffusion.widgets.source.run_source import RunSource


def source_of(layers, axes, region=None, mask=None):
    """Return layers as a source that is read as axes say, which lie along its scale."""
    joined = np.stack([each.data for each in layers]) if len(layers) > 1 else layers[0].data
    axes = "c" * (len(layers) > 1) + axes
    fold = Fold(axes, tuple(joined.shape))
    lengths = dict(zip(axes.replace("c", ""), layers[0].scale, strict=True))
    along = "".join(axis for axis in "zyx" if axis in axes)
    options = {
        "axes": fold.axes,
        "spacing": tuple(float(lengths[axis]) for axis in along),
        "along": along,
        "joint_channels": True,
        "rgb": bool(layers[0].rgb),
    }
    return RunSource(tuple(layers), joined, fold, options, region, mask)


def click(button):
    """Click a button of a dock as a mouse does."""
    button.native.click()


def wait(dock, qtbot):
    """Wait until nothing is computed, and what came of it is shown."""
    qtbot.waitUntil(lambda: not dock.is_busy and not dock.curves.is_measuring, timeout=60_000)
    qtbot.wait(20)


def run_on(dock, qtbot, recipe, *layers, axes="yx", result="auto", keep_every=1, **options):
    """Run a recipe on layers, as the dock *Diffusion loop* does."""
    source = source_of(layers, axes, **options)
    job = dataclasses.replace(source.job(recipe, keep_every, 1 << 40))
    sink = layer_sink_for(dock.viewer, layers, job, source.styles, result)
    before = set(dock.viewer.layers)
    total = recipe.total_steps + (recipe.final_filter is not None)
    dock.runner.start(loop_work(job, sink), sink, total)
    wait(dock, qtbot)
    assert dock.controls.message.sentence.startswith("Done"), dock.controls.message.sentence
    return [layer for layer in dock.viewer.layers if layer not in before]


def clicked(dock, qtbot, button):
    """Click a button, wait, and return the layers that came of it."""
    before = set(dock.viewer.layers)
    assert button.enabled, button.tooltip
    click(button)
    wait(dock, qtbot)
    return [layer for layer in dock.viewer.layers if layer not in before]


def selected(dock, qtbot, layer):
    """Click a layer in the list."""
    dock.viewer.layers.selection.active = layer
    qtbot.wait(20)
