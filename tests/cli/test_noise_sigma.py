"""A noise sigma on the command line: numbers, or a file with one per pixel."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

import napari_diffusion as nd
from napari_diffusion.cli import main
from napari_diffusion.io import read_record

SIGMA = np.linspace(1, 9, 48) * np.ones((40, 1))
IMAGE = (100 + SIGMA * np.random.default_rng(0).normal(size=(40, 48))).astype(np.float32)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("image.npy", IMAGE)
    np.save("sigma.npy", SIGMA)
    tifffile.imwrite("sigma.tif", SIGMA.astype(np.float32))


@pytest.mark.parametrize(
    ("typed", "given"), [("sigma.npy", SIGMA), ("sigma.tif", SIGMA.astype("f4")), ("4", 4.0)]
)
def test_a_run_takes_numbers_and_files(typed, given):
    arguments = ["run", "image.npy", "out.npy", "--recipe", "denoise fast", "--quiet"]
    assert main([*arguments, "--noise-sigma", typed]) == 0
    expected = nd.denoise(IMAGE, fast=True, noise_sigma=given)
    np.testing.assert_allclose(np.load("out.npy").squeeze(), expected, atol=1e-4)


def test_the_record_names_the_file_and_its_numbers(capsys):
    arguments = ["run", "image.npy", "out.tif", "--recipe", "denoise fast", "--quiet"]
    assert main([*arguments, "--noise-sigma", "sigma.npy", "--strength", "1.5"]) == 0
    named = json.dumps(read_record(Path("out.tif"))["recipe"])
    assert "sigma.npy" in named
    assert '"times": 1.5' in named
    assert main(["verify", "out.tif", "--input", "image.npy"]) == 0
    np.save("sigma.npy", 2 * SIGMA)
    assert main(["verify", "out.tif", "--input", "image.npy"]) != 0
    said = capsys.readouterr()
    assert "has changed" in said.out + said.err


def test_what_does_not_fit_is_said_before_any_work(capsys):
    np.save("other.npy", SIGMA.T)
    arguments = ["run", "image.npy", "out.npy", "--recipe", "denoise fast", "--quiet"]
    assert main([*arguments, "--noise-sigma", "other.npy"]) != 0
    assert "(48, 40)" in capsys.readouterr().err
    assert main([*arguments, "--noise-sigma", "none.npy"]) != 0
    assert "There is no file" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*arguments, "--noise-sigma", "much"])
    assert main(["run", "image.npy", "out.npy", "--recipe", "smooth", "--noise-sigma", "3"]) != 0
    assert "measures a noise sigma" in capsys.readouterr().err


def test_the_best_step_takes_a_file(capsys):
    arguments = ["best", "image.npy", "--recipe", "smooth", "--quiet", "--sigma", "sigma.npy"]
    assert main(arguments) == 0
    found = nd.analysis.best_step(IMAGE, nd.PRESETS["smooth"], noise_sigma=SIGMA)
    assert int(capsys.readouterr().out.split()[0].replace("−", "-")) == found.index
