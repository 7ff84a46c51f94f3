"""The button Denoise of the dock: one layer, what was found, and the stages."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("napari")

from napari.layers import Image

import napari_diffusion as nd
from napari_diffusion.records.provenance import recipe_of
from napari_diffusion.records.supplement import supplement

RANDOM = np.random.default_rng(3)
WHITE = (100 + 10 * RANDOM.normal(size=(64, 72))).astype(np.float32)
ROWS = WHITE + (8 * RANDOM.normal(size=(64, 1))).astype(np.float32)


def denoised(dock, qtbot):
    dock.denoise.button.click()
    qtbot.waitUntil(lambda: not dock.runner.is_running, timeout=60_000)
    assert dock.controls.status.text().startswith("Done"), dock.controls.problem.text()


def test_a_click_makes_one_layer_with_its_record(open_loop, qtbot):
    viewer, dock = open_loop(Image(WHITE.copy(), name="noisy"), Image(ROWS.copy(), name="rows"))
    dock.source.set_layer(viewer.layers["noisy"])
    dock.denoise.fast.setChecked(True)
    denoised(dock, qtbot)
    assert [layer.name for layer in viewer.layers] == ["noisy", "denoised · noisy", "rows"]
    layer = viewer.layers["denoised · noisy"]
    np.testing.assert_array_equal(layer.data, nd.denoise(WHITE, fast=True))
    record = json.loads(json.dumps(layer.metadata["napari_diffusion"]))
    np.testing.assert_array_equal(nd.run(WHITE, recipe_of(record)).image, layer.data)
    assert "White noise, σ =" in dock.denoise.found.text() == record["noise_found"]
    assert not dock.denoise.warning.text()
    assert record["noise_found"] in supplement(record)

    # What stands against another image is said, there and in its record.
    dock.source.set_layer(viewer.layers["rows"])
    assert not dock.denoise.found.text()
    denoised(dock, qtbot)
    kept = viewer.layers["denoised · rows"].metadata["napari_diffusion"]
    assert "Row noise" in dock.denoise.warning.text() == " ".join(kept["noise_warnings"])
    assert "Row noise" in supplement(kept)


def test_stages_and_a_typed_noise(open_loop, qtbot):
    viewer, dock = open_loop(Image(WHITE.copy(), name="noisy"))
    dock.denoise.fast.setChecked(True)
    dock.denoise.stages.setChecked(True)
    dock.denoise.sigma.set_value(14.0)
    denoised(dock, qtbot)
    names = [layer.name for layer in viewer.layers]
    assert names[-1] == "denoised · noisy" == viewer.layers.selection.active.name
    assert len(names) == 2 + 2 * 3
    expected = nd.denoise(WHITE, fast=True, noise_sigma=14.0)
    np.testing.assert_array_equal(viewer.layers[-1].data, expected)
    mixed = sum(
        viewer.layers[i].data * viewer.layers[i + 1].data for i in range(1, len(names) - 1, 2)
    )
    np.testing.assert_allclose(mixed, expected, rtol=0, atol=1e-3)
    assert [layer.visible for layer in viewer.layers[1:-1]] == [False] * 6
