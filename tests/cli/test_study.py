"""The command `study` prints what studies found, and writes it as JSON, maps and a report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

import napari_diffusion as nd
from napari_diffusion.analysis import studies
from napari_diffusion.analysis.studies import StudyKind
from napari_diffusion.cli import main
from napari_diffusion.io import read_image, read_record

IMAGE = np.random.default_rng(0).normal(100, 10, (72, 80)).astype(np.float32)
RECIPE = ["--recipe", "smooth", "--steps", "2", "--set", "diffusion_filter.contrast=40"]


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tifffile.imwrite(
        "a.tif", IMAGE, imagej=True, resolution=((2, 1), (2, 1)),
        metadata={"axes": "YX", "unit": "um"},
    )  # fmt: skip


@pytest.fixture
def called(monkeypatch):
    """Return what a study was called with, which fails where it is told to."""
    told = {"fails": ""}

    def function(image, recipe, **options):
        told.update(options, image=image, recipe=recipe)
        if told["fails"]:
            raise ValueError(told["fails"])
        told["result"] = nd.analysis.removed_structure(
            image, recipe, **{name: options[name] for name in ("step", "region", "axes", "spacing")}
        )
        return told["result"]

    def failing(image, recipe, **options):
        raise ValueError("There is no repeat: give a second image.")

    options = ("kinds", "dark", "background", "second", "halves", "of", "measure")
    kinds = (
        StudyKind("told", "Told", "Tells.", function, options),
        StudyKind("none", "Failing", "Fails.", failing),
    )
    monkeypatch.setattr(studies, "STUDIES", kinds)
    return told


def test_what_is_found_is_printed_and_written(capsys):
    files = ["--json", "f.json", "--maps", "maps", "--report", "r.html"]
    assert main(["study", "a.tif", *RECIPE, "--study", "removed", *files]) == 0
    said = capsys.readouterr()
    found = nd.analysis.removed_structure(
        IMAGE, _recipe(), spacing=0.5, along="yx", axes="yx"
    )  # fmt: skip
    flat = " ".join(said.out.split())
    for sentence in (*found.sentences(), *found.limits()):
        assert " ".join(sentence.split()) in flat
    assert said.out.startswith(f"{found.title}, step 1\n")
    table = found.tables()[0]
    assert f"  {table.title}" in said.out.splitlines()
    assert "run" in said.err
    (kept,) = json.loads(Path("f.json").read_text("utf-8"))
    assert kept["study"] == found.title
    assert kept["findings"] == list(found.sentences())
    assert kept.items() >= json.loads(json.dumps(found.to_dict())).items()
    assert found.sentences()[0].split(";")[0] in Path("r.html").read_text("utf-8")
    maps = sorted(_maps("maps"))
    assert len(maps) == len(found.maps())
    for shown in found.maps():
        name = shown.name.replace(" ", "-")
        (path,) = [each for each in maps if each.name.endswith(f"{name}.ome.tif")]
        source = read_image(path)
        np.testing.assert_allclose(source.image, shown.values, rtol=1e-6)
        assert source.lengths["x"] == 0.5
        record = read_record(path)
        assert (record["shows"], record["of"]["step"]) == (shown.name, 1)
        assert "noise_scale" in record["of"]


def _recipe():
    """Return the recipe of the command line, for pixels of half a micrometre."""
    preset = nd.PRESETS["smooth"].scaled(0.5, 2).replaced(num_steps=2)
    return preset.replaced(diffusion_filter=preset.diffusion_filter.replaced(contrast=40.0))


def _maps(folder):
    return [each for each in Path(folder).iterdir() if each.name.endswith(".ome.tif")]


def test_options_reach_the_study_and_a_region_is_placed(called, capsys):
    mask = np.zeros(IMAGE.shape, np.uint8)
    mask[3:9] = 1
    tifffile.imwrite("mask.tif", mask)
    tifffile.imwrite("again.tif", IMAGE + 1)
    more = ["--background", "mask.tif", "--second", "again.tif", "--measure", "Mean", "--dark"]
    region = ["--region", "10:60,:40", "--step", "0", "--maps", "maps", "--quiet"]
    command = ["study", "a.tif", *RECIPE, "--study", "told", "--kinds", "line,edge"]
    assert main([*command, *more, *region]) == 0
    assert called["kinds"] == ("line", "edge")
    assert called["dark"] is True
    assert (called["of"], called["step"]) == ("repeat", 0)
    np.testing.assert_array_equal(called["background"], mask != 0)
    np.testing.assert_array_equal(called["second"], IMAGE + 1)
    assert called["measure"] == nd.metrics.Mean()
    assert called["region"] == (slice(10, 60), slice(0, 40))
    said = capsys.readouterr()
    assert not said.err
    assert called["result"].limits()[0].split(",")[0] not in said.out
    source = read_image(_maps("maps")[0])
    assert source.image.shape == (50, 40)
    assert source.place["y"] == 5.0
    assert read_record(_maps("maps")[0])["studied_region"] == [[10, 60], [0, 40]]


def test_of_all_studies_those_are_made_that_can_be(called, capsys):
    assert main(["study", "a.tif", *RECIPE]) == 0
    said = capsys.readouterr()
    assert "Failing: not studied. There is no repeat" in said.err
    called["fails"] = "The image is constant."
    assert main(["study", "a.tif", *RECIPE]) == 1
    assert main(["study", "a.tif", *RECIPE, "--study", "none"]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "napari-diffusion: There is no repeat: give a second image."


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--study", "magic"], "--study has no 'magic': give some of told, none, or all"),
        (["--measure", "Magic"], "--measure has no 'Magic'"),
        (["--region", "0:3"], "--region needs one part for each axis"),
        (["--region", "90:99,:"], "--region holds no pixel"),
        (["--json", "found.txt"], "must end in .json"),
        (["--report", "found.pdf"], "must end in .html"),
        (["--second", "a.tif", "--halves", "frames"], "exclude each other"),
        (["--recipe", "magic"], "There is no preset or file 'magic'"),
    ],
    ids=lambda each: each[1] if isinstance(each, list) else "",
)
def test_what_is_typed_wrongly_is_said_in_one_line(called, capsys, options, words):
    assert main(["study", "a.tif", *options]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line
    assert "image" not in called


@pytest.mark.parametrize("option", ["--json", "--maps", "--report"])
def test_nothing_is_overwritten(called, capsys, tmp_path, option):
    name = {"--json": "f.json", "--maps": "maps", "--report": "r.html"}[option]
    path = tmp_path / name
    if option == "--maps":
        path.mkdir()
        path /= "mine.txt"
    path.write_text("mine")
    command = ["study", "a.tif", *RECIPE, "--study", "told", option, name]
    assert main(command) == 1
    assert "exists" in capsys.readouterr().err
    assert path.read_text() == "mine"
    assert "image" not in called
    assert main([*command, "--overwrite"]) == 0
    assert (path.read_text() == "mine") is (option == "--maps")
    assert main(["study", "a.tif", *RECIPE, option, "a.tif"]) != 0
    np.testing.assert_array_equal(tifffile.imread("a.tif"), IMAGE)
