"""Code and commands that are held to what they say."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tifffile

import napari_diffusion as nd
from napari_diffusion.cli import main
from napari_diffusion.records import reproduce
from napari_diffusion.records.provenance import content_hash, record

IMAGE = np.random.default_rng(0).random((5, 12, 14)).astype(np.float32)
GRID = {"axes": "zyx", "spacing": (1.5, 0.25, 0.25)}
RECIPE = nd.Recipe(
    num_steps=4,
    starting_noise_scale=0.1,
    noise=nd.noise.Gaussian(),
    diffusion_filter=nd.filters.PeronaMalik(contrast=0.2, time=0.05),
    final_filter=nd.filters.Heat(time=0.02),
    seed=11,
)


def made(recipe=RECIPE, index=2, **more):
    steps = list(nd.steps(IMAGE, recipe, **GRID, **more))
    return steps[index], record(recipe, steps[index], GRID, "cells", **more)


@pytest.mark.parametrize("index", [0, 2, 4])
def test_the_code_makes_the_step_again_bit_for_bit(index):
    step, kept = made(index=index)
    space = {"image": IMAGE}
    exec(reproduce.python(kept), space)
    np.testing.assert_array_equal(space["result"], step.image)


def test_the_code_makes_a_region_again():
    region = (slice(0, 5), slice(2, 9), slice(3, 14))
    step, kept = made(region=region)
    space = {"image": IMAGE}
    exec(reproduce.python(kept), space)
    np.testing.assert_array_equal(space["result"], step.image)


def test_the_code_makes_a_step_with_a_mask_again():
    mask = IMAGE > 0.3
    recipe = RECIPE.replaced(noise=nd.noise.Gaussian(), diffusion_filter=nd.filters.Heat(time=0.1))
    step = next(iter(nd.steps(IMAGE, recipe, mask=mask, **GRID)))
    kept = record(recipe, step, {**GRID, "mask": mask}, "cells")
    space = {"image": IMAGE, "mask": mask}
    text = reproduce.python(kept)
    exec(text, space)
    np.testing.assert_array_equal(space["result"], step.image)
    assert content_hash(mask) in text
    assert "--mask MASK" in reproduce.command(kept)


def test_the_code_gives_the_channel_of_a_layer():
    image, grid = IMAGE[:2], {"axes": "cyx", "spacing": (0.25, 0.25)}
    *_, step = nd.steps(image, RECIPE, **grid)
    kept = record(RECIPE, step, grid, "red", channel=1, layers=["red", "green"])
    space = {"image": image}
    exec(reproduce.python(kept), space)
    np.testing.assert_array_equal(space["result"], step.image[1])
    assert "the layers 'red', 'green'" in reproduce.python(kept)


@pytest.mark.parametrize("index", [1, 4])
def test_the_command_makes_the_step_again(index, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    step, kept = made(index=index)
    np.save("INPUT.npy", IMAGE)
    lines = reproduce.command(kept).replace("INPUT ", "INPUT.npy ")
    text = re.search(r"<<'END'\n(.*)\nEND\n", lines, re.S)[1]
    Path("recipe.json").write_text(text)
    words = lines.split("END\n")[-1].replace("\\\n", " ").split()
    assert main([*words[1:], "--quiet"]) == 0
    np.testing.assert_array_equal(np.squeeze(tifffile.imread("OUTPUT.ome.tif")), step.image)
    quoted = subprocess.run(["bash", "-n"], input=lines, text=True, check=False)
    assert quoted.returncode == 0
