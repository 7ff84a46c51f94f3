"""run --stack: the steps as one OME-Zarr image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_diffusion.cli import main
from napari_diffusion.io import read_image, step_paths

WORDS = ["--steps", "2", "--set", "noise=none", "--set", "final_filter=none", "--quiet"]


@pytest.fixture(autouse=True)
def image(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.random.default_rng(0).random((3, 16, 12), dtype=np.float32))


def test_a_stack_holds_the_steps_of_the_run():
    assert main(["run", "a.npy", "a.zarr", "--stack", *WORDS]) == 0
    assert main(["run", "a.npy", "b.zarr", *WORDS]) == 0
    steps = [read_image(path).image for path in step_paths(Path("b.zarr"))]
    found = read_image("a.zarr")
    np.testing.assert_array_equal(found.image, steps)
    assert [step["step"] for step in found.record["steps"]] == list(range(len(steps)))


def test_a_stack_is_read_as_frames_if_asked(capsys):
    assert main(["run", "a.npy", "a.zarr", "--stack", *WORDS]) == 0
    assert main(["run", "a.zarr", "b.npy", *WORDS]) == 2
    assert (
        "holds the steps of a run: to read them as frames, name the axes, such as --axes tzyx"
        in (capsys.readouterr().err)
    )
    assert main(["run", "a.zarr", "b.npy", "--axes", "tzyx", *WORDS]) == 0


def test_axes_that_cannot_be_stacked_are_said_before_the_run(capsys):
    assert main(["run", "a.npy", "a.zarr", "--stack", "--axes", "tyx", *WORDS]) == 1
    assert "axes yx or zyx only (got tyx)" in capsys.readouterr().err
    assert not list(Path().glob("a*.zarr"))
