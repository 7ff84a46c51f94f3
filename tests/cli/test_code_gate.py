"""The command line runs no function that a recipe names unless it is told to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_diffusion import Recipe, filters
from napari_diffusion.cli import main

NAME = "trap_beside_recipe:function"
OPENED = Path("sprung")


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    """Work in a folder with a recipe that names a module beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    Path("trap_beside_recipe.py").write_text(
        "open('sprung', 'w').close()\n\ndef function(u):\n    return u + 1\n"
    )
    values = {"num_steps": 1, "noise": None, "diffusion_filter": {"type": "Custom"}}
    values["diffusion_filter"]["function"] = NAME
    Path("trap.json").write_text(json.dumps(values))
    np.save("a.npy", np.zeros((8, 8), np.float32))
    yield
    sys.modules.pop("trap_beside_recipe", None)


@pytest.fixture
def results():
    """Results in every format, whose records name the function."""
    names = ["out.npy", "out.ome.tif", "out.ome.zarr", "steps"]
    for name in names:
        assert main(["run", "a.npy", name, "--recipe", "trap.json", "--allow-code", "--quiet"]) == 0
    assert OPENED.exists(), "the trap does not work"
    OPENED.unlink()
    sys.modules.pop("trap_beside_recipe")
    return [*names[:3], "steps/step_0000.ome.tif"]


def refused(capsys, *words):
    assert main(list(words)) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert NAME in said
    assert "--allow-code" in said
    assert not OPENED.exists()
    assert not Path("b.npy").exists()


def test_recipe_files(capsys):
    refused(capsys, "run", "a.npy", "b.npy", "--recipe", "trap.json")
    refused(capsys, "best", "a.npy", "--recipe", "trap.json")
    refused(capsys, "recipe", "trap.json")


def test_records_in_results(results, capsys):
    for result in results:
        refused(capsys, "run", "a.npy", "b.npy", "--recipe", result)
        assert main(["methods", result, "--all"]) == 0
        assert main(["inspect", result]) == 0
        assert "function" in capsys.readouterr().out
    refused(capsys, "run", "a.npy", "b.npy", "--recipe", "out.npy.recipe.json")
    assert not OPENED.exists()


def test_settings(capsys):
    setting = ["--set", f"function={NAME}"]
    refused(capsys, "filter", "a.npy", "b.npy", "--filter", "Custom", *setting)
    slot = ["--set", "final_filter=Custom", "--set", f"final_filter.function={NAME}"]
    refused(capsys, "run", "a.npy", "b.npy", *slot)
    allowed = ["--filter", "Custom", *setting, "--allow-code", "--quiet"]
    assert main(["filter", "a.npy", "b.npy", *allowed]) == 0
    assert np.load("b.npy").mean() == 1


def test_the_reproductions_do_nothing_in_a_process_of_their_own(tmp_path):
    """`os:_exit` would end it, `eval` and `pickle.loads` would make a folder."""
    program = b"__import__('os').mkdir('sprung')"
    np.save("eval.npy", np.frombuffer(program, np.uint8)[None])
    np.save("pickle.npy", np.frombuffer(b"cos\nmkdir\n(S'sprung'\ntR.", np.uint8)[None])
    for function, image in (
        ("builtins:eval", "eval"),
        ("pickle:loads", "pickle"),
        ("os:_exit", "a"),
    ):
        values = {"num_steps": 1, "noise": None, "final_filter": None}
        values["diffusion_filter"] = {"type": "Custom", "function": function}
        Path("bad.json").write_text(json.dumps(values))
        command = [sys.executable, "-m", "napari_diffusion", "run", f"{image}.npy", "b.npy"]
        done = subprocess.run(
            [*command, "--recipe", "bad.json"], capture_output=True, text=True, env=dict(os.environ)
        )
        assert done.returncode == 1
        assert f"'{function}'" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert not OPENED.exists()
        assert not Path("b.npy").exists()


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"num_steps": 4000000000}',
        '{"starting_noise_scale": 1' + "0" * 400 + "}",
        '{"recipe": {"num_steps": 1}, "step": "x"}',
        '{"unit": ' + "1" * 5000 + "}",
        '{"recipe": 3}',
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
def test_a_hostile_recipe_is_one_sentence_and_exit_code_1(text, capsys):
    Path("hostile.json").write_text(text, encoding="latin-1")
    for words in (["run", "a.npy", "b.npy", "--recipe"], ["recipe"]):
        assert main([*words, "hostile.json"]) == 1
        assert capsys.readouterr().err.count("\n") == 1
    assert main(["inspect", "hostile.json"]) in (0, 1)
    assert not Path("b.npy").exists()


def test_what_is_typed_in_python_is_allowed():
    assert Recipe(diffusion_filter=filters.Custom(NAME)).filters[0].function == NAME
    assert not OPENED.exists()
