"""Runs that do not fit into memory go to a folder, and are shown from there."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

pytest.importorskip("napari")

from napari.layers import Image, Labels

import napari_diffusion as nd
from napari_diffusion.io.memory import limited_memory
from napari_diffusion.io.output_lock import OutputLock
from napari_diffusion.records.provenance import recipe_of
from napari_diffusion.runs.verification.verdict import Verdict
from napari_diffusion.widgets.commands import command_work, verify_selected
from napari_diffusion.widgets.layers.step_records import records_of
from napari_diffusion.widgets.run import folder_question, folder_run
from napari_diffusion.widgets.run.run_request import Progress

VOLUME = np.random.default_rng(5).normal(100, 10, (96, 20, 24)).astype(np.float32)
RECIPE = nd.Recipe(
    num_steps=3, diffusion_filter=nd.filters.PeronaMalik(contrast=8.0), starting_noise_scale=5.0
)
# Too little for the volume and its steps; enough for tiles that are as thick as their halo.
LITTLE = 1_400_000


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Return what was asked; the answer is always one folder."""
    sentences = []

    def answered(sentence, lazy):
        sentences.append(sentence)
        return tmp_path

    monkeypatch.setattr(folder_question, "asked", answered)
    folder_question.forget()
    yield sentences
    folder_question.forget()


@pytest.fixture(autouse=True)
def _little_memory():
    with limited_memory(LITTLE):
        yield


def cells(**options):
    return Image(VOLUME.copy(), name="cells", **options)


def ran(dock, qtbot):
    dock.controls.run.native.click()
    qtbot.waitUntil(lambda: not dock.runner.is_running)
    return dock.controls.message.sentence


def made(viewer):
    return [layer for layer in viewer.layers if records_of(layer)]


def test_a_run_above_the_limit_asks_once_and_has_the_bits_of_one_in_memory(
    open_loop, qtbot, asked, tmp_path
):
    viewer, loop = open_loop(cells(scale=(2, 1, 1), colormap="magma", contrast_limits=(70, 130)))
    loop.value = RECIPE
    said = ran(loop, qtbot)
    assert said.startswith("Done in "), said
    (question,) = asked
    assert question.startswith("The run needs 1.8 MB of memory and 1.4 MB are free. ")
    assert question.endswith("step by step: it needs 1.2 MB of disk.")
    (layer,) = made(viewer)
    assert layer.name == "3 steps · cells"
    assert layer.axis_labels[0] == "step"
    assert layer.colormap.name == "magma"
    np.testing.assert_array_equal(layer.scale, (1, 2, 1, 1))
    assert not isinstance(layer.data, np.ndarray)
    steps = itertools.islice(nd.steps(VOLUME, RECIPE, spacing=(2, 1, 1)), 3)
    for place, (step, kept) in enumerate(zip(steps, records_of(layer), strict=True)):
        np.testing.assert_array_equal(np.asarray(layer.data[place]), step.image)
        assert kept["step"] == place
        assert kept["source"] == "cells"
    assert place == 2
    assert recipe_of(kept) == RECIPE.resolved(VOLUME, spacing=(2, 1, 1))
    assert [p.name for p in tmp_path.glob("cells*")] == ["cells-run1.ome.zarr"]

    loop.source.set_layer(viewer.layers["cells"])
    assert ran(loop, qtbot).startswith("Done in ")
    assert len(asked) == 1
    assert sorted(p.name for p in tmp_path.glob("cells*")) == [
        "cells-run1.ome.zarr", "cells-run2.ome.zarr",
    ]  # fmt: skip
    assert [layer.name for layer in made(viewer)] == ["3 steps · cells", "3 steps · cells (run 2)"]


@pytest.fixture
def runs(monkeypatch):
    """Return the runs that were begun."""
    found = []
    begun = folder_run._LayerRun.run

    def run(self, stop=None):
        found.append(self)
        begun(self, stop)

    monkeypatch.setattr(folder_run._LayerRun, "run", run)
    return found


def cancelled(dock, qtbot, tiles=4):
    """Cancel a run after so many tiles."""
    dock.controls.run.native.click()

    def heard(news):
        if isinstance(news, Progress) and news.done == tiles:
            dock.controls.cancel.native.click()

    dock.runner.worker.posted.connect(heard)
    qtbot.waitUntil(lambda: not dock.runner.is_running)
    return dock.controls.message.sentence


def test_run_goes_on_with_what_a_cancelled_one_has_left(open_loop, qtbot, asked, runs, tmp_path):
    viewer, loop = open_loop(cells())
    loop.value = RECIPE
    said = cancelled(loop, qtbot)
    assert said == (
        f"Cancelled: the tiles made so far in {str(tmp_path)!r}, with which Run goes on, are kept."
    )
    assert made(viewer) == []
    assert ran(loop, qtbot).startswith("Done in ")
    first, second = runs
    tiles = first.passes.plan.tiling.count * len(first.passes.plan.passes)
    assert first.passes.made >= 4
    assert second.passes.made + 4 <= tiles
    assert [p.name for p in tmp_path.glob("cells*")] == ["cells-run1.ome.zarr"]
    (layer,) = made(viewer)
    np.testing.assert_array_equal(np.asarray(layer.data[-1]), nd.run(VOLUME, RECIPE).image)
    assert len(asked) == 1


def test_what_was_begun_on_other_values_stays_as_it_is(open_loop, qtbot, asked, tmp_path):
    viewer, loop = open_loop(cells())
    loop.value = RECIPE
    cancelled(loop, qtbot)
    other = VOLUME.copy()
    other[-1, -1, -1] += 1
    viewer.layers["cells"].data = other
    assert ran(loop, qtbot).startswith("Done in ")
    assert (tmp_path / "cells-run1.partial.ome.zarr").is_dir()
    assert "cells-run2.ome.zarr" in loop.controls.message.sentence
    (layer,) = made(viewer)
    np.testing.assert_array_equal(np.asarray(layer.data[-1]), nd.run(other, RECIPE).image)


def test_without_a_folder_what_fits_is_offered(open_loop, qtbot, monkeypatch, said):
    monkeypatch.setattr(folder_question, "asked", lambda sentence, lazy: None)
    viewer, loop = open_loop(cells())
    loop.value = RECIPE
    loop.controls.run.native.click()
    assert not loop.runner.is_running
    assert loop.controls.message.sentence.startswith("This run needs 1.8 MB of memory")
    assert len(viewer.layers) == 1


def test_lazy_images_can_still_be_computed_where_they_are_looked_at(
    open_loop, qtbot, monkeypatch, tmp_path
):
    da = pytest.importorskip("dask.array")
    answers = [None, "as before"]
    monkeypatch.setattr(folder_question, "asked", lambda sentence, lazy: answers.pop(0))
    viewer, loop = open_loop(Image(da.from_array(VOLUME, chunks=32), name="cells"))
    loop.value = RECIPE.replaced(num_steps=300)
    loop.controls.run.native.click()
    assert not loop.runner.is_running
    loop.value = RECIPE
    with limited_memory(900_000):
        assert ran(loop, qtbot).startswith("Done in ")
    assert answers == []
    assert isinstance(made(viewer)[0].data, da.Array)


def test_what_stands_in_the_way_is_one_sentence(open_loop, qtbot, asked, said, tmp_path):
    viewer, loop = open_loop(cells())
    loop.value = RECIPE
    path = tmp_path / "cells-run1.ome.zarr"
    lock = OutputLock(tmp_path / ".cells-run1.partial.ome.zarr.lock", path)
    lock.acquire()
    refused = ran(loop, qtbot)
    lock.release()
    assert str(path) in refused
    assert loop.controls.message.role == "error"
    loop.value = RECIPE.replaced(diffusion_filter=nd.filters.Heat(time=200.0))
    refused = ran(loop, qtbot)
    assert "too small for a tile that is as thick as its halo" in refused
    assert len(viewer.layers) == 1
    assert [p.name for p in tmp_path.glob("*cells*")] == []


def test_a_folder_that_is_an_image_or_has_no_room_is_refused(
    open_loop, monkeypatch, asked, said, tmp_path
):
    _, loop = open_loop(cells())
    loop.value = RECIPE
    (tmp_path / "zarr.json").write_text("{}")
    loop.controls.run.native.click()
    assert loop.controls.message.sentence == (
        f"{str(tmp_path)!r} is itself an image: choose the folder that it lies in."
    )
    (tmp_path / "zarr.json").unlink()
    usage = lambda path: type("Usage", (), {"free": 1000})  # noqa: E731
    monkeypatch.setattr("napari_diffusion.io.full_disk.shutil.disk_usage", usage)
    loop.controls.run.native.click()
    assert "1.2 MB needed for the run, 1 kB free" in loop.controls.message.sentence
    assert len(asked) == 2


def shown(viewer):
    """Return what the last run has made, as it is read from the folder."""
    layer = made(viewer)[-1]
    data = layer.data[0] if layer.multiscale else layer.data
    assert not isinstance(data, np.ndarray)
    return np.asarray(data)


def test_lazy_images_go_to_a_folder_too(open_loop, qtbot, asked):
    da = pytest.importorskip("dask.array")
    viewer, loop = open_loop(Image(da.from_array(VOLUME, chunks=32), name="cells"))
    loop.value = RECIPE.replaced(num_steps=5)
    with limited_memory(1_000_000):
        assert ran(loop, qtbot).startswith("Done in ")
    assert len(asked) == 1
    np.testing.assert_array_equal(shown(viewer)[-1], nd.run(VOLUME, loop.value).image)


def test_colours_are_rounded_as_in_memory(open_loop, qtbot, asked):
    colours = np.random.default_rng(1).integers(0, 255, (400, 40, 3), np.uint8)
    viewer, loop = open_loop(Image(colours, name="colours", rgb=True))
    loop.value = RECIPE
    with limited_memory(1_200_000):
        assert ran(loop, qtbot).startswith("Done in ")
    kept = shown(viewer)[-1]
    assert made(viewer)[-1].rgb
    expected = nd.run(colours, RECIPE, axes="yxc", rgb=True).image
    np.testing.assert_array_equal(kept, np.rint(expected).clip(0, 255).astype(np.uint8))


def test_a_mask_and_further_axes(open_loop, qtbot, asked):
    inside = np.zeros(VOLUME.shape[1:], np.uint8)
    inside[4:16, 4:16] = 1
    series = Image(VOLUME.reshape(4, 24, 20, 24), name="cells", axis_labels=("?", "t", "y", "x"))
    viewer, loop = open_loop(series, Labels(inside, name="mask"))
    loop.source.set_layer(series)
    loop.source.mask.set_named("mask")
    loop.value = RECIPE
    assert ran(loop, qtbot).startswith("Done in ")
    assert len(asked) == 1
    whole = np.broadcast_to(inside.astype(bool), VOLUME.shape)
    expected = nd.run(VOLUME, RECIPE, axes="tyx", mask=whole).image
    np.testing.assert_array_equal(shown(viewer)[-1], expected)


def test_single_filters_go_to_a_folder(open_dock, qtbot, asked):
    viewer, dock = open_dock("Filter", cells())
    dock.value = nd.filters.PeronaMalik(contrast=8.0, time=1.0)
    with limited_memory(1_300_000):
        assert ran(dock, qtbot).startswith("Done in ")
    (layer,) = made(viewer)
    assert layer.name.endswith("t=1 · cells")
    assert "1 step in" in dock.controls.message.sentence
    np.testing.assert_array_equal(shown(viewer), dock.value(VOLUME))


def test_denoised_in_a_folder(open_dock, qtbot, asked):
    image = np.random.default_rng(2).normal(100, 10, (1200, 24)).astype(np.float32)
    viewer, dock = open_dock("Denoise", Image(image, name="cells"))
    dock.fast.value = True
    with limited_memory(600_000):
        said = ran(dock, qtbot)
    assert len(asked) == 1
    (layer,) = made(viewer)
    assert layer.name == "denoised · cells"
    assert said.startswith("White noise")
    np.testing.assert_array_equal(shown(viewer), nd.denoise(image, fast=True))


def test_the_client_that_is_active_makes_the_tiles(open_loop, qtbot, asked, runs, tmp_path):
    zarr = pytest.importorskip("zarr")
    distributed = pytest.importorskip("distributed")
    stored = zarr.create_array(str(tmp_path / "image"), data=VOLUME, chunks=(24, 20, 24))
    viewer, loop = open_loop(Image(stored, name="cells"))
    loop.value = RECIPE
    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    )
    with cluster, distributed.Client(cluster) as client:
        assert ran(loop, qtbot).startswith("Done in ")
        assert runs[0].workers.client is client
    np.testing.assert_array_equal(shown(viewer)[-1], nd.run(VOLUME, RECIPE).image)


def test_what_is_in_a_folder_is_verified_within_the_memory(open_loop, qtbot, asked, monkeypatch):
    found = []
    monkeypatch.setattr(verify_selected, "show_verdict", found.append)
    viewer, loop = open_loop(cells())
    loop.value = RECIPE
    assert ran(loop, qtbot).startswith("Done in ")
    (layer,) = made(viewer)
    verify_selected.verify_selected(viewer, layer)
    qtbot.waitUntil(lambda: not command_work.under_way())
    assert found[-1].verdict is Verdict.IDENTICAL
    other = VOLUME.copy()
    other[3, 2, 1] += 1
    viewer.layers["cells"].data = other
    verify_selected.verify_selected(viewer, layer)
    qtbot.waitUntil(lambda: not command_work.under_way())
    assert found[-1].verdict is Verdict.DIFFERENT
    assert "'cells' is not the image that the run started from" in found[-1].findings[-1]
