"""Runs from file to file: in tiles as in memory, gone on with, refused, verified."""

from __future__ import annotations

import os
import shutil
import signal
import threading

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.cli import main
from napari_diffusion.engine.threads import Stopped
from napari_diffusion.io import read_image, step_paths
from napari_diffusion.runs import OutputInUse, PlanDiffers, Reading, TooLittleMemory, run_file
from napari_diffusion.runs.fingerprint import InputChanged
from napari_diffusion.runs.passes.pass_array import PassArray
from napari_diffusion.runs.verification.verification import verify

RECIPE = nd.Recipe(
    num_steps=3,
    diffusion_filter=nd.filters.PeronaMalik(time=0.3),
    final_filter=nd.filters.Median(),
)

#: A memory in which the image has some tiles.
LITTLE = 2 << 20


@pytest.fixture
def source(tmp_path):
    image = np.random.default_rng(5).normal(100, 10, (90, 40, 36)).astype(np.float32)
    np.save(tmp_path / "volume.npy", image)
    return tmp_path / "volume.npy"


def images(path):
    read = [read_image(each) for each in step_paths(path) or [path]]
    return np.squeeze(np.concatenate([each.image.reshape(-1, 90, 40, 36) for each in read]))


def in_tiles(source, name, **options):
    return run_file(source, source.with_name(name), RECIPE, memory_limit=LITTLE, **options)


def tiles_of(monkeypatch):
    """Return a list that gets every run in tiles."""
    from napari_diffusion.runs import file_run

    made, before = [], file_run.PassRun

    def kept(*given, **options):
        made.append(before(*given, **options))
        return made[-1]

    monkeypatch.setattr(file_run, "PassRun", kept)
    return made


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.ome.zarr", {}),
        ("a.ome.zarr", {"stack": True}),
        ("a.ome.zarr", {"keep_every": None}),
        ("a.ome.tif", {}),
        ("folder", {}),
        ("a.npy", {"keep_every": 2}),
        ("a.ome.zarr", {"dtype": "source"}),
    ],
)
def test_outputs_are_those_of_runs_in_memory(name, options, source, monkeypatch):
    whole = run_file(source, source.with_name(f"whole{name}"), RECIPE, **options)
    made = tiles_of(monkeypatch)
    tiled = in_tiles(source, name, **options)
    assert made[0].plan.tiling.count > 1
    np.testing.assert_array_equal(images(tiled), images(whole))
    assert verify(tiled, source).verdict == "identical"
    left = {path.name for path in source.parent.iterdir() if not path.name.endswith(".json")}
    assert left == {"volume.npy", name, f"whole{name}"}


def test_tiles_that_are_kept_are_files_of_the_output(source, monkeypatch):
    made = tiles_of(monkeypatch)
    path = in_tiles(source, "a.ome.zarr")
    tiles = list(path.glob("steps/0001/0/c/*/*/*"))
    assert len(tiles) == made[0].plan.tiling.count
    # A second name of what the pass wrote, which is gone.
    assert {tile.stat().st_nlink for tile in tiles} == {1}


@pytest.mark.parametrize("keep_every", [1, None])
def test_a_stopped_run_goes_on(keep_every, source, monkeypatch):
    made, stop = tiles_of(monkeypatch), threading.Event()

    def progress(done, total, unit):
        if done > total // 2:
            stop.set()

    with pytest.raises(Stopped) as stopped:
        in_tiles(source, "a.zarr", keep_every=keep_every, progress=progress, stop=stop)
    assert "--resume" in str(stopped.value.__notes__) or "saved" in str(stopped.value.__notes__)
    with pytest.raises(FileExistsError, match="--resume goes on with it"):
        in_tiles(source, "a.zarr", keep_every=keep_every)
    path = in_tiles(source, "a.zarr", keep_every=keep_every, resume=True)
    total = made[0].plan.tiling.count * len(made[0].plan.passes)
    # What was at work when the run was stopped is whole too.
    at_work = total - made[0].made - made[-1].made
    assert 0 <= at_work <= made[0].workers.window
    assert made[-1].skipped > 0
    whole = run_file(source, source.with_name("whole.zarr"), RECIPE, keep_every=keep_every)
    np.testing.assert_array_equal(images(path), images(whole))


@pytest.mark.parametrize("memory_limit", [LITTLE, None])
def test_a_stopped_run_of_reverse_updates_goes_on(memory_limit, source):
    """In tiles from the noisy image that stands; in memory it is made again."""
    recipe = RECIPE.replaced(
        diffusion_filter=nd.filters.NonLocalDiffusion(noise_sigma="step", radius=1),
        update="reverse",
    )
    options = {"memory_limit": memory_limit}
    whole = run_file(source, source.with_name("whole.zarr"), recipe)
    stop = threading.Event()

    def progress(done, total, unit):
        if done >= total // 2 + 1:
            stop.set()

    path = source.with_name("a.zarr")
    with pytest.raises(Stopped):
        run_file(source, path, recipe, progress=progress, stop=stop, **options)
    run_file(source, path, recipe, resume=True, **options)
    np.testing.assert_array_equal(images(path), images(whole))
    assert verify(path, source).verdict == "identical"


def test_only_the_same_run_goes_on(source):
    stop = threading.Event()
    with pytest.raises(Stopped):
        in_tiles(source, "a.zarr", progress=lambda *_: stop.set(), stop=stop)
    other = RECIPE.replaced(diffusion_filter=nd.filters.PeronaMalik(time=0.2))
    with pytest.raises(PlanDiffers, match=r"time is 0\.3 in the unfinished run and 0\.2 now"):
        run_file(source, source.with_name("a.zarr"), other, memory_limit=LITTLE, resume=True)
    np.save(source, np.load(source) + 1)
    with pytest.raises(PlanDiffers, match=r"input\.(header|newest) is"):
        in_tiles(source, "a.zarr", resume=True)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-5],
        lambda text: text.replace('"done": 0', '"done": 99'),
        lambda text: text.replace('"tile": [1', '"tile": [0'),
        lambda text: text.replace("passes", "others"),
    ],
)
def test_a_damaged_state_is_one_sentence(damage, source):
    stop = threading.Event()
    with pytest.raises(Stopped):
        in_tiles(source, "a.zarr", progress=lambda *_: stop.set(), stop=stop)
    (state,) = source.parent.glob("*.passes/passes.json")
    assert damage(state.read_text()) != state.read_text()
    state.write_text(damage(state.read_text()))
    with pytest.raises(ValueError, match=r"passes\.json' is damaged: --overwrite"):
        in_tiles(source, "a.zarr", resume=True)
    in_tiles(source, "a.zarr", overwrite=True)


def test_a_second_run_on_the_same_output_harms_nothing(source):
    found = []

    def progress(done, total, unit):
        if done == 5:
            with pytest.raises(OutputInUse, match="process"):
                in_tiles(source, "a.zarr", overwrite=True)
            found.append(done)

    path = in_tiles(source, "a.zarr", progress=progress)
    assert found == [5]
    assert verify(path, source).verdict == "identical"


def test_an_input_that_changes_is_noticed(source):
    def progress(done, total, unit):
        if done == total:
            np.save(source, np.load(source) + 1)

    with pytest.raises(InputChanged, match="has changed since the run began"):
        in_tiles(source, "a.zarr", progress=progress)
    assert not source.with_name("a.zarr").exists()


def test_a_mask_is_read_in_parts_too(source):
    mask = np.random.default_rng(1).random((90, 40, 36)) < 0.8
    np.save(source.with_name("mask.npy"), mask)
    reading = Reading(mask=source.with_name("mask.npy"))
    whole = run_file(source, source.with_name("whole.zarr"), RECIPE, reading=reading)
    tiled = in_tiles(source, "a.zarr", reading=reading)
    np.testing.assert_array_equal(images(tiled), images(whole))


def test_too_little_memory_is_said_before_anything_is_read(source, monkeypatch):
    monkeypatch.setattr(
        "napari_diffusion.loop.recipe.Recipe.resolved_on", lambda *_: pytest.fail("it was read")
    )
    wide = RECIPE.replaced(diffusion_filter=nd.filters.EdgeEnhancing())
    with pytest.raises(TooLittleMemory, match="such as memory="):
        run_file(source, source.with_name("a.zarr"), wide, memory_limit=LITTLE)
    assert [path.name for path in source.parent.iterdir()] == ["volume.npy"]


def test_a_full_disk_is_said_before_anything_is_read(source, monkeypatch):
    monkeypatch.setattr(
        "napari_diffusion.loop.recipe.Recipe.resolved_on", lambda *_: pytest.fail("it was read")
    )
    left = shutil.disk_usage(source)._replace(free=1_000_000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: left)
    with pytest.raises(OSError, match=r"4\.\d MB needed for the run, 1 MB free"):
        in_tiles(source, "a.zarr")
    assert [path.name for path in source.parent.iterdir()] == ["volume.npy"]


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_a_run_in_order(kind, source, capsys, monkeypatch):
    monkeypatch.chdir(source.parent)
    made = tiles_of(monkeypatch)
    write = PassArray.write

    def signalled(self, *given):
        write(self, *given)
        if len(list(self.path.glob("c/*"))) == 1:
            os.kill(os.getpid(), kind)

    monkeypatch.setattr(PassArray, "write", signalled)
    words = ["run", "volume.npy", "a.zarr", "--steps", "2", "--quiet"]
    words += ["--set", "diffusion_filter.time=0.1", "--threads", "1"]
    monkeypatch.setattr("napari_diffusion.io.memory.free_memory", lambda: 3 << 20)
    assert main(words) == 130
    assert "--resume goes on with the tiles made so far." in capsys.readouterr().err
    monkeypatch.setattr(PassArray, "write", write)
    assert main([*words, "--resume"]) == 0
    assert made[-1].skipped > 0
    assert not list(source.parent.glob("*partial*"))


def test_the_command_prints_the_plan_and_writes_nothing(source, capsys, monkeypatch):
    monkeypatch.chdir(source.parent)
    words = ["run", "volume.npy", "a.zarr", "--memory", "64MiB", "--steps", "2"]
    assert main([*words, "--plan"]) == 0
    said = capsys.readouterr().out
    for name in ("passes", "tiles", "redundancy", "memory", "disk", "transfers", "time"):
        assert f"\n{name}" in said
    assert [path.name for path in source.parent.iterdir()] == ["volume.npy"]
