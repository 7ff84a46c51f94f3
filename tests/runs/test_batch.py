"""Many files in a row: each gets its output, what is wrong with one harms no other."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as Photo

import napari_diffusion as nd
from napari_diffusion.engine.threads import Stopped
from napari_diffusion.io import Output, read_image, read_record, step_paths
from napari_diffusion.loop.kept_steps import kept_steps
from napari_diffusion.records.methods_paragraph import paragraph
from napari_diffusion.runs.batch.batch import Batch
from napari_diffusion.runs.batch.batch_inputs import batch_inputs
from napari_diffusion.runs.batch.batch_outputs import OUTPUT_FORMATS, check_outputs, named_outputs
from napari_diffusion.runs.batch.batch_plan import BatchOptions
from napari_diffusion.runs.batch.batch_row import counted, reason
from napari_diffusion.runs.batch.batch_table import COLUMNS
from napari_diffusion.runs.file_run import FileRun
from napari_diffusion.runs.run_input import Reading, read_input
from napari_diffusion.runs.verification.verdict import Verdict
from napari_diffusion.runs.verification.verification import verify

RANDOM = np.random.default_rng(4)
VALUES = RANDOM.normal(100, 5, (3, 40, 44)).astype(np.float32)
# The first image has half the noise of the others.
VALUES[0] = (VALUES[0] - 100) / 2 + 100
RECIPE = nd.Recipe(num_steps=3, starting_noise_scale="auto", diffusion_filter=nd.filters.Heat(0.5))
OUT = Path("out")
LAST = BatchOptions(keep_every=None)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, values in zip(("a", "b", "c"), VALUES, strict=True):
        tifffile.imwrite(f"{name}.tif", values)


def recipe(read):
    del read
    return RECIPE


def batch(*given, options=LAST, folder=OUT, asked=recipe):
    return Batch(batch_inputs(given or ["*.tif"], folder), folder, asked, options)


def ran(*given, **more):
    """Run a batch to its end, and return the state of each file."""
    made = batch(*given, **more)
    for _ in made.run():
        pass
    return {row.file.name: row.state for row in made.rows}


def table(folder=OUT):
    with (folder / "batch.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def last(path):
    return (step_paths(path) or [path])[-1]


# what a batch makes


def test_each_file_gets_what_a_run_of_it_alone_makes():
    assert ran() == {"a.tif": "done", "b.tif": "done", "c.tif": "done"}
    for name, values in zip(("a", "b", "c"), VALUES, strict=True):
        made = read_image(OUT / f"{name}.ome.zarr")
        np.testing.assert_array_equal(made.image, nd.run(values, RECIPE).image)


@pytest.mark.parametrize("ending", [".ome.zarr", ".ome.tif", ".npy", ""])
def test_a_batch_of_one_is_a_run(ending):
    options = BatchOptions(ending=ending, keep_every=1)
    assert ran("a.tif", options=options) == {"a.tif": "done"}
    alone = run_alone(Path(f"alone{ending}"), 1)
    one, other = last(OUT / f"a{ending}"), last(alone)
    np.testing.assert_array_equal(read_values(one), read_values(other))
    records = [dict(read_record(each)) for each in (one, other)]
    assert records[0].pop("batch")["resolved_on"] == "a.tif"
    for each in records:
        each.pop("record_sha256", None)
    assert records[0] == records[1]


def read_values(path):
    if path.suffix == ".npy":
        return np.load(path)
    return tifffile.imread(path) if path.is_file() else read_image(path).image


def test_what_a_batch_writes_can_be_verified():
    ran("a.tif", options=BatchOptions())
    found = verify(OUT / "a.ome.zarr", Path("a.tif"))
    assert found.verdict is Verdict.IDENTICAL


def test_outputs_are_named_after_inputs():
    names = ["a.tif", "b.ome.tif", "c.nii.gz", "d.OME.ZARR", "e.v2.png", "f", ".tif", "g.czi"]
    inputs = [Path("x", name) for name in names]
    stems = [path.name[: -len(".npy")] for path in named_outputs(inputs, OUT, ".npy")]
    assert stems == ["a", "b", "c", "d", "e.v2", "f", ".tif", "g"]
    assert named_outputs(inputs, OUT, "")[4] == OUT / "e_v2"
    assert OUTPUT_FORMATS["folder"] == ""
    assert OUTPUT_FORMATS["nii.gz"] == ".nii.gz"


# what inputs stand for


def test_folders_and_patterns_stand_for_the_images_in_them():
    folder = Path("images")
    (folder / "deeper").mkdir(parents=True)
    for name in ("b.tif", "a.png", "notes.txt", "._b.tif", "deeper/c.tif"):
        (folder / name).touch()
    for name, keep in (("one.ome.zarr", None), ("run.ome.zarr", 1)):
        run_alone(folder / name, keep)
    found = batch_inputs([folder, "images/*.tif", "images/**/c*", "none*.tif", "a.tif"], OUT)
    names = [path.relative_to(folder).as_posix() for path in found[:-2]]
    assert names == ["a.png", "b.tif", "one.ome.zarr", "deeper/c.tif"]
    assert found[-2:] == [Path("none*.tif"), Path("a.tif")]
    assert batch_inputs(["images/one.ome.zarr"], OUT) == [folder / "one.ome.zarr"]


def run_alone(path, keep):
    """Run a file without a batch, and return the output."""
    read, kept = read_input(Path("a.tif"), Reading()), kept_steps(RECIPE, keep)
    output = Output(path, read.source, len(kept), read.written_type("float"))
    FileRun(read, RECIPE, output, kept).run()
    return output.path


def test_a_name_with_an_asterisk_is_itself():
    tifffile.imwrite("z[1].tif", VALUES[0])
    assert batch_inputs(["z[1].tif"], OUT) == [Path("z[1].tif")]


def test_the_folder_of_inputs_is_not_that_of_the_outputs():
    with pytest.raises(FileExistsError, match="folder of inputs too"):
        batch_inputs(["."], Path(os.path.abspath(".")))


# what is refused before the start


def test_two_inputs_with_one_output_are_refused():
    Photo.fromarray(np.zeros((8, 8), np.uint8)).save("A.png")
    with pytest.raises(FileExistsError, match=r"'A.png' and 'a.tif' would both be written to"):
        batch("A.png", "a.tif")
    with pytest.raises(FileExistsError, match="would both be written"):
        check_outputs(
            [Path("a.tif"), Path("a.partial.tif")], [OUT / "a.npy", OUT / "a.partial.npy"]
        )
    assert not OUT.exists()


def test_no_output_is_an_input_or_lies_in_one():
    np.save("a.npy", VALUES[0])
    options = replace(LAST, ending=".npy", overwrite=True)
    with pytest.raises(FileExistsError, match="would overwrite the input"):
        batch("b.tif", "a.npy", options=options, folder=Path("."))
    Path("link").symlink_to(Path("."))
    with pytest.raises(FileExistsError, match="would overwrite the input"):
        batch("a.npy", options=options, folder=Path("link"))
    reading = Reading(mask=Path("a.npy"))
    with pytest.raises(FileExistsError, match="would overwrite the input"):
        batch("a.tif", options=replace(options, reading=reading), folder=Path("."))
    ran("b.tif")
    with pytest.raises(FileExistsError, match="is a zarr store"):
        batch("a.tif", folder=OUT / "b.ome.zarr")
    with pytest.raises(FileExistsError, match="would overwrite the input"):
        batch(OUT / "b.ome.zarr", folder=OUT / "b.ome.zarr" / "steps")


def test_a_table_of_someone_else_is_not_replaced():
    OUT.mkdir()
    (OUT / "batch.csv").write_text("file,price\na,3\n")
    with pytest.raises(FileExistsError, match="is no table of a batch"):
        ran()
    assert (OUT / "batch.csv").read_text() == "file,price\na,3\n"
    assert [path.name for path in OUT.iterdir()] == ["batch.csv"]
    (OUT / "batch.csv").write_bytes(b"\xff" * 200_000)
    with pytest.raises(FileExistsError, match="is no table of a batch"):
        ran()


def test_two_batches_do_not_run_into_one_folder():
    first = batch("a.tif").run()
    next(first)
    with pytest.raises(FileExistsError, match=r"batch.csv' is written by process"):
        ran("b.tif")
    first.close()
    assert ran("b.tif") == {"b.tif": "done"}


# what is wrong with one file


def test_what_is_wrong_with_a_file_is_said_and_the_others_are_run():
    Path("stray.tif").write_text("no image")
    Path("empty.tif").touch()
    Path("odd.xyz").touch()
    np.save("nan.npy", np.full((8, 8), np.nan))
    np.save("flat.npy", VALUES[0][0])
    Photo.fromarray(np.zeros((30, 30, 3), np.uint8)).save("photo.png")
    given = ["stray.tif", "empty.tif", "odd.xyz", "gone.tif", "nan.npy", "flat.npy", "photo.png"]
    states = ran(*given, "a.tif")
    bad = dict.fromkeys(given, "refused")
    assert states == {**bad, "nan.npy": "failed", "photo.png": "done", "a.tif": "done"}
    said = {row["file"]: row["sentence"] for row in table()}
    assert "not a TIFF file" in said["stray.tif"]
    assert "unsupported extension" in said["odd.xyz"]
    assert "does not exist" in said["gone.tif"]
    assert "NaN" in said["nan.npy"]
    assert all(sentence.endswith(".") for sentence in said.values())
    left = {path.name for path in OUT.iterdir()}
    assert left == {"photo.ome.zarr", "a.ome.zarr", "batch.csv"}


def test_options_that_do_not_fit_one_file_are_its_own_fault():
    np.save("volume.npy", VALUES)
    options = replace(LAST, reading=Reading(axes="yx"))
    assert ran("volume.npy", "a.tif", options=options) == {"volume.npy": "refused", "a.tif": "done"}


def test_an_error_that_nobody_expects_ends_no_batch():
    def asked(read):
        if read.path.name == "b.tif":
            raise RuntimeError
        return RECIPE

    assert ran(asked=asked) == {"a.tif": "done", "b.tif": "refused", "c.tif": "done"}
    assert table()[1]["sentence"] == "RuntimeError."


def test_an_output_that_another_run_owns_is_reported():
    read = read_input(Path("a.tif"), Reading())
    OUT.mkdir()
    with Output(OUT / "a.ome.zarr", read.source, 1, np.float32).claim:
        assert ran() == {"a.tif": "refused", "b.tif": "done", "c.tif": "done"}
    assert "is written by process" in table()[0]["sentence"]
    assert ran() == {"a.tif": "done", "b.tif": "skipped", "c.tif": "skipped"}


# going on


def test_what_is_there_already_stays():
    ran()
    before = {path: path.stat().st_mtime_ns for path in OUT.rglob("*") if path.is_file()}
    told = table()
    assert set(ran().values()) == {"skipped"}
    assert table() == [
        {**row, "state": "skipped", "sentence": again["sentence"]}
        for row, again in zip(told, table(), strict=True)
    ]
    before.pop(OUT / "batch.csv")
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_an_output_of_another_recipe_input_or_format_is_left_and_named():
    ran("a.tif", "b.tif")
    other = RECIPE.replaced(seed=1)
    assert set(ran("a.tif", asked=lambda read: other).values()) == {"refused"}
    assert "of another recipe:" in table()[0]["sentence"]
    tifffile.imwrite("b.tif", VALUES[0])
    assert ran("b.tif") == {"b.tif": "refused"}
    assert "of another input:" in table()[1]["sentence"]
    assert ran("a.tif", options=replace(LAST, dtype="source")) == {"a.tif": "skipped"}  # float too
    assert ran("a.tif", options=BatchOptions(keep_every=2)) == {"a.tif": "refused"}
    np.testing.assert_array_equal(
        read_image(OUT / "a.ome.zarr").image, nd.run(VALUES[0], RECIPE).image
    )
    over = replace(LAST, overwrite=True)
    assert ran("a.tif", asked=lambda read: other, options=over) == {"a.tif": "done"}
    np.testing.assert_array_equal(
        read_image(OUT / "a.ome.zarr").image, nd.run(VALUES[0], other).image
    )


def test_an_output_of_a_run_alone_is_not_replaced():
    OUT.mkdir()
    np.save(OUT / "a.npy", VALUES[1])
    assert ran("a.tif", options=replace(LAST, ending=".npy")) == {"a.tif": "refused"}
    np.testing.assert_array_equal(np.load(OUT / "a.npy"), VALUES[1])


@pytest.mark.parametrize("pieces", [0, 1, 5, 6, 8])
def test_a_batch_that_was_stopped_goes_on(pieces):
    """Stop after the n-th step of all files, and compare with a batch that ran through."""
    options, stop, done = BatchOptions(), threading.Event(), 0

    def progress(*_):
        nonlocal done
        done += 1
        if done >= pieces:
            stop.set()

    stopped = batch(options=options)
    stopped.progress = progress
    if not pieces:
        stop.set()
    with pytest.raises(Stopped):
        for _ in stopped.run(stop):
            pass
    states = [row["state"] for row in table()]
    whole = pieces // 3
    assert states[:whole] == ["done"] * whole
    begun = ["stopped"] * (pieces % 3 > 0)
    assert states[whole:] == begun + ["waiting"] * (3 - whole - len(begun))
    written = []
    again = batch(options=options)
    again.progress = lambda done, *_: written.append(done)
    for _ in again.run():
        pass
    assert [row.state for row in again.rows] == ["skipped"] * whole + ["done"] * (3 - whole)
    assert len(written) == 9 - pieces
    through = Path("through")
    ran(options=options, folder=through)
    for name in ("a", "b", "c"):
        for one, other in zip(
            step_paths(OUT / f"{name}.ome.zarr"),
            step_paths(through / f"{name}.ome.zarr"),
            strict=True,
        ):
            np.testing.assert_array_equal(read_image(one).image, read_image(other).image)


KILLED = """
import os
from pathlib import Path
import napari_diffusion as nd
from napari_diffusion.runs.batch.batch import Batch
from napari_diffusion.runs.batch.batch_plan import BatchOptions

recipe = nd.Recipe(
    num_steps=3, starting_noise_scale="auto", diffusion_filter=nd.filters.Heat(0.5)
)
paths = [Path(f"{name}.tif") for name in "abc"]
batch = Batch(paths, Path("out"), lambda read: recipe, BatchOptions())
made = []


def progress(*_):
    made.append(None)
    if len(made) == 5:
        os._exit(9)


batch.progress = progress
list(batch.run())
"""


@pytest.mark.slow
def test_a_batch_that_was_killed_goes_on():
    """Kill it after the second step of the second file; locks of the dead are taken over."""
    assert subprocess.run([sys.executable, "-c", KILLED]).returncode == 9
    assert [row["state"] for row in table()] == ["done", "running", "waiting"]
    assert (OUT / ".batch.csv.lock").exists()
    again, written = batch(options=BatchOptions()), []
    again.progress = lambda done, *_: written.append(done)
    assert [row.state for row in again.run() if row.state != "running"] == [
        "skipped",
        "done",
        "done",
    ]
    assert written == [3, 1, 2, 3]
    for name, values in zip(("a", "b", "c"), VALUES, strict=True):
        made = read_image(step_paths(OUT / f"{name}.ome.zarr")[-1])
        np.testing.assert_array_equal(made.image, nd.run(values, RECIPE).image)
    assert sorted(os.listdir(OUT)) == ["a.ome.zarr", "b.ome.zarr", "batch.csv", "c.ome.zarr"]


# where the recipe is measured


def scales():
    paths = [OUT / f"{name}.ome.zarr" for name in ("a", "b", "c")]
    records = [read_record(path) for path in paths]
    found = [each["recipe"]["starting_noise_scale"] for each in records]
    return found, [each["batch"]["resolved_on"] for each in records], records


def test_a_recipe_is_measured_on_each_file():
    ran()
    found, named, records = scales()
    assert named == ["a.tif", "b.tif", "c.tif"]
    assert len(set(found)) == 3
    assert found[1] > 1.5 * found[0]
    sigmas = [float(row["noise_sigma"]) for row in table()]
    assert sigmas == pytest.approx(found, rel=1e-4)
    assert all("noise_found" in each for each in records)


def test_a_recipe_is_measured_on_the_first_file_that_can_be_read():
    Path("_.tif").write_text("no image")
    ran("_.tif", "a.tif", "b.tif", "c.tif", options=replace(LAST, resolve="first"))
    found, named, records = scales()
    assert named == ["a.tif"] * 3
    assert found == [RECIPE.resolved(VALUES[0]).starting_noise_scale] * 3
    said = [paragraph(each) for each in records]
    assert "another image" not in said[0]
    assert all("Parameters were estimated on another image, 'a.tif'." in each for each in said[1:])
    # What was found of the noise of one file is not said of another.
    assert ["noise_found" in each for each in records] == [True, False, False]
    assert [each["asked"] for each in records] == [{"starting_noise_scale": "auto"}] * 3
    assert [row["resolved_on"] for row in table()] == ["", "a.tif", "a.tif", "a.tif"]
    again = ran("a.tif", "b.tif", "c.tif", options=replace(LAST, resolve="first"))
    assert set(again.values()) == {"skipped"}
    assert set(ran().values()) == {"refused"}, "measured on each, the recipe is another"


def test_lengths_of_the_first_file_are_the_same_lengths_on_another():
    for name, size in (("um", 0.5), ("nm", 500.0)):
        resolution, unit = ((1 / size, 1 / size), "um" if name == "um" else "nm")
        tifffile.imwrite(
            f"{name}.tif", VALUES[0], imagej=True, resolution=resolution, metadata={"unit": unit}
        )
    ran("um.tif", "nm.tif", options=replace(LAST, resolve="first"))
    one, other = (read_record(OUT / f"{name}.ome.zarr") for name in ("um", "nm"))
    times = [each["recipe"]["diffusion_filter"]["time"] for each in (one, other)]
    assert times[1] == pytest.approx(times[0] * 1e6)


# the table


def test_the_table_says_what_became_of_each_file():
    ran("a.tif")
    ran("b.tif")
    rows = table()
    assert tuple(rows[0]) == COLUMNS
    assert [row["file"] for row in rows] == ["a.tif", "b.tif"], "rows of other batches stay"
    assert rows[0]["output"] == "a.ome.zarr"
    assert rows[0]["sentence"].startswith("step 2, float32. ")
    assert "σ = " in rows[0]["noise_found"]
    assert float(rows[0]["seconds"]) >= 0
    json.dumps(rows)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_names_of_any_kind_come_into_the_table():
    for name in (b"=1+1.tif", b"caf\xe9.tif", b'two\nlines,".tif'):
        tifffile.imwrite(os.fsdecode(name), VALUES[0])
    options = replace(LAST, ending=".npy")
    given = [os.fsdecode(b"caf\xe9.tif"), "=1+1.tif", 'two\nlines,".tif']
    assert set(ran(*given, options=options).values()) == {"done"}
    text = (OUT / "batch.csv").read_text("utf-8", "surrogateescape")
    assert "\n./=1+1.tif,done,./=1+1.npy" in text
    assert set(ran(*given, options=options).values()) == {"skipped"}


def test_rows_are_counted_and_errors_are_sentences():
    made = batch()
    assert counted(made.rows) == "3 waiting"
    error = OSError(28, "No space left on device", "x.tif")
    error.add_note("Nothing was written.")
    assert reason(error) == "'x.tif': No space left on device. Nothing was written."
    assert reason(ValueError("Two\n lines")) == "Two lines."
