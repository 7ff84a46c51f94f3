"""The command that writes a report of a result."""

from __future__ import annotations

import re

import numpy as np
import pytest

from napari_diffusion.cli import main

SIDE = 96


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("result")
    image = np.random.default_rng(2).normal(100, 10, (SIDE, SIDE)).astype(np.float32)
    image[40:60, 40:60] += 80
    np.save(folder / "cells.npy", image)
    words = ["run", str(folder / "cells.npy"), str(folder / "out.ome.zarr"), "--steps", "2",
             "--set", "noise=none", "--set", "diffusion_filter=Heat", "--quiet"]  # fmt: skip
    assert main(words) == 0
    return folder / "out.ome.zarr"


def report(*words):
    return main(["report", *map(str, words)])


def test_a_report_is_written_beside_the_result_with_all_studies(result, capsys):
    assert report(result) == 0
    said = capsys.readouterr()
    path = result.with_name("out.report.html")
    assert said.out == f"{path}\n"
    for study in ("Removed structure", "Feature survival", "Null test"):
        assert study in said.err
    text = path.read_text("utf-8")
    for anchor in ("removed", "survives", "null"):
        section = re.search(rf'<section id="{anchor}">.*?</section>', text, re.DOTALL)[0]
        assert "What was tried, on what, and with what limits" in section
        assert "Not studied" not in section
    assert "Share of the objects found, spot" in text
    assert "napari-diffusion verify out.ome.zarr --input cells.npy" in text


def test_without_studies_it_says_so(result, tmp_path, capsys):
    path = tmp_path / "a.html"
    assert report(result, "-o", path, "--no-studies", "--quiet") == 0
    assert capsys.readouterr().err == ""
    assert path.read_text("utf-8").count("Not studied: this was not asked for.") == 3


def test_traces_are_read_when_asked(result, tmp_path, capsys):
    path = tmp_path / "a.html"
    words = (result, "-o", path, "--no-studies", "--quiet", "--overwrite")
    assert report(*words, "--trace", "levels") == 0
    text = path.read_text("utf-8")
    assert "Read from cells.npy, the source." in text
    assert "Read from out.ome.zarr, the result." in text
    assert report(*words, "--trace", "levles") == 2
    assert "no trace 'levles'" in capsys.readouterr().err


def test_a_file_is_replaced_only_when_asked(result, tmp_path, capsys):
    path = tmp_path / "a.html"
    path.write_text("mine")
    assert report(result, "-o", path, "--no-studies") == 1
    assert "exists; --overwrite replaces it." in capsys.readouterr().err
    assert path.read_text() == "mine"
    assert report(result, "-o", path, "--no-studies", "--overwrite") == 0
    assert path.read_text("utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["-o", "a.pdf"], 2, "must end in .html"),
        (["--step", "9", "-o", "a.html"], 1, "has no step 9; it has 0, 1, 2."),
        (["--source", "gone.npy", "-o", "a.html"], 1, "gone.npy"),
    ],
)
def test_what_cannot_be_written_is_one_sentence(
    result, words, code, said, capsys, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    assert report(result, *words) == code
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_source_and_the_result_are_not_written(result, capsys):
    source = result.with_name("cells.npy")
    for path in (source, result, result / "a.html"):
        assert report(result, "--source", source, "-o", path, "--overwrite") == 1
        assert "would overwrite the input" in capsys.readouterr().err


def test_of_an_image_alone_there_is_no_report(result, capsys):
    assert report(result.with_name("cells.npy")) == 1
    assert "is no result of napari-diffusion" in capsys.readouterr().err
