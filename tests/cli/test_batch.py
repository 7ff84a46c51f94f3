"""napari-diffusion batch: what is typed is done, and the exit code says whether all is well."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_diffusion.cli import batch, main
from napari_diffusion.io import read_image, read_record
from napari_diffusion.runs.batch.batch import Batch

VALUES = np.random.default_rng(3).normal(100, 5, (3, 30, 34)).astype(np.float32)
SHORT = ["--recipe", "smooth", "--steps", "2", "--keep", "last"]


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for index, values in enumerate(VALUES):
        tifffile.imwrite(f"in/{index}.tif", values)


def typed(*words):
    return main(["batch", *words, "--output", "out", *SHORT])


def states():
    with open("out/batch.csv", encoding="utf-8", newline="") as file:
        return {Path(row["file"]).name: row["state"] for row in csv.DictReader(file)}


def test_a_batch_is_what_run_makes_of_each(capsys):
    assert typed("in", "--format", "npy", "--dtype", "source") == 0
    assert states() == dict.fromkeys(("0.tif", "1.tif", "2.tif"), "done")
    said = capsys.readouterr()
    assert said.out == f"{Path('out/batch.csv')}: 3 done\n"
    assert f"{Path('in/0.tif')}: done: step 1, float32." in said.err
    for index in range(3):
        assert main(["run", f"in/{index}.tif", f"{index}.npy", *SHORT, "--quiet"]) == 0
        np.testing.assert_array_equal(np.load(f"out/{index}.npy"), np.load(f"{index}.npy"))


def test_options_reach_every_run():
    words = ["--axes", "tx", "--along", "x", "--spacing", "0.5", "--seed", "7", "--threads", "1"]
    assert typed("in/*.tif", *words, "--memory", "1GiB", "--resolve", "first") == 0
    for index in range(3):
        kept = read_record(Path(f"out/{index}.ome.zarr"))
        assert (kept["grid"]["axes"], kept["grid"]["along"], kept["seed"]) == ("tx", "x", 7)
        assert kept["batch"]["resolved_on"] == "0.tif"


@pytest.mark.parametrize(
    ("form", "made"), [("ome.tif", "0.ome.tif"), ("folder", "0"), ("zarr", "0.zarr")]
)
def test_the_format_is_chosen(form, made):
    assert typed("in/0.tif", "--format", form, "--quiet") == 0
    assert sorted(os.listdir("out")) == sorted([made, "batch.csv"])


def test_a_hyperstack_of_imagej_is_a_tif(capsys):
    assert typed("in/0.tif", "--imagej") == 2
    assert "add --format tif" in capsys.readouterr().err
    assert typed("in/0.tif", "--imagej", "--format", "tif") == 0
    with tifffile.TiffFile("out/0.tif") as file:
        assert file.is_imagej
    assert typed("in/0.tif", "--imagej", "--format", "tif") == 0
    assert states() == {"0.tif": "skipped"}


def test_one_bad_file_makes_it_a_failure_and_stops_no_other(capsys):
    Path("in/1.tif").write_text("no image")
    assert typed("in", "--quiet") == 1
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith(f"{Path('in/1.tif')}: refused: ")
    assert states() == {"0.tif": "done", "1.tif": "refused", "2.tif": "done"}
    tifffile.imwrite("in/1.tif", VALUES[1])
    assert typed("in") == 0
    assert states() == {"0.tif": "skipped", "1.tif": "done", "2.tif": "skipped"}
    assert typed("in", "--overwrite") == 0
    assert set(states().values()) == {"done"}


def test_what_is_wrong_for_all_files_is_said_before_the_first(capsys):
    assert main(["batch", "in", "--output", "out", "--recipe", "nothing"]) == 2
    assert typed("in", "--set", "noise=Nothing") == 2
    assert main(["batch", "in", "--output", "in", *SHORT]) == 1
    assert main(["batch", "in", "--output", "deep/out", *SHORT]) == 1
    assert main(["batch", "in", "in/0.tif", "--output", "in/0.tif", *SHORT]) == 1
    assert "is a file: outputs need a folder" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["batch", "in"])
    assert sorted(os.listdir(".")) == ["in"]
    assert sorted(os.listdir("in")) == ["0.tif", "1.tif", "2.tif"]


def test_options_that_do_not_fit_a_file_are_said_as_they_were_typed(capsys):
    np.save("in/volume.npy", VALUES)
    assert typed("in/volume.npy", "in/0.tif", "--axes", "yx", "--quiet") == 1
    assert "--axes yx" in capsys.readouterr().err


def test_a_signal_ends_it_in_order_and_it_goes_on(monkeypatch):
    """The signal comes when the second file has begun."""
    prepared = Batch._prepared

    def interrupted(self, place):
        if place == 1:
            signal.raise_signal(signal.SIGTERM)
        return prepared(self, place)

    with monkeypatch.context() as patch:
        patch.setattr(Batch, "_prepared", interrupted)
        assert typed("in") == 130
    assert states() == {"0.tif": "done", "1.tif": "stopped", "2.tif": "waiting"}
    assert sorted(path for path in os.listdir("out") if "lock" in path) == []
    assert typed("in") == 0
    assert states() == {"0.tif": "skipped", "1.tif": "done", "2.tif": "done"}


@pytest.mark.slow
def test_workers_make_the_same():
    assert typed("in", "--workers", "1", "--quiet") == 0
    assert main(["batch", "in", "--output", "alone", *SHORT, "--quiet"]) == 0
    for index in range(3):
        one, other = (read_image(f"{folder}/{index}.ome.zarr") for folder in ("out", "alone"))
        np.testing.assert_array_equal(one.image, other.image)


def test_the_program_has_it():
    words = [sys.executable, "-m", "napari_diffusion", "batch", "--help"]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    for option in ("--output FOLDER", "--format", "--resolve {each,first}", "--workers", "--keep"):
        assert option in shown
    assert batch.OUTPUT_FORMATS["ome.zarr"] == ".ome.zarr"
