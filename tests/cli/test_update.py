"""Reverse updates on the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.cli import main
from napari_diffusion.io import read_image, read_record
from napari_diffusion.records.provenance import recipe_of

TOLD = ["--set", "diffusion_filter=LearnedDiffusion", "--set", "diffusion_filter.noise_sigma=step"]


@pytest.fixture
def source(tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).normal(0.5, 0.1, (40, 44)))
    return tmp_path / "a.npy"


def test_runs_the_loop_that_it_names(source, capsys):
    output = source.with_name("b.npy")
    words = ["--steps", "3", "--update", "reverse", "--keep", "last", *TOLD]
    assert main(["run", str(source), str(output), *words, "--set", "final_filter=none"]) == 0
    record = read_record(output)
    assert record["recipe"]["update"] == "reverse"
    assert "one plausible image, not a measurement" in record["processed"]
    recipe = nd.PRESETS["explore"].replaced(
        num_steps=3,
        final_filter=None,
        diffusion_filter=nd.filters.LearnedDiffusion(noise_sigma="step"),
        update="reverse",
    )
    np.testing.assert_array_equal(read_image(output).image, nd.run(np.load(source), recipe).image)
    assert "sampl" not in capsys.readouterr().err


def test_prints_the_recipe_and_what_it_is_not(capsys):
    assert main(["recipe", "explore", "--update", "reverse"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["update"] == "reverse"
    assert "told the noise of each step, and Perona–Malik is not" in printed.err
    assert main(["recipe", "explore", "--update", "whole", *TOLD]) == 0
    printed = capsys.readouterr()
    assert "update" not in json.loads(printed.out)
    assert "looks like sampling and is none" in printed.err


def test_refuses_noise_that_it_cannot_take(capsys):
    assert main(["recipe", "explore", "--update", "reverse", "--set", "noise=Poisson"]) == 2
    assert "needs white Gaussian noise (got noise=Poisson)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "more"),
    [("a.npy", []), ("a.ome.zarr", []), ("a.tif", []), ("b.zarr", ["--workers", "1"])],
)
def test_a_longer_run_goes_on_from_the_noisy_image(name, more, source):
    output, noisy = source.with_name("b.npy"), source.with_name(f"noisy_{name}")
    words = ["--steps", "3", "--update", "reverse", "--keep", "last", *TOLD, *more]
    words += ["--set", "final_filter=none", "--noisy", str(noisy)]
    assert main(["run", str(source), str(output), *words]) == 0
    kept, longer = read_record(noisy), recipe_of(read_record(output)).replaced(stop_at=5)
    assert "the noisy image that the filter of this step got" in kept["processed"]
    last, z = read_image(output).image, read_image(noisy).image
    made = nd.run(last, longer, first_step=kept["step"] + 1, noisy=z)
    np.testing.assert_array_equal(made.image, nd.run(np.load(source), longer).image)


def test_whole_updates_leave_no_noisy_image(source, capsys):
    words = ["--noisy", str(source.with_name("noisy.npy"))]
    assert main(["run", str(source), str(source.with_name("b.npy")), *words]) == 1
    assert "left by reverse updates alone" in capsys.readouterr().err
    assert [each.name for each in source.parent.glob("*noisy*")] == []
