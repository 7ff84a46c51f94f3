"""The command *Verify selected layer*: what it finds out about files and layers."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari")

from napari._app_model import get_app_model
from napari.layers import Image
from qtpy.QtWidgets import QApplication, QMessageBox

import napari_diffusion as nd
from napari_diffusion.io import Output, Source
from napari_diffusion.records.provenance import record, versions
from napari_diffusion.runs.verification.verdict import Verdict, Verification
from napari_diffusion.widgets.commands import command_work, verify_selected
from napari_diffusion.widgets.layers.step_records import KEY
from napari_diffusion.widgets.results.saved_run import open_result, show_result

IMAGE = np.random.default_rng(3).normal(100, 10, (40, 48)).astype(np.float32)
RECIPE = nd.Recipe(
    num_steps=3, diffusion_filter=nd.filters.PeronaMalik(contrast=8.0), starting_noise_scale=5.0
)
OPTIONS = {"axes": "yx", "spacing": (1.0, 1.0), "along": "yx", "joint_channels": True, "rgb": False}


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer()
    yield viewer
    for worker in command_work.under_way():
        worker.cancel()


@pytest.fixture
def found(monkeypatch):
    """Return what was found out, as it grows."""
    verdicts: list[Verification] = []
    monkeypatch.setattr(verify_selected, "show_verdict", verdicts.append)
    return verdicts


def verified(qtbot, found):
    get_app_model().commands.execute_command("napari-diffusion.verify_selected")
    qtbot.waitUntil(lambda: not command_work.under_way())
    return found[-1]


def entry(step):
    return record(RECIPE.resolved(IMAGE), step, OPTIONS, "cells")


def steps():
    return list(nd.steps(IMAGE, RECIPE.resolved(IMAGE)))[:3]


def made(viewer, change=None):
    """Add the source, and the steps of a run as one layer."""
    viewer.add_image(IMAGE.copy(), name="cells")
    stack = np.stack([step.image for step in steps()])
    if change is not None:
        change(stack)
    kept = {KEY: {"schema": 1, "steps": [entry(step) for step in steps()]}}
    return viewer.add_image(stack, name="3 steps · cells", metadata=kept)


def saved(path):
    source = Source(name="cells", image=IMAGE, axes="yx")
    with Output(path, source, 3, np.dtype("f4")) as output:
        for step in steps():
            output.write(step.image, entry(step))
    return path


def test_a_layer_in_memory_is_replayed_from_its_source(viewer, qtbot, found):
    made(viewer)
    said = verified(qtbot, found)
    assert said.name == "3 steps · cells"
    assert said.verdict is Verdict.IDENTICAL
    assert said.findings == (
        "The layer was read from no file: it has no hashes.",
        "Replayed from the layer 'cells': 3 steps made again with the same bits.",
    )


def test_a_changed_pixel_is_found(viewer, qtbot, found):
    def change(stack):
        stack[1, 7, 5] += 0.5
        stack[2, 3, 3] += 0.5

    made(viewer, change)
    said = verified(qtbot, found)
    assert said.verdict is Verdict.DIFFERENT
    assert said.findings[-1] == (
        "Replayed: different from step 1, pixel (7, 5) on; the greatest difference is 0.5."
    )


def test_other_versions_may_differ_in_the_last_bits(viewer, qtbot, found):
    layer = made(viewer, lambda stack: np.nextafter(stack, np.inf, out=stack))
    assert verified(qtbot, found).verdict is Verdict.DIFFERENT
    for each in layer.metadata[KEY]["steps"]:
        each["versions"] = {**versions(), "numpy": "1.0"}
    said = verified(qtbot, found)
    assert said.verdict is Verdict.WITHIN
    assert "other versions or another processor" in said.findings[-1]


def test_without_its_source_a_layer_is_not_verified(viewer, qtbot, found):
    made(viewer)
    viewer.layers.remove("cells")
    said = verified(qtbot, found)
    assert said.verdict is Verdict.UNKNOWN
    assert not said.holds
    assert "'cells' was removed or changed" in said.findings[-1]


@pytest.mark.parametrize("name", ["run.ome.zarr", "run"])
def test_the_file_of_an_opened_run_is_verified_too(viewer, qtbot, found, tmp_path, name):
    path = saved(tmp_path / name)
    layers = open_result(path)
    show_result(viewer, layers)
    said = verified(qtbot, found)
    assert said.verdict is not Verdict.BROKEN
    assert "'cells' was removed or changed" in said.findings[-1]
    viewer.add_image(IMAGE.copy(), name="cells")
    viewer.layers.selection.active = layers[0]
    said = verified(qtbot, found)
    assert said.verdict is Verdict.IDENTICAL
    assert "record" in said.findings[0]  # what its hashes are, or that it has none

    part = next(iter(path.glob("steps/0001/0/c/0/0")), path / "step_0001.ome.tif")
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(data)
    said = verified(qtbot, found)
    assert not said.holds  # what has changed since it was opened is found as well
    viewer.layers.remove(layers[0])
    show_result(viewer, open_result(path))
    said = verified(qtbot, found)
    assert said.verdict in (Verdict.BROKEN, Verdict.DIFFERENT)  # without hashes it is a replay's
    assert any("step 1" in each for each in said.findings)


def test_what_is_no_result_is_refused(viewer, monkeypatch):
    notes = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", notes.append)
    viewer.add_layer(Image(IMAGE, name="cells"))
    get_app_model().commands.execute_command("napari-diffusion.verify_selected")
    assert notes == [
        "'cells' is no result of napari-diffusion: select steps or a denoised image to verify it."
    ]


def test_the_verdict_is_a_window_beside(viewer, qtbot):
    made(viewer)
    get_app_model().commands.execute_command("napari-diffusion.verify_selected")
    qtbot.waitUntil(lambda: not command_work.under_way())
    (box,) = (each for each in QApplication.topLevelWidgets() if isinstance(each, QMessageBox))
    assert box.text() == "3 steps · cells: identical."
    assert "same bits" in box.informativeText()
    assert not box.isModal()
    box.close()
    qtbot.waitUntil(lambda: not verify_selected._OPEN)
