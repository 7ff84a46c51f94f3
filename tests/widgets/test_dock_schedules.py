"""Measured schedules and domains in the dock: going on from a layer gives the bits of one run."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari")

from dock_driver import made, ran, wait
from napari.layers import Image

import napari_diffusion as nd
from napari_diffusion.schedules import Levels, Measured
from napari_diffusion.widgets.layers.layer_style import LayerStyle
from napari_diffusion.widgets.results.chosen_step import ChosenStep
from napari_diffusion.widgets.results.continued_run import continued_job
from napari_diffusion.widgets.results.layer_sink import layer_sink_for
from napari_diffusion.widgets.run.loop_run import loop_work

COUNTS = np.random.default_rng(1).poisson(6.0, (24, 32)).astype(np.float32)


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule": Measured(share=0.7)},
        {"schedule": Levels((1.0, 0.3))},
        {"domain": nd.domains.Anscombe(gain=1.0, offset=0.0, read_noise=0.0)},
        {"domain": "log", "schedule": Measured()},
    ],
    ids=["measured", "levels", "anscombe", "measured-log"],
)
def test_going_on_from_a_layer_gives_the_bits_of_one_run(open_loop, qtbot, changes):
    recipe = nd.Recipe(num_steps=3, starting_noise_scale=0.5, seed=7, **changes)
    viewer, loop = open_loop(Image(COUNTS.copy(), name="counts"))
    ran(loop, qtbot, recipe)
    whole = [step.image for step in nd.steps(COUNTS, recipe.replaced(stop_at=5))][:5]
    layers = made(viewer)
    viewer.layers.selection.active = layers[1]
    job = continued_job(ChosenStep(layers[1], 0), 3, 1, viewer)
    styles = [LayerStyle.of(layers[1])]
    layer_sink = layer_sink_for(viewer, [layers[1]], job, styles, "layers")
    loop.runner.start(loop_work(job, layer_sink), layer_sink)
    wait(loop, qtbot)
    kept = [layer for layer in made(viewer) if layer not in layers]
    assert [layer.metadata["napari_diffusion"]["step"] for layer in kept] == [2, 3, 4]
    for layer, expected in zip(kept, whole[2:], strict=True):
        np.testing.assert_array_equal(layer.data, expected)
