"""The command that reads traces from files."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from trace_cases import Blocks, FromFile

from napari_diffusion.cli import main
from napari_diffusion.forensics import Place, Reading, Trace
from napari_diffusion.forensics.inspection import ASK
from napari_diffusion.loop import registry


class Likeness(Trace):
    """Compares with a second image."""

    needs = frozenset({"second image"})

    def read(self, evidence):
        mean = float(evidence.reference.data.mean())
        where = (evidence.file.name, evidence.reference_file.name, evidence.dtype)
        return Reading(self, remarks=(f"{where[0]} beside {where[1]}, {where[2]}: {mean:g}.",))


class Copies(FromFile):
    """Asks for a comparison of the files."""


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    """Write two photos, and let no traces but those of the tests be known."""
    monkeypatch.chdir(tmp_path)
    for k, name in enumerate(("a.png", "b.png")):
        values = np.random.default_rng(k).integers(0, 255, (40, 50)).astype(np.uint8)
        Image.fromarray(values).save(name)
    monkeypatch.setitem(registry.OWN, "trace", (Blocks, FromFile, Likeness, Copies))
    fresh = functools.cache(registry._components.__wrapped__)
    monkeypatch.setattr(registry, "_components", fresh)


def inspect(*words):
    return main(["inspect", *map(str, words)])


def test_all_traces_are_read_and_the_others_say_why_not(capsys):
    assert inspect("a.png", "--trace", "all", "--quiet") == 0
    said = capsys.readouterr()
    assert said.err == ""
    digest = hashlib.sha256(Path("a.png").read_bytes()).hexdigest()
    for words in (f"40 × 50 pixels, uint8 SHA-256 of the file {digest}", "Two blocks are equal",
                  "Compared with chance", "Assumed: Blocks are blocks", "Tiled scans have blocks",
                  "The file was seen.", "Likeness: It compares with a second", ASK):  # fmt: skip
        assert words in re.sub(r"\s+", " ", said.out)
    assert "period" not in said.out, "no tables"


def test_numbers_and_places_are_printed(capsys):
    assert inspect("a.png", "--trace", "blocks") == 0
    said = capsys.readouterr().out
    for words in ("Numbers", "period (pixels)", "7.5", "untouched images have none", "-4.5"):
        assert words in said


def test_a_finding_is_no_failure_and_changes_nothing(capsys):
    before = Path("a.png").read_bytes()
    assert inspect("a.png", "b.png", "--trace", "Blocks") == 0
    assert Path("a.png").read_bytes() == before
    out = capsys.readouterr().out
    assert out.count("Two blocks are equal") == 2
    assert "a.png" in out
    assert "b.png" in out


def test_a_reference_is_read_with_its_file(capsys):
    assert inspect("a.png", "--trace", "likeness", "--reference", "b.png") == 0
    mean = np.asarray(Image.open("b.png"), np.float64).mean()
    assert f"a.png beside b.png, uint8: {mean:g}." in capsys.readouterr().out


def test_the_json_has_all_numbers_hashes_and_versions(tmp_path):
    words = ["a.png", "b.png", "--trace", "all", "--json", "found.json", "--quiet"]
    assert inspect(*words, "--set", "blocks.side=3", "--reference", "b.png") == 0
    found = json.loads((tmp_path / "found.json").read_text("utf-8"))
    assert found["versions"]["napari-diffusion"]
    first, second = found["files"]
    assert first["inspected"]["sha256"] != second["inspected"]["sha256"]
    assert first["reference"] == second["inspected"]
    assert first["readings"][0]["parameters"] == {"type": "Blocks", "side": 3}
    assert first["readings"][0]["numbers"][0]["low"] == 7.5


def test_the_report_is_a_page_of_the_images(tmp_path):
    assert inspect("a.png", "b.png", "--trace", "all", "--report", "a.html", "--quiet") == 0
    page = (tmp_path / "a.html").read_text("utf-8")
    for words in ("Traces in a.png", "Two blocks are equal", "It compares with a second image",
                  hashlib.sha256((tmp_path / "b.png").read_bytes()).hexdigest(), ASK):  # fmt: skip
        assert words in page


def test_files_are_replaced_only_when_asked(capsys, tmp_path):
    (tmp_path / "a.json").write_text("mine")
    assert inspect("a.png", "--trace", "all", "--json", "a.json") == 1
    assert "exists; --overwrite replaces it." in capsys.readouterr().err
    assert (tmp_path / "a.json").read_text() == "mine"
    assert inspect("a.png", "--trace", "all", "--json", "a.json", "--overwrite", "--quiet") == 0


def test_a_broken_file_among_others_is_left_out_and_said(capsys, tmp_path):
    (tmp_path / "c.png").write_bytes(b"no photo")
    assert inspect("c.png", "a.png", "--trace", "blocks", "--json", "f.json", "--quiet") == 1
    said = capsys.readouterr()
    assert "napari-diffusion: 'c.png' is damaged or no photo" in said.err
    assert "Two blocks are equal" in said.out
    assert len(json.loads((tmp_path / "f.json").read_text("utf-8"))["files"]) == 1


def test_the_last_step_of_a_run_is_inspected(capsys):
    words = ["run", "a.png", "out", "--steps", "2", "--set", "noise=none", "--quiet"]
    assert main(words) == 0
    assert inspect("out", "--trace", "fromfile", "--quiet") == 0
    assert "step_0002.ome.tif" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (
            "a.png --trace blox",
            2,
            "no trace 'blox': use some of Blocks, .* Copies, or all",
        ),
        ("a.png --reference b.png", 2, "--reference needs --trace all"),
        ("a.png --set blocks.side=2", 2, "--set needs --trace all"),
        ("a.png --json a.json", 2, "--json needs --trace all"),
        ("a.png --trace all --set blocks.side=0", 2, "side must be .*at least 1"),
        ("a.png --trace all --json a.txt", 2, "must end in .json"),
        ("a.png --trace all --report a.pdf", 2, "must end in .html"),
        ("a.png --trace all --report a.png", 1, "would overwrite the input"),
        ("a.png --trace all --reference c.png", 1, "'c.png' does not exist"),
        ("a.png --trace all --axes tyx", 2, "axes"),
    ],
)
def test_what_is_wrong_is_one_sentence(line, code, words, capsys, tmp_path):
    before = sorted(tmp_path.iterdir())
    assert inspect(*line.split(), "--quiet") == code
    said = capsys.readouterr()
    assert re.search(words, said.err)
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert sorted(tmp_path.iterdir()) == before


def test_several_files_without_traces_are_shown_one_after_the_other(capsys):
    assert inspect("a.png", "b.png") == 0
    said = capsys.readouterr().out
    assert said.index("a.png") < said.index("b.png")
    assert said.count("40 × 50") == 2


def test_files_are_compared_with_one_another(capsys, tmp_path, monkeypatch):
    from napari_diffusion.forensics.copying import panels

    def compare_panels(images, *, stop):
        assert [name for name, _ in images] == ["a.png", "b.png"]
        square = np.array([[0.0, 0.0], [0.0, 8.0], [8.0, 8.0]])
        place = Place(square, log10_nfa=-5.25, words="turned by 90°", partner=square + 4)
        return (panels.SharedPart("a.png", "b.png", place),)

    monkeypatch.setattr(panels, "compare_panels", compare_panels)
    np.save("stack.npy", np.zeros((3, 9, 9)))
    words = ["a.png", "b.png", "stack.npy", "--trace", "copies", "--quiet"]
    assert inspect(*words, "--json", "f.json", "--report", "f.html") == 0
    said = capsys.readouterr().out
    for part in ("2 images, 1 pair;", "1 with several planes", "turned by 90°", "-5.25", "3, 5"):
        assert part in said
    (found,) = json.loads((tmp_path / "f.json").read_text("utf-8"))["shared_parts"]
    assert (found["first"], found["log10_nfa"], len(found["partner"])) == ("a.png", -5.25, 3)
    assert "turned by 90°" in (tmp_path / "f.html").read_text("utf-8")
    assert inspect("a.png", "--trace", "copies", "--quiet") == 0
    assert "pairs" not in capsys.readouterr().out
    assert inspect("a.png", "b.png", "--trace", "blocks", "--quiet") == 0
    assert "pairs" not in capsys.readouterr().out


def test_a_folder_stands_for_its_images_and_equal_names_are_told_apart(capsys, monkeypatch):
    from napari_diffusion.forensics.copying import panels

    compared = []

    def compare_panels(images, *, stop):
        compared.extend(name for name, _ in images)
        return ()

    monkeypatch.setattr(panels, "compare_panels", compare_panels)
    for name in ("one", "two"):
        Path(name).mkdir()
        shutil.copy("a.png", f"{name}/same.png")
        Path(name, "notes.txt").write_text("none")
    assert inspect("one", "two", "--trace", "copies", "--quiet", "--json", "one/f.json") == 0
    assert compared == ["same.png", str(Path("two/same.png"))]
    found = json.loads(Path("one/f.json").read_text("utf-8"))["files"]
    assert [each["inspected"]["name"] for each in found] == compared
    said = capsys.readouterr().out
    assert "Nothing that this method can see: 2 images, 1 pair;" in said
    assert "first image" not in said


def test_images_of_several_planes_are_not_compared_and_that_is_said(capsys):
    for name in ("s.npy", "t.npy"):
        np.save(name, np.zeros((3, 9, 9)))
    assert inspect("s.npy", "t.npy", "--trace", "copies", "--quiet") == 0
    assert "Not compared: 2 of 2 images have several planes." in capsys.readouterr().out
