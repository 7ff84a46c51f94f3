"""What is typed is done, what cannot be done is said in one sentence, and nothing is lost."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

import napari_diffusion as nd
from napari_diffusion.cli import main, screen
from napari_diffusion.io import Source, read_image, read_record, step_paths
from napari_diffusion.loop.presets import DIGITS
from napari_diffusion.loop.recipe_units import LengthUnit, to_json, unit_of_json
from napari_diffusion.samples import SAMPLES

IMAGE = np.random.default_rng(0).integers(0, 256, (20, 24), dtype=np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (20, 24, 3), dtype=np.uint8)
VOLUME = np.random.default_rng(2).random((5, 12, 14), dtype=np.float32)
FIXED = ["--set", "starting_noise_scale=2", "--set", "diffusion_filter.contrast=5"]
SHORT = ["--steps", "2", "--quiet", *FIXED]


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    """Work in an empty folder that has some images."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Image.fromarray(IMAGE).save("a.png")
    Image.fromarray(COLOUR).save("rgb.png")
    np.save("a.npy", IMAGE)
    np.save("volume.npy", VOLUME)
    np.save("rgb.npy", np.zeros((40, 40, 3), np.uint8))
    np.save("nan.npy", np.array([[1.0, np.nan], [np.nan, 2.0]]))
    tifffile.imwrite(
        "zyx.tif",
        VOLUME,
        imagej=True,
        resolution=((4, 1), (4, 1)),
        metadata={"axes": "ZYX", "spacing": 1.5, "unit": "um"},
    )


def recipe(**changes):
    fixed = nd.PRESETS["explore"].replaced(num_steps=2, starting_noise_scale=2.0)
    filtered = fixed.diffusion_filter.replaced(contrast=5.0)
    return fixed.replaced(diffusion_filter=filtered, **changes)


# run


@pytest.mark.parametrize("output", ["out.tif", "out.ome.tif", "out.ome.zarr", "out.npy", "out"])
def test_run_writes_what_the_engine_makes(output, capsys):
    expected = [step.image for step in nd.steps(IMAGE, recipe())]
    assert main(["run", "a.png", output, *SHORT]) == 0
    if output == "out.npy":
        found = np.load(output)
    elif output.endswith("tif"):
        found = tifffile.imread(output)
    else:
        found = [read_image(path).image for path in step_paths(Path(output))]
    np.testing.assert_array_equal(found, expected)
    assert np.asarray(found).dtype == np.float32
    assert capsys.readouterr() == ("", "")


def test_run_follows_axes_and_lengths_of_the_file():
    grid = {"axes": "zyx", "spacing": (1.5, 0.25, 0.25)}
    # Contrast was typed, so it is not scaled with the preset.
    fixed = recipe().scaled(0.25, DIGITS)
    fixed = fixed.replaced(diffusion_filter=fixed.diffusion_filter.replaced(contrast=5.0))
    expected = nd.run(VOLUME, fixed, **grid)
    assert main(["run", "zyx.tif", "out.ome.tif", *SHORT, "--keep", "last"]) == 0
    found = read_image("out.ome.tif")
    assert (found.axes, found.spacing, found.unit) == ("zyx", (1.5, 0.25, 0.25), "micrometer")
    np.testing.assert_array_equal(found.image, expected.image)


def test_run_reads_colours_as_colours():
    assert main(["run", "rgb.png", "out.tif", *SHORT]) == 0
    with tifffile.TiffFile("out.tif") as file:
        assert file.series[0].axes == "QYXS"
    assert read_record(Path("out.tif"))["grid"]["rgb"] is True
    assert main(["run", "rgb.png", "plain.tif", *SHORT, "--no-rgb"]) == 0
    with tifffile.TiffFile("plain.tif") as file:
        assert file.series[0].axes == "QCYX"


def test_options_reach_the_engine():
    grid = {"axes": "tyx", "along": "tyx", "spacing": (1.0, 0.5, 0.5)}
    fixed = recipe(seed=7).scaled(0.5)
    fixed = fixed.replaced(diffusion_filter=fixed.diffusion_filter.replaced(contrast=5.0))
    expected = nd.run(VOLUME, fixed, **grid)
    words = ["--axes", "tyx", "--along", "tyx", "--spacing", "1,0.5,0.5", "--seed", "7"]
    assert main(["run", "volume.npy", "out.npy", *SHORT, *words, "--keep", "last"]) == 0
    np.testing.assert_array_equal(np.load("out.npy"), expected.image)
    kept = read_record(Path("out.npy"))
    assert kept["grid"]["spacing"] == [1.0, 0.5, 0.5]
    assert kept["grid"]["along"] == "tyx"


def test_channels_can_be_kept_apart():
    fixed = nd.PRESETS["smooth"].replaced(num_steps=1)
    for flag, joint in [("--joint-channels", True), ("--no-joint-channels", False)]:
        words = ["--recipe", "smooth", "--steps", "1", "--quiet", "--overwrite", flag]
        assert main(["run", "rgb.png", "out.npy", *words]) == 0
        expected = nd.run(COLOUR, fixed, axes="yxc", rgb=True, joint_channels=joint).image
        np.testing.assert_array_equal(np.load("out.npy"), expected)


def test_a_mask_keeps_what_is_outside():
    mask = np.zeros(IMAGE.shape, np.uint8)
    mask[5:15, 5:15] = 255
    Image.fromarray(mask).save("mask.png")
    assert main(["run", "a.png", "out.npy", *SHORT, "--mask", "mask.png"]) == 0
    changed = np.load("out.npy") != IMAGE
    assert not changed[:, mask == 0].any()
    assert changed[:, mask != 0].all()
    assert len(read_record(Path("out.npy"))["grid"]["mask"]["sha256"]) == 64


def test_holes_stay_holes():
    assert main(["run", "nan.npy", "out.npy", *SHORT, "--missing", "ignore"]) == 0
    np.testing.assert_array_equal(np.isnan(np.load("out.npy")[-1]), np.isnan(np.load("nan.npy")))


@pytest.mark.parametrize(
    ("keep", "final", "kept"),
    [
        ("all", "Heat", [0, 1, 2, 3, 4, 5]),
        ("all", "none", [0, 1, 2, 3, 4]),
        ("last", "Heat", [5]),
        ("last", "none", [4]),
        ("every:2", "Heat", [0, 2, 4, 5]),
        ("every:3", "Heat", [0, 3, 4, 5]),
        ("every:3", "none", [0, 3, 4]),
        ("every:9", "none", [0, 4]),
    ],
)
def test_which_steps_are_kept(keep, final, kept):
    words = ["--steps", "5", "--quiet", *FIXED, "--set", f"final_filter={final}", "--keep", keep]
    assert main(["run", "a.png", "out.zarr", *words]) == 0
    assert [read_record(path)["step"] for path in step_paths(Path("out.zarr"))] == kept
    assert [step["step"] for step in read_record(Path("out.zarr"))["steps"]] == kept


def test_steps_in_the_type_of_the_source():
    assert main(["run", "a.png", "out.tif", *SHORT, "--dtype", "source"]) == 0
    found = tifffile.imread("out.tif")
    expected = [np.rint(step.image).clip(0, 255) for step in nd.steps(IMAGE, recipe())]
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)
    cast = {"dtype": "uint8", "clipped": [0.0, 255.0], "rounded": True}
    assert read_record(Path("out.tif"))["cast"] == cast
    assert main(["run", "a.png", "plain.tif", *SHORT]) == 0
    assert "cast" not in read_record(Path("plain.tif"))


def test_wide_floats_stay_wide():
    np.save("wide.npy", IMAGE.astype(float))
    assert main(["run", "wide.npy", "out.tif", *SHORT]) == 0
    assert tifffile.imread("out.tif").dtype == np.float64


def test_a_result_can_be_made_again_from_its_own_record():
    words = ["--steps", "3", "--quiet", "--seed", "11"]
    assert main(["run", "a.png", "first.ome.tif", *words]) == 0
    record = read_record(Path("first.ome.tif"))
    resolved = nd.Recipe.from_dict(record["recipe"])
    assert resolved.is_resolved
    assert resolved.starting_noise_scale == 5 * np.ptp(IMAGE.astype(float)) / 100
    assert record["asked"]["starting_noise_scale"] == "5 % of range"
    assert f"{resolved.starting_noise_scale:.4g} (5 % of range) at the start" in record["processed"]
    assert main(["run", "a.png", "again.npy", "--recipe", "first.ome.tif", "--quiet"]) == 0
    np.testing.assert_array_equal(tifffile.imread("first.ome.tif"), np.load("again.npy"))
    words = ["--recipe", "again.npy.recipe.json", "--quiet"]
    assert main(["run", "a.png", "third.npy", *words]) == 0
    np.testing.assert_array_equal(np.load("again.npy"), np.load("third.npy"))


def test_a_recipe_from_a_file_is_taken_as_it_stands():
    made = recipe(seed=2**64 - 1).scaled(1 / 3)
    Path("mine.json").write_text(made.to_json())
    assert main(["run", "zyx.tif", "out.npy", "--recipe", "mine.json", "--quiet"]) == 0
    assert nd.Recipe.from_dict(read_record(Path("out.npy"))["recipe"]) == made


def test_a_filter_by_name_alone_follows_the_distance_of_the_samples():
    words = ["--recipe", "smooth", "--quiet", "--steps", "1"]
    assert main(["run", "zyx.tif", "a.ome.tif", *words, "--set", "diffusion_filter=Heat"]) == 0
    made = nd.Recipe.from_dict(read_record(Path("a.ome.tif"))["recipe"]).diffusion_filter
    assert made == nd.filters.Heat().scaled(0.25)
    typed = ["--set", "diffusion_filter=Heat", "--set", "diffusion_filter.time=0.5"]
    assert main(["run", "zyx.tif", "b.ome.tif", *words, *typed]) == 0
    made = nd.Recipe.from_dict(read_record(Path("b.ome.tif"))["recipe"]).diffusion_filter
    assert made == nd.filters.Heat(time=0.5)


def test_a_recipe_file_keeps_its_meaning_in_another_unit(capsys):
    made = nd.Recipe(2, 2.0, diffusion_filter=nd.filters.Heat(time=0.25))
    Path("px.json").write_text(to_json(made, LengthUnit()))
    Path("nm.json").write_text(to_json(made.scaled(250.0), LengthUnit("nm", 250.0)))
    Path("bare.json").write_text(made.to_json())
    words = ["--keep", "last", "--overwrite"]
    effect = "; the effect on the pixels is the same"
    for name, area, said in (
        ("px", 0.015625, f"Lengths converted from pixels to µm{effect}."),
        ("nm", 0.015625, "Lengths converted from nm to µm."),
        ("bare", 0.25, "The recipe names no unit: its lengths are read in µm."),
    ):
        assert main(["run", "zyx.tif", "out.npy", "--recipe", f"{name}.json", *words]) == 0
        assert capsys.readouterr().err.splitlines()[0] == said
        kept = read_record(Path("out.npy"))
        assert kept["recipe"]["diffusion_filter"]["time"] == area
        assert kept["grid"]["unit"] == "micrometer"
    assert main(["run", "a.png", "px.npy", "--recipe", "out.npy.recipe.json", *words]) == 0
    assert f"from µm to pixels{effect}." in capsys.readouterr().err
    assert read_record(Path("px.npy"))["recipe"]["diffusion_filter"]["time"] == 4.0
    assert main(["run", "a.png", "px.npy", "--recipe", "px.json", *words, "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert main(["recipe", "out.npy.recipe.json"]) == 0
    printed = capsys.readouterr().out
    assert unit_of_json(printed) == LengthUnit("micrometer", 0.25)
    assert main(["run", "zyx.tif", "out.npy", "--recipe", "px.json", "--quiet", *words]) == 0
    assert capsys.readouterr().err == ""


def test_a_typed_spacing_replaces_the_one_of_the_file():
    assert main(["run", "zyx.tif", "out.tif", *SHORT, "--spacing", "2,0.5,0.5"]) == 0
    with tifffile.TiffFile("out.tif") as file:
        assert file.pages[0].tags["XResolution"].value == (20000, 1)
        assert 'PhysicalSizeZ="2.0" PhysicalSizeZUnit="µm"' in file.ome_metadata


def test_threads_do_not_change_a_bit_and_are_set_for_the_run_alone(monkeypatch):
    monkeypatch.delenv("NAPARI_DIFFUSION_THREADS", raising=False)
    for count in ("1", "3"):
        assert main(["run", "zyx.tif", f"out{count}.npy", *SHORT, "--threads", count]) == 0
    np.testing.assert_array_equal(np.load("out1.npy"), np.load("out3.npy"))
    assert "NAPARI_DIFFUSION_THREADS" not in os.environ


def test_larger_than_the_memory(monkeypatch):
    from napari_diffusion.io import memory

    assert main(["run", "zyx.tif", "source.ome.zarr", *SHORT]) == 0
    words = ["run", "source.ome.zarr/steps/0001"]
    assert main([*words, "memory.npy", *SHORT]) == 0
    monkeypatch.setattr(memory, "free_memory", lambda: 60_000)
    assert main([*words, "disk.npy", *SHORT]) == 0
    np.testing.assert_array_equal(np.load("memory.npy"), np.load("disk.npy"))


def test_what_cannot_be_read_in_parts_must_fit_the_memory(monkeypatch, capsys):
    from napari_diffusion.io import memory

    monkeypatch.setattr(memory, "free_memory", lambda: 1000)
    assert main(["run", "a.png", "out.tif", *SHORT]) == 1
    assert "convert it to OME-Zarr" in capsys.readouterr().err
    assert not Path("out.tif").exists()


def test_progress_with_the_time_left_stands_on_stderr(capsys):
    assert main(["run", "a.png", "out.tif", "--steps", "2", *FIXED]) == 0
    printed = capsys.readouterr()
    assert printed.out == "out.tif: 2 steps and the final filter's result, float32\n"
    assert re.search(r"3/3 \[\d\d:\d\d<\d\d:\d\d, .*step", printed.err)


@pytest.mark.filterwarnings("default")
def test_warnings_are_one_line_and_the_file_is_written(capsys):
    np.save("large.npy", np.full((4, 4), 2**30 + 1, dtype=np.int32))
    assert main(["run", "large.npy", "out.npy", *SHORT]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("napari-diffusion: warning: Integers from 1073741825")


@pytest.mark.filterwarnings("default")
def test_warnings_for_developers_are_not_for_users(monkeypatch, capsys):
    def outdated(*more, **options):
        warnings.warn("outdated", DeprecationWarning, stacklevel=1)
        return read_image(*more, **options)

    monkeypatch.setattr("napari_diffusion.runs.run_input.read_image", outdated)
    assert main(["run", "a.png", "out.npy", *SHORT]) == 0
    assert capsys.readouterr().err == ""


# What is wrong is said


WRONG = [
    ("run nothing.png out.tif", 1, r"File 'nothing\.png' does not exist"),
    ("run nan.npy out.tif", 1, "2 NaN or infinite values"),
    ("run a.png nothing/out.tif", 1, "output folder 'nothing' does not exist"),
    ("run a.png a.png --overwrite", 2, r"'a\.png' has an unsupported extension"),
    ("run zyx.tif zyx.tif --overwrite", 1, "would overwrite the input"),
    ("run a.npy a.npy --overwrite", 1, "would overwrite the input"),
    ("run a.png out.jpg", 2, r"use \.ome\.zarr, \.zarr, "),
    ("run a.png out.tif --recipe nope", 2, "presets are explore, denoise"),
    ("run a.png out.tif --recipe a.png", 1, "is no result of napari-diffusion"),
    ("run a.png out.tif --set time=2", 2, "has no 'time'; it has num_steps"),
    ("run a.png out.tif --set diffusion_filter.tim=2", 2, "no parameter 'tim'; it has time"),
    ("run a.png out.tif --set diffusion_filter=Nope", 2, "no filter 'Nope': use one of P"),
    ("run a.png out.tif --set diffusion_filter.time=-1", 2, r"at least 0 \(got -1\)"),
    ("run a.png out.tif --set diffusion_filter.time=fast", 2, r"a number \(got 'fast'\)"),
    ("run a.png out.tif --set diffusion_filter.conductance=x", 2, "must be one of 'rational'"),
    ("run a.png out.tif --set foo", 2, "must be NAME=VALUE"),
    ("run a.png out.tif --steps 0", 2, r"at least 1 \(got '0'\)"),
    ("run a.png out.tif --seed -1", 2, r"seed must be from 0 .*\(got -1\)"),
    ("run a.png out.tif --seed x", 2, "invalid int value: 'x'"),
    ("run a.png out.tif --axes zyx", 2, "names 3 axes, but the array has 2"),
    ("run a.png out.tif --axes ab", 2, "letters t, c, z, y, x"),
    ("run a.png out.tif --along z", 2, "along must name at least one of the axes 'yx'"),
    ("run a.png out.tif --spacing 1,2,3", 2, "one per axis of --along yx"),
    ("run a.png out.tif --spacing wide", 2, "numbers separated by commas"),
    ("run a.png out.tif --spacing 0", 2, "greater than 0"),
    ("run rgb.npy out.tif", 2, "set --axes yxc, --rgb or --axes zyx"),
    ("run a.png out.tif --rgb", 2, "needs an axis c"),
    ("run volume.npy out.tif --axes tyx --mask a.png", 1, "mask must have the image's shape"),
    ("run a.png out.tif --keep some", 2, "all, last or every:N"),
    ("run a.png out.tif --keep every:0", 2, "all, last or every:N"),
    ("run a.png out.tif --threads 0", 2, "at least 1"),
    ("run a.png out.tif --dtype uint8", 2, "'float', 'source'"),
    ("run a.png", 2, "required: OUTPUT"),
    ("", 2, "required: COMMAND"),
    ("paint", 2, "choose from .*run.*recipe.*inspect.*demo"),
    ("recipe nope", 2, "presets are explore, denoise"),
    ("recipe --steps 3", 2, "no recipe to change: give explore, denoise"),
    ("recipe explore --set noise=1", 2, "no noise '1': use one of Gaussian"),
    ("inspect nothing.tif", 1, "File 'nothing.tif' does not exist"),
    ("demo --output a.png --no-window", 1, "a.png"),
    ("best a.png --second a.png --halves frames", 2, "--second and --halves exclude each other"),
    ("best a.png --halves frames", 1, "needs 2 frames or more along t"),
    ("best a.png --reference volume.npy", 1, "reference must have the image's shape"),
    ("best a.png --curves a.txt", 2, "must end in .csv"),
    ("best nothing.png", 1, r"File 'nothing\.png' does not exist"),
    ("methods nothing.tif", 1, "File 'nothing.tif' does not exist"),
    ("methods a.png", 1, "is no result of napari-diffusion"),
]


@pytest.mark.parametrize(("line", "code", "words"), WRONG, ids=lambda value: str(value)[:60])
def test_what_is_wrong_is_said_in_one_sentence(line, code, words, capsys):
    before = sorted(os.listdir())
    try:
        found = main(line.split())
    except SystemExit as ended:
        found = ended.code
    printed = capsys.readouterr()
    assert found == code
    assert re.search(words, printed.err)
    assert printed.err.startswith("napari-diffusion")
    assert printed.err.count("\n") == 1, "one line"
    assert "Traceback" not in printed.err
    assert printed.out == ""
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize("output", ["out.tif", "out.zarr", "out.npy"])
def test_nothing_is_replaced_unless_asked(output, capsys):
    assert main(["run", "a.png", output, *SHORT]) == 0
    assert main(["run", "a.png", output, *SHORT, "--seed", "5"]) == 1
    assert "--overwrite replaces it" in capsys.readouterr().err
    assert read_record(Path(output))["seed"] == 0
    assert main(["run", "a.png", output, *SHORT, "--seed", "5", "--overwrite"]) == 0
    assert read_record(Path(output))["seed"] == 5


def test_steps_of_a_run_are_not_taken_for_a_volume(capsys):
    assert main(["run", "a.png", "out.tif", *SHORT]) == 0
    assert main(["run", "out.tif", "again.tif", *SHORT]) == 2
    assert (
        "holds the steps of a run: to read them as frames, name the axes" in capsys.readouterr().err
    )
    assert main(["run", "out.tif", "again.zarr", *SHORT, "--axes", "tyx"]) == 0
    assert main(["run", "again.zarr", "more.tif", *SHORT]) == 1
    assert re.search(
        r"give one of them, such as .*again\.zarr\W+steps\W+0002", capsys.readouterr().err
    )
    assert main(["run", "again.zarr/steps/0002", "more.zarr", *SHORT]) == 0


# Interrupted


@pytest.mark.parametrize("output", ["out.ome.tif", "out.zarr", "out.npy", "out"])
def test_ctrl_c_keeps_the_steps_made_so_far(output, monkeypatch, capsys):
    from napari_diffusion.io import Output

    write = Output.write

    def interrupted(self, *more):
        write(self, *more)
        if len(self.steps) == 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Output, "write", interrupted)
    handler = signal.getsignal(signal.SIGINT)
    assert main(["run", "a.png", output, "--steps", "9", "--quiet", *FIXED]) == 130
    stem, dot, ending = output.partition(".")
    partial = f"{stem}.partial{dot}{ending}"
    said = f"napari-diffusion: Interrupted. The 2 steps made are saved in {partial!r}.\n"
    assert capsys.readouterr().err == said
    assert not Path(output).exists()
    assert Path(partial).exists()
    assert signal.getsignal(signal.SIGINT) is handler


def test_ctrl_c_stops_within_a_step(monkeypatch):
    tiles = []

    def counted(self, work, all_tiles):
        for tile in all_tiles:
            if self.stop is not None and self.stop.is_set():
                raise nd.Stopped("…")
            tiles.append(tile)
            if len(tiles) == 3:
                signal.raise_signal(signal.SIGINT)
            work(*tile)

    monkeypatch.setattr(nd.engine.threads.Threads, "_work_through", counted)
    monkeypatch.setattr(nd.engine.threads, "TILE_VOXELS", 50)
    words = ["--steps", "1", "--quiet", "--threads", "1", *FIXED]
    assert main(["run", "a.png", "out.tif", *words]) == 130
    assert len(tiles) == 3
    assert list(Path().glob("out*")) == []


def test_ctrl_c_before_the_first_step(monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("napari_diffusion.runs.run_input.read_image", interrupted)
    assert main(["run", "a.png", "out.tif", *SHORT]) == 130
    assert capsys.readouterr().err == "napari-diffusion: Interrupted.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to another process")
def test_ctrl_c_from_outside():
    np.save("large.npy", np.random.default_rng(0).random((64, 64, 64), dtype=np.float32))
    words = ["run", "large.npy", "out.zarr", "--steps", "4000", *FIXED]
    program = [sys.executable, "-m", "napari_diffusion", *words]
    with subprocess.Popen(program, stderr=subprocess.PIPE, text=True) as running:
        until = time.monotonic() + 60
        while not Path("out.partial.zarr/steps/0001").exists() and time.monotonic() < until:
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "saved in 'out.partial.zarr'" in said
    assert "Traceback" not in said
    assert not Path("out.zarr").exists()


# recipe and inspect


def test_recipes_with_a_name_are_listed(capsys):
    assert main(["recipe"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [re.split("  +", line)[0] for line in lines] == list(nd.PRESETS)
    assert "10 steps" in lines[0]
    assert "no noise" in lines[1]


@pytest.mark.parametrize("name", list(nd.PRESETS))
def test_a_recipe_is_printed_exactly(name, capsys):
    assert main(["recipe", name]) == 0
    assert nd.Recipe.from_json(capsys.readouterr().out) == nd.PRESETS[name]


def test_a_changed_recipe_is_printed(capsys):
    words = ["schedule=Linear", "schedule.end=0.125", "noise=none", "diffusion_filter=Heat"]
    words += ["diffusion_filter.time=0.3333333333333333", "final_filter=none"]
    settings = [part for word in words for part in ("--set", word)]
    assert main(["recipe", "explore", *settings, "--steps", "7", "--seed", "65535"]) == 0
    assert nd.Recipe.from_json(capsys.readouterr().out) == nd.Recipe(
        num_steps=7,
        starting_noise_scale="5 % of range",
        noise=None,
        schedule=nd.schedules.Linear(end=0.125),
        diffusion_filter=nd.filters.Heat(time=1 / 3),
        final_filter=None,
        seed=65535,
    )


def test_a_printed_recipe_can_be_run(capsys):
    assert main(["recipe", "denoise"]) == 0
    Path("mine.json").write_text(capsys.readouterr().out)
    assert main(["run", "a.png", "out.npy", "--recipe", "mine.json", "--quiet"]) == 0
    assert main(["run", "a.png", "preset.npy", "--recipe", "denoise", "--quiet"]) == 0
    np.testing.assert_array_equal(np.load("out.npy"), np.load("preset.npy"))


def test_inspect_says_what_a_file_holds(capsys):
    assert main(["inspect", "zyx.tif"]) == 0
    said = capsys.readouterr().out
    for words in ("zyx", "5 × 12 × 14", "z 1.5, y 0.25, x 0.25 micrometer", "float32", "none"):
        assert words in said
    assert main(["inspect", "rgb.npy"]) == 0
    assert "not named in the file: run needs --axes" in capsys.readouterr().out
    assert main(["inspect", "volume.npy"]) == 0
    assert "zyx, not named in the file" in capsys.readouterr().out


@pytest.mark.parametrize("output", ["out.ome.tif", "out.zarr", "out", "out.npy"])
def test_inspect_says_how_a_result_was_made(output, capsys):
    assert main(["run", "zyx.tif", output, *SHORT, "--seed", "12345"]) == 0
    assert main(["inspect", output]) == 0
    said = capsys.readouterr().out
    assert "Processed, not raw data: 'zyx.tif' after 2 of 2 steps" in said
    kept = json.loads(said[said.index("\n{") :])
    assert nd.Recipe.from_dict(kept["recipe"]).seed == 12345
    steps = "steps       3: " in said
    assert steps == (output in ("out", "out.zarr"))


# which step, and what is said of it


def test_best_says_the_step_and_why(capsys):
    np.save("noisy.npy", np.random.default_rng(3).normal(size=(64, 64)).astype(np.float32))
    line = ["best", "noisy.npy", "--recipe", "smooth", "--steps", "3"]
    assert main([*line, "--curves", "curves.csv"]) == 0
    number, reason = capsys.readouterr().out.splitlines()
    found = nd.analysis.best_step(np.load("noisy.npy"), nd.PRESETS["smooth"].replaced(num_steps=3))
    assert (int(number), reason) == (found.index, found.reason)
    header, *rows = Path("curves.csv").read_text().splitlines()
    assert header.startswith("step,Sure (intensity²),Pure (intensity²),JInvariance")
    assert [row.split(",")[0] for row in rows] == ["-1", "0", "1", "2"]
    assert float(rows[1].split(",")[1]) == found.curves[0].values[1]
    assert main([*line, "--quiet"]) == 0
    assert capsys.readouterr().out == f"{found.index}\n"
    assert main([*line, "--curves", "curves.csv"]) == 1
    assert "--overwrite replaces it" in capsys.readouterr().err


def test_best_compares_with_what_is_given(capsys):
    rng, flat = np.random.default_rng(4), np.zeros((2, 40, 40), np.float32)
    noisy = flat + rng.normal(size=flat.shape).astype(np.float32)
    np.save("noisy.npy", noisy)
    np.save("truth.npy", flat)
    line = ["best", "noisy.npy", "--axes", "tyx", "--recipe", "smooth", "--steps", "2"]
    table = ["--curves", "curves.csv", "--overwrite"]
    for more, column in {"--reference truth.npy": "Psnr", "--halves frames": "HalfFrc"}.items():
        assert main([*line, *table, *more.split()]) == 0
        header, *rows = (row.split(",") for row in Path("curves.csv").read_text().splitlines())
        (place,) = (i for i, name in enumerate(header) if name.startswith(column))
        assert all(np.isfinite(float(row[place])) for row in rows)
    assert "Step 1 has" in capsys.readouterr().out


def test_version(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"napari-diffusion {version('napari-diffusion')}\n"


@pytest.mark.parametrize("command", [[], ["run"], ["recipe"], ["inspect"], ["demo"]])
def test_help(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    assert "usage: napari-diffusion" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="written for a POSIX shell")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away_is_no_error(monkeypatch, unbuffered):
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    program = f"{sys.executable} -m napari_diffusion recipe explore | true"
    done = subprocess.run(program, shell=True, stderr=subprocess.PIPE, text=True, check=True)
    assert done.stderr == ""


# demo


def test_demo_leaves_steps_recipe_and_sheet_and_nothing_else_changes(capsys):
    Path("demo").mkdir()
    Path("demo/mine.txt").write_text("mine")
    for _ in range(2):
        assert main(["demo", "--no-window"]) == 0
    names = ["contact_sheet.png", "mine.txt", "recipe.json", "steps.ome.zarr"]
    assert sorted(os.listdir("demo")) == names
    assert len(step_paths(Path("demo/steps.ome.zarr"))) == 11
    kept = nd.Recipe.from_json(Path("demo/recipe.json").read_text())
    assert kept == nd.Recipe.from_dict(read_record(Path("demo/steps.ome.zarr"))["recipe"])
    with Image.open("demo/contact_sheet.png") as sheet:
        assert sheet.width > 1000
    assert "all of them side by side" in capsys.readouterr().out


def test_demo_restores_a_damaged_face(monkeypatch, capsys):
    sample = SAMPLES["damaged"]()
    quick = dataclasses.replace(sample, recipe={**sample.recipe, "num_steps": 3, "rounds": 1})
    monkeypatch.setitem(SAMPLES, "damaged", lambda: quick)
    assert main(["demo", "restore", "--no-window", "--output", "restored"]) == 0
    assert "the face after each of 3 steps\n" in capsys.readouterr().out
    assert len(step_paths(Path("restored/steps.ome.zarr"))) == 3
    kept = nd.Recipe.from_json(Path("restored/recipe.json").read_text())
    assert kept.update == "reverse"
    assert isinstance(kept.measurement, nd.measurements.Masked)


@pytest.fixture
def quick_demo(monkeypatch):
    """Leave out the loop of the demo; return what the window was asked for."""
    asked = []
    monkeypatch.setattr("napari_diffusion.cli.demo._make_files", lambda *_: None)
    monkeypatch.setattr(
        "napari_diffusion.widgets.loop.demo.demo",
        lambda output, recipe, stay, sample: asked.append((output, stay, sample)),
    )
    monkeypatch.delenv(screen.VIRTUAL, raising=False)
    monkeypatch.delenv("XAUTHORITY", raising=False)
    return asked


@pytest.mark.parametrize(
    ("words", "virtual", "stays"),
    [
        ([], False, True),
        ([], True, False),
        (["restore", "--stay"], True, True),
        (["loop", "--no-stay"], False, False),
    ],
)
def test_the_window_stays_where_somebody_sees_it(quick_demo, monkeypatch, words, virtual, stays):
    monkeypatch.setattr(screen, "is_there", lambda: True)
    if virtual:
        monkeypatch.setenv("XAUTHORITY", "/tmp/xvfb-run.AbCdEf/Xauthority")
    assert main(["demo", *words]) == 0
    assert quick_demo == [(Path("demo"), stays, "damaged" if "restore" in words else "face")]


def test_without_a_screen_the_demo_runs_again_on_a_virtual_one(quick_demo, monkeypatch):
    started = []

    def exec_instead(program, words):
        started.append((program, words, os.environ[screen.VIRTUAL]))
        raise SystemExit(0)

    monkeypatch.setattr(screen, "is_there", lambda: False)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(os, "execvp", exec_instead)
    monkeypatch.setattr(sys, "argv", ["napari-diffusion", "demo", "--output", "x"])
    with pytest.raises(SystemExit):
        main(["demo", "--output", "x"])
    ((program, words, virtual),) = started
    monkeypatch.delenv(screen.VIRTUAL)
    assert program == "xvfb-run"
    assert words[-5:] == ["-m", "napari_diffusion", "demo", "--output", "x"]
    assert virtual == "1"
    assert quick_demo == []


def test_without_any_screen_the_demo_says_what_to_install(quick_demo, monkeypatch, capsys):
    monkeypatch.setattr(screen, "is_there", lambda: False)
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert main(["demo"]) == 1
    assert "apt-get install xvfb xauth" in capsys.readouterr().err
    assert quick_demo == []


def test_without_napari_the_demo_says_what_to_install(quick_demo, monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["demo"]) == 1
    assert 'pip install "napari-diffusion[all]"' in capsys.readouterr().err
    assert quick_demo == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X is Linux's")
def test_a_display_that_nobody_answers_is_none(monkeypatch):
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":4711")
    assert not screen.is_there()
    monkeypatch.delenv("DISPLAY")
    assert not screen.is_there()


# Without napari


WITHOUT = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"napari", "qtpy", "magicgui", "pyqtgraph", "PyQt6", "PySide6"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Refuse())
from napari_diffusion.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    "line",
    [
        "run a.png out.ome.tif --steps 2 --quiet",
        "run zyx.tif out.ome.zarr --steps 2 --quiet --recipe denoise",
        "recipe explore",
        "inspect zyx.tif",
    ],
)
def test_the_command_line_needs_neither_napari_nor_qt(line):
    program = [sys.executable, "-W", "error", "-c", WITHOUT, *line.split()]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_starting_is_light():
    code = (
        "import sys; from napari_diffusion.cli import main; main(['recipe', 'explore']); "
        "heavy = {'numba', 'scipy', 'dask', 'zarr', 'tifffile', 'PIL', 'napari', 'yaozarrs'}; "
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_source_knows_its_spacing():
    source = Source(name="a", image=VOLUME, axes="tzyx", lengths={"z": 2.0, "x": 0.5, "t": 9.0})
    assert source.spacing == (2.0, 1.0, 0.5)
    assert source.spacing_along("xt") == (0.5, 9.0)


# noise and filter, alone


@pytest.mark.parametrize("output", ["out.tif", "out.ome.zarr", "out.npy"])
def test_noise_writes_a_noisy_copy_and_its_record(output, capsys):
    words = ["--noise", "Poisson", "--scale", "5", "--seed", "7", "--quiet"]
    assert main(["noise", "a.png", output, *words]) == 0
    path = step_paths(Path(output))[0] if output.endswith("zarr") else Path(output)
    found = read_image(path).image.reshape(IMAGE.shape)
    np.testing.assert_array_equal(found, nd.noise.Poisson()(IMAGE, 5.0, seed=7))
    kept = read_record(path)
    assert "'a.png' with Poisson" in kept["processed"]
    assert (kept["noise"]["type"], kept["noise_scale"], kept["seed"]) == ("Poisson", 5.0, 7)
    assert capsys.readouterr() == ("", "")


def test_the_noise_scale_is_the_images_or_the_noises_own():
    assert main(["noise", "a.png", "auto.npy", "--quiet"]) == 0
    expected = nd.noise.Gaussian()(IMAGE, nd.estimate.noise_sigma(IMAGE))
    np.testing.assert_array_equal(np.load("auto.npy"), expected)
    for words in (["--set", "gain=4"], ["--set", "gain=4", "--scale", "own"]):
        main(["noise", "a.png", "own.npy", "--noise", "Poisson", *words, "--quiet", "--overwrite"])
        np.testing.assert_array_equal(np.load("own.npy"), nd.noise.Poisson(gain=4.0)(IMAGE))


def test_noise_takes_grid_mask_and_type():
    mask = np.zeros(IMAGE.shape, np.uint8)
    mask[2:9, 3:12] = 1
    np.save("mask.npy", mask)
    words = ["--scale", "20", "--mask", "mask.npy", "--dtype", "source", "--quiet"]
    assert main(["noise", "a.png", "out.tif", *words]) == 0
    found = tifffile.imread("out.tif")
    noisy = nd.noise.Gaussian()(IMAGE, 20.0, mask=mask)
    np.testing.assert_array_equal(found, np.rint(noisy).clip(0, 255).astype(np.uint8))
    assert read_record(Path("out.tif"))["cast"]["dtype"] == "uint8"
    np.testing.assert_array_equal(found[mask == 0], IMAGE[mask == 0])


def test_filter_writes_what_the_filter_makes(capsys):
    words = ["--filter", "Heat", "--set", "time=2", "--quiet"]
    assert main(["filter", "a.png", "out.tif", *words]) == 0
    expected = nd.filters.Heat(time=2.0)(IMAGE)
    np.testing.assert_array_equal(tifffile.imread("out.tif"), expected)
    assert capsys.readouterr() == ("", "")
    # What was done is a recipe, which can be used again.
    assert main(["run", "a.png", "again.npy", "--recipe", "out.tif", "--quiet"]) == 0
    np.testing.assert_array_equal(np.load("again.npy"), expected)


def test_defaults_of_a_filter_follow_the_distance_of_the_samples():
    assert main(["filter", "zyx.tif", "out.npy", "--filter", "Heat", "--quiet"]) == 0
    fitting = nd.filters.Heat().scaled(0.25, DIGITS)
    expected = fitting(VOLUME, spacing=(1.5, 0.25, 0.25))
    np.testing.assert_array_equal(np.load("out.npy"), expected)


def test_what_was_processed_before_is_said_too():
    assert main(["noise", "a.png", "noisy.tif", "--scale", "3", "--quiet"]) == 0
    assert main(["filter", "noisy.tif", "out.tif", "--filter", "Heat", "--quiet"]) == 0
    said = read_record(Path("out.tif"))["processed"]
    assert (
        "'noisy.tif' after 1 of 1 steps of Linear diffusion (time 1), without added noise." in said
    )
    assert "The source was: Processed, not raw data: 'a.png' with Gaussian noise added" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["filter", "a.png", "o.tif", "--filter", "Hat"], "There is no filter 'Hat'"),
        (["noise", "a.png", "o.tif", "--noise", "Hat"], "There is no noise 'Hat'"),
        (
            ["filter", "a.png", "o.tif", "--filter", "Heat", "--set", "tim=2"],
            "Heat has no parameter 'tim'; it has time.",
        ),
        (
            ["filter", "a.png", "o.tif", "--filter", "Heat", "--set", "time=-2"],
            "Heat: time must be",
        ),
        (["filter", "a.png", "o", "--filter", "Heat"], "'o' needs an extension"),
        (["noise", "a.png", "o.tif", "--scale", "own"], "give --scale a number, or auto."),
        (["noise", "a.png", "o.jpg"], "an unsupported extension"),
    ],
)
def test_noise_and_filter_refuse_what_there_is_not(words, said, capsys):
    assert main(words) == 2
    assert said in capsys.readouterr().err
    assert not list(Path().glob("o*"))


def test_a_noise_scale_can_be_a_share_of_the_range():
    share = 20 * np.ptp(IMAGE.astype(float)) / 100
    words = ["noise", "a.png", "out.npy", "--scale", "20% of range", "--quiet"]
    assert main(words) == 0
    np.testing.assert_array_equal(np.load("out.npy"), nd.noise.Gaussian()(IMAGE, share))
    assert read_record(Path("out.npy"))["asked"] == {"noise_scale": "20 % of range"}
    words = ["--set", "starting_noise_scale=20% of range", "--keep", "last", "--quiet"]
    assert main(["run", "a.png", "run.npy", *words]) == 0
    assert read_record(Path("run.npy"))["recipe"]["starting_noise_scale"] == share


def test_noise_refuses_bad_scales_and_taken_names(capsys):
    assert main(["noise", "a.png", "o.tif", "--scale", "-1"]) == 2
    assert "finite and 0 or more" in capsys.readouterr().err
    assert main(["noise", "a.png", "o.tif", "--scale", "1,2"]) == 1
    assert "2 values, but the image has 1 channels" in capsys.readouterr().err
    assert main(["noise", "a.png", "o.tif", "--scale", "1", "--quiet"]) == 0
    assert main(["noise", "a.png", "o.tif", "--scale", "1", "--quiet"]) == 1
    assert "--overwrite replaces it" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["noise", "a.png", "o.tif", "--scale", "x"])
