"""The dock Steps: curves, one step at a time, the recommended one, and what is written of it."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari")

from napari.layers import Image
from qtpy.QtWidgets import QApplication

import napari_diffusion as nd
from napari_diffusion.provenance import record
from napari_diffusion.widgets.copy_button import COPIES
from napari_diffusion.widgets.layers import image_layer
from napari_diffusion.widgets.look import Look
from napari_diffusion.widgets.steps import NOTHING, Steps

SCENE = 0.5 * (np.add.outer(np.arange(60), np.arange(64)) > 60)
NOISY = (SCENE + 0.1 * np.random.default_rng(0).normal(size=SCENE.shape)).astype(np.float32)
GRID = {"axes": "yx", "spacing": (1.0, 1.0)}
RECIPE = nd.Recipe(
    num_steps=5,
    starting_noise_scale=0.0,
    noise=None,
    diffusion_filter=nd.filters.PeronaMalik(contrast=0.15, time=0.4),
    final_filter=nd.filters.Heat(time=5.0),
).resolved(NOISY)


@pytest.fixture
def dock(make_napari_viewer):
    """Return the dock of a viewer with a source, its truth, and the steps of a run."""
    viewer = make_napari_viewer()
    source = viewer.add_layer(Image(NOISY.copy(), name="cells"))
    viewer.add_layer(Image(SCENE.astype(np.float32), name="truth"))
    steps = list(nd.steps(NOISY, RECIPE, **GRID))
    for step in steps:
        kept = record(RECIPE, step, GRID, "cells")
        name = f"cells · {'final' if step.is_final else f'step {step.index:02}'}"
        viewer.layers.insert(1 + step.index, image_layer(step.image, name, Look.of(source), kept))
    dock = Steps(viewer)
    viewer.layers.selection.active = viewer.layers["cells · step 02"]
    yield dock
    dock.wait(30)
    dock.close()


def shown(dock):
    return [layer.name for layer in dock.viewer.layers if layer.visible and "·" in layer.name]


def measured(dock, qtbot, name):
    dock.measure.setCurrentText(name)
    qtbot.waitUntil(lambda: np.isfinite(dock.run.values(name)).all(), timeout=30_000)
    return dock.run.values(name)


def test_it_follows_the_active_layer(dock):
    assert dock.title.text() == "6 steps of 'cells'"
    assert dock.run.shown == 2
    assert dock.slider.value() == 2
    dock.viewer.layers.selection.active = dock.viewer.layers["cells"]
    assert dock.title.text() == NOTHING
    assert not dock.buttons["Recommend a step"].isEnabled()
    dock.viewer.layers.selection.active = dock.viewer.layers["cells · final"]
    assert dock.run.shown == 5


def test_the_slider_and_a_click_show_one_step_alone(dock):
    dock.slider.setValue(4)
    assert shown(dock) == ["cells · step 04"]
    assert dock.viewer.layers.selection.active.name == "cells · step 04"
    dock.plot.chosen.emit(0)
    assert shown(dock) == ["cells · step 00"]
    assert dock.slider.value() == 0


def test_a_measure_of_every_step_is_computed_and_kept_in_the_records(dock, qtbot):
    values = measured(dock, qtbot, "Mean")
    np.testing.assert_allclose(
        values, [step.data.mean(dtype=float) for step in dock.run.steps], rtol=1e-6
    )
    layer = dock.viewer.layers["cells · step 03"]
    assert layer.metadata["napari_diffusion"]["measures"]["Mean"] == values[3]
    import json

    json.dumps(layer.metadata["napari_diffusion"])


def test_a_reference_is_a_layer(dock, qtbot):
    dock.reference.setCurrentText("truth")
    values = measured(dock, qtbot, "Psnr")
    errors = [np.mean((step.data - SCENE) ** 2) for step in dock.run.steps]
    np.testing.assert_allclose(values, 10 * np.log10(0.25 / np.array(errors)), atol=1e-4)


def test_the_recommended_step_is_marked_with_the_reason(dock, qtbot):
    dock.buttons["Recommend a step"].click()
    qtbot.waitUntil(lambda: dock.run.recommended() is not None, timeout=60_000)
    index, reason = dock.run.recommended()
    found = nd.estimate.best_step(NOISY, RECIPE, **GRID)
    assert (index, reason) == (found.index, found.reason)
    qtbot.waitUntil(lambda: dock.said.text() == reason, timeout=5_000)
    assert dock.measure.currentText() == "Sure"
    np.testing.assert_allclose(dock.run.values("Sure"), found.curves[0].values[1:], rtol=1e-9)


def test_without_its_source_a_run_is_not_judged(dock, qtbot):
    dock.viewer.layers.remove("cells")
    dock.buttons["Recommend a step"].click()
    qtbot.waitUntil(lambda: "not among the layers any more" in dock.said.text(), timeout=30_000)


def test_keep_this_one_can_be_undone(dock):
    before = [layer.name for layer in dock.viewer.layers]
    dock.buttons["Keep this one"].click()
    assert [layer.name for layer in dock.viewer.layers] == ["cells", "cells · step 02", "truth"]
    assert dock.buttons["Bring back"].isEnabled()
    dock.buttons["Bring back"].click()
    assert [layer.name for layer in dock.viewer.layers] == before
    assert not dock.buttons["Bring back"].isEnabled()


@pytest.mark.parametrize(
    ("button", "other", "name"),
    [
        ("Less the source", "cells", "the source"),
        ("Less the step before", "cells · step 01", "the step before"),
    ],
)
def test_differences_are_layers_with_white_at_nothing(dock, button, other, name):
    dock.buttons[button].click()
    layers = dock.viewer.layers
    made = layers[f"cells · step 02 less {name}"]
    np.testing.assert_array_equal(made.data, layers["cells · step 02"].data - layers[other].data)
    low, high = made.contrast_limits
    assert low == -high
    assert layers.index(made) == layers.index("cells · step 02") + 1
    assert dock.run.shown == 2


@pytest.mark.parametrize("name", list(COPIES))
def test_what_was_done_goes_to_the_clipboard(dock, name):
    dock.copy.asked.emit(name)
    assert QApplication.clipboard().text() == COPIES[name](dock.run.record)
    assert name in dock.said.text()


@pytest.mark.parametrize("ending", ["csv", "png", "svg"])
def test_the_curve_is_exported(dock, qtbot, tmp_path, ending):
    values = measured(dock, qtbot, "Range")
    path = tmp_path / f"curve.{ending}"
    dock.write(path)
    assert path.stat().st_size > 0
    if ending == "csv":
        lines = path.read_text().splitlines()
        assert lines[0] == "step,Range"
        assert [float(line.split(",")[1]) for line in lines[1:]] == values


def test_a_stack_is_scrubbed_by_its_slider(make_napari_viewer):
    viewer = make_napari_viewer()
    viewer.add_layer(Image(NOISY.copy(), name="cells"))
    steps = list(nd.steps(NOISY, RECIPE, **GRID))
    kept = {"schema": 1, "steps": [record(RECIPE, step, GRID, "cells") for step in steps]}
    look = Look.of(viewer.layers["cells"]).stacked()
    viewer.layers.append(image_layer(np.stack([s.image for s in steps]), "all", look, kept))
    viewer.layers.selection.active = viewer.layers["all"]
    dock = Steps(viewer)
    dock.show_step(3)
    assert dock.run.shown == 3
    assert viewer.dims.current_step[0] == 3
    dock.buttons["Keep this one"].click()
    assert "extract" in dock.said.text()
    dock.close()
