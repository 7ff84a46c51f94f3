"""The dock Batch: files chosen, a recipe run on each, a row for what became of it."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import tifffile

pytest.importorskip("napari")

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

import napari_diffusion as nd
from napari_diffusion.io import read_image, read_record
from napari_diffusion.loop.presets import DIGITS
from napari_diffusion.runs import file_run
from napari_diffusion.widgets.batch.batch_rows import as_clicked

VALUES = np.random.default_rng(6).normal(100, 5, (3, 30, 34)).astype(np.float32)
RECIPE = nd.Recipe(num_steps=2, starting_noise_scale=2.0, diffusion_filter=nd.filters.Heat(0.5))


@pytest.fixture
def folder(tmp_path):
    """Return a folder with three images."""
    made = tmp_path / "cells"
    made.mkdir()
    for index, values in enumerate(VALUES):
        tifffile.imwrite(made / f"{index}.tif", values)
    return made


@pytest.fixture
def opened(open_dock, qtbot):
    """Return a function that opens the dock with files, and waits until they are listed."""

    def function(*given, recipe=RECIPE):
        viewer, dock = open_dock("Batch")
        dock.recipe.value = recipe
        dock.files.give(list(given))
        qtbot.waitUntil(lambda: not dock._listing.is_running)
        return viewer, dock

    return function


def run(dock, qtbot):
    dock.controls.run.native.click()
    qtbot.waitUntil(lambda: not dock.runner.is_running)


def shown(dock):
    """Return the texts of the table."""
    table = dock.table
    return [
        [table.item(row, column).text() for column in range(3)] for row in range(table.rowCount())
    ]


def double_click(dock, qtbot, place):
    dock.table.scrollToItem(dock.table.item(place, 0))
    rect = dock.table.visualItemRect(dock.table.item(place, 0))
    for action in (qtbot.mouseClick, qtbot.mouseDClick):
        action(dock.table.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())


def test_a_folder_is_chosen_run_and_opened(opened, folder, qtbot):
    (folder / "stray.tif").write_text("no image")
    viewer, dock = opened(folder)
    assert [row[:2] for row in shown(dock)] == [
        *([f"{index}.tif", "waiting"] for index in range(3)), ["stray.tif", "waiting"]
    ]  # fmt: skip
    assert dock.files.folder == folder / "batch"
    assert "Press Run: 4 images" in dock.controls.message.sentence
    run(dock, qtbot)
    assert [row[1] for row in shown(dock)] == ["done"] * 3 + ["refused"]
    assert shown(dock)[0][2].startswith("step 1, float32.")
    assert dock.controls.message.sentence.startswith("3 done, 1 refused: the table says why")
    assert dock.controls.message.role == "warning"
    for index, values in enumerate(VALUES):
        made = read_image(folder / "batch" / f"{index}.ome.zarr")
        np.testing.assert_array_equal(made.image, nd.run(values, RECIPE).image)
    double_click(dock, qtbot, 1)
    qtbot.waitUntil(lambda: len(viewer.layers) == 1)
    assert viewer.layers[0].name == "1"
    np.testing.assert_array_equal(viewer.layers[0].data, nd.run(VALUES[1], RECIPE).image)
    double_click(dock, qtbot, 3)
    assert "not a TIFF file" in dock.controls.message.sentence
    assert len(viewer.layers) == 1


def test_a_batch_that_is_whole_is_left_as_it_is_until_outputs_are_replaced(opened, folder, qtbot):
    _, dock = opened(folder)
    run(dock, qtbot)
    run(dock, qtbot)
    assert {row[1] for row in shown(dock)} == {"skipped"}
    assert dock.controls.message.sentence.startswith("3 skipped. Double-click")
    dock.recipe.value = RECIPE.replaced(seed=1)
    run(dock, qtbot)
    assert {row[1] for row in shown(dock)} == {"refused"}
    assert "another recipe: tick Replace outputs under Advanced." in shown(dock)[0][2]
    dock.overwrite.value = True
    run(dock, qtbot)
    assert {row[1] for row in shown(dock)} == {"done"}
    assert read_record(folder / "batch" / "0.ome.zarr")["seed"] == 1


def test_the_form_says_what_is_written(opened, folder, qtbot):
    _, dock = opened(folder / "0.tif", folder / "1.tif")
    dock.files.output.value = str(folder / "other")
    qtbot.waitUntil(lambda: not dock._listing.is_running)
    dock.format.value, dock.keep.value, dock.measure.value = "folder", "all", "first"
    dock.dtype.value = "source"
    run(dock, qtbot)
    made = sorted(path.name for path in (folder / "other").iterdir())
    assert made == ["0", "1", "batch.csv"]
    assert len(list((folder / "other" / "1").iterdir())) == 2
    step = folder / "other" / "1" / "step_0000.ome.tif"
    assert read_record(step)["batch"]["resolved_on"] == "0.tif"


def test_presets_follow_the_pixel_size_of_each_image(opened, folder, qtbot):
    tifffile.imwrite(
        folder / "small.tif", VALUES[0], imagej=True, resolution=(4, 4), metadata={"unit": "um"}
    )
    smooth = nd.PRESETS["smooth"].replaced(num_steps=1)
    _, dock = opened(folder / "0.tif", folder / "small.tif", recipe=nd.PRESETS["smooth"])
    assert dock.recipe.preset == "smooth"
    run(dock, qtbot)
    for name, length in (("0", 1.0), ("small", 0.25)):
        found = read_record(folder / "batch" / f"{name}.ome.zarr")["recipe"]["diffusion_filter"]
        wanted = smooth.scaled(length, DIGITS).diffusion_filter
        assert (found["time"], found["smoothing"]) == (wanted.time, wanted.smoothing)


def test_a_batch_that_is_cancelled_goes_on(opened, folder, qtbot, monkeypatch):
    """The second file waits in its run until it was cancelled."""
    begun, made = threading.Event(), file_run.FileRun.run

    def held(self, stop=None):
        if self.read.path.name == "1.tif":
            begun.set()
            while not stop.is_set():
                stop.wait(1)
        made(self, stop)

    _, dock = opened(folder)
    with monkeypatch.context() as patch:
        patch.setattr(file_run.FileRun, "run", held)
        dock.controls.run.native.click()
        qtbot.waitUntil(lambda: begun.is_set() and dock.table.rows[1].state == "running")
        dock.controls.cancel.native.click()
        qtbot.waitUntil(lambda: not dock.runner.is_running)
        assert dock.runner.worker.join(30)
    assert [row[1] for row in shown(dock)] == ["done", "stopped", "waiting"]
    said = "Stopped: 1 done, 1 stopped, 1 waiting. Run goes on where it ended."
    assert dock.controls.message.sentence == said
    run(dock, qtbot)
    assert [row[1] for row in shown(dock)] == ["skipped", "done", "done"]


def test_what_is_still_to_be_chosen_is_said(open_dock, folder, qtbot, monkeypatch):
    _, dock = open_dock("Batch")
    assert not dock.controls.run.enabled
    assert dock.controls.message.sentence == "Choose the images: files, or a folder of them."
    files = ([str(folder / "1.tif")], "")
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: files)
    dock.files.choose_files.native.click()
    qtbot.waitUntil(lambda: dock.controls.run.enabled)
    assert dock.files.paths == [folder / "1.tif"]
    dock.recipe.num_steps.editor.native.setText("none")
    assert not dock.controls.run.enabled
    assert dock.controls.message.role == "error"
    dock.recipe.value = RECIPE
    assert dock.controls.run.enabled
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    dock.files.choose_folder.native.click()
    dock.files.choose_output.native.click()
    qtbot.waitUntil(lambda: "folder of inputs too" in dock.controls.message.sentence)
    assert not dock.controls.run.enabled
    dock.files.output.value = " "
    qtbot.waitUntil(lambda: "folder of the outputs" in dock.controls.message.sentence)


def test_what_stops_a_whole_batch_is_said(opened, folder, qtbot, said):
    np.save(folder / "0.npy", VALUES[0])
    _, dock = opened(folder)
    run(dock, qtbot)
    assert "would both be written to '0.ome.zarr'" in dock.controls.message.sentence
    assert dock.controls.message.role == "error"
    assert said
    assert not (folder / "batch").exists()


def test_closing_the_dock_stops_it(opened, folder):
    viewer, dock = opened(folder)
    dock.controls.run.native.click()
    viewer.window.remove_dock_widget(dock.native)
    assert dock.runner.worker.join(30)
    assert not list(Path(folder, "batch").glob(".*.lock"))


def test_sentences_name_what_can_be_clicked():
    assert as_clicked("'a' exists; --overwrite replaces it.").endswith("under Advanced.")
    assert "--overwrite" not in as_clicked("x: --overwrite without --resume starts again.")
