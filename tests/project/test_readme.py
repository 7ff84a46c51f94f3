"""The README says nothing that does not run."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from napari_diffusion.cli import main
from napari_diffusion.samples import SAMPLES

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text("utf-8")
METADATA = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
FENCED = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
COMMANDS = [line for name, code in FENCED if name == "sh" for line in code.splitlines()]


PYTHON = [code for name, code in FENCED if name == "python"]


@pytest.mark.parametrize(("code", "last"), list(zip(PYTHON, ("5 0.0 ", "Step "), strict=True)))
def test_python_runs(code, last, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.splitlines()[-1].startswith(last)


def test_commands_run(tmp_path, monkeypatch, capsys):
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    Image.fromarray(SAMPLES["face"]().image).save("face.png")
    for line in COMMANDS:
        program, *words = shlex.split(line)
        assert program == "napari-diffusion"
        assert main(words) == 0, capsys.readouterr().err
    assert '"schema": 1' in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {
        "face.png",
        "steps.ome.zarr",
        "clean.tif",
        "dim.tif",
    }


def test_make_targets_are_there():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^    |`)make ([a-z]+)", TEXT, re.MULTILINE))
    assert {"demo", "test", "docs"} <= named <= targets


def test_what_is_installed_is_offered():
    for extra in re.findall(r"pip install \"napari-diffusion\[(\w+)\]\"", TEXT):
        assert extra in METADATA["optional-dependencies"]
    assert "napari-diffusion" in METADATA["scripts"]
    oldest, newest = re.search(r"\((3\.\d+) to (3\.\d+)\)", TEXT).groups()
    beyond = f"3.{int(newest.partition('.')[2]) + 1}"
    assert METADATA["requires-python"] == f">={oldest},<{beyond}"


def test_links_and_images_are_there_and_small():
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXT):
        path = ROOT / target
        assert path.exists(), target
        assert path.stat().st_size < 400_000, target
    for path in re.findall(r"python ([\w/.]+)", TEXT):
        assert (ROOT / path).exists()


def test_the_loop_is_the_one_of_the_pages():
    loop = re.search(r"(?:^    .*\n)+", TEXT.partition("## The loop")[2], re.MULTILINE)[0]
    page = re.search(r"```text\n(.*?)```", (ROOT / "docs/loop.md").read_text("utf-8"), re.DOTALL)
    assert re.sub(r"^    ", "", loop, flags=re.MULTILINE) == page[1]


def test_it_is_said_in_three_lines():
    first = TEXT.split("\n\n")[1]
    assert len(first.splitlines()) <= 3
