"""What was done, in words and code that are held to what they say."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tifffile

import napari_diffusion as nd
from napari_diffusion.cli import main
from napari_diffusion.loop.registry import COMPONENTS
from napari_diffusion.records import methods_text
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
    exec(methods_text.python(kept), space)
    np.testing.assert_array_equal(space["result"], step.image)


def test_the_code_makes_a_region_again():
    region = (slice(0, 5), slice(2, 9), slice(3, 14))
    step, kept = made(region=region)
    space = {"image": IMAGE}
    exec(methods_text.python(kept), space)
    np.testing.assert_array_equal(space["result"], step.image)


def test_the_code_makes_a_step_with_a_mask_again():
    mask = IMAGE > 0.3
    recipe = RECIPE.replaced(noise=nd.noise.Gaussian(), diffusion_filter=nd.filters.Heat(time=0.1))
    step = next(iter(nd.steps(IMAGE, recipe, mask=mask, **GRID)))
    kept = record(recipe, step, {**GRID, "mask": mask}, "cells")
    space = {"image": IMAGE, "mask": mask}
    text = methods_text.python(kept)
    exec(text, space)
    np.testing.assert_array_equal(space["result"], step.image)
    assert content_hash(mask) in text
    assert "--mask MASK" in methods_text.command(kept)


def test_the_code_gives_the_channel_of_a_layer():
    image, grid = IMAGE[:2], {"axes": "cyx", "spacing": (0.25, 0.25)}
    *_, step = nd.steps(image, RECIPE, **grid)
    kept = record(RECIPE, step, grid, "red", channel=1, layers=["red", "green"])
    space = {"image": image}
    exec(methods_text.python(kept), space)
    np.testing.assert_array_equal(space["result"], step.image[1])
    assert "the layers 'red', 'green'" in methods_text.python(kept)


@pytest.mark.parametrize("index", [1, 4])
def test_the_command_makes_the_step_again(index, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    step, kept = made(index=index)
    np.save("INPUT.npy", IMAGE)
    lines = methods_text.command(kept).replace("INPUT ", "INPUT.npy ")
    text = re.search(r"<<'END'\n(.*)\nEND\n", lines, re.S)[1]
    Path("recipe.json").write_text(text)
    words = lines.split("END\n")[-1].replace("\\\n", " ").split()
    assert main([*words[1:], "--quiet"]) == 0
    np.testing.assert_array_equal(np.squeeze(tifffile.imread("OUTPUT.ome.tif")), step.image)
    quoted = subprocess.run(["bash", "-n"], input=lines, text=True, check=False)
    assert quoted.returncode == 0


def test_the_paragraph_says_everything():
    _, kept = made()
    said = methods_text.paragraph(kept)
    for words in (
        "'cells'", f"napari-diffusion {nd.__version__}", "3 of 4 steps", "seed 11",
        "standard deviation 0.1 at the start", "contrast 0.2", "time 0.05",
        "along zyx was 1.5 × 0.25 × 0.25", "Perona and Malik (1990)",
    ):  # fmt: skip
        assert words in said
    assert "Linear diffusion" not in said
    assert "Finally, Linear diffusion" in methods_text.paragraph(made(index=4)[1])
    assert "without added noise" in methods_text.paragraph(made(RECIPE.replaced(noise=None))[1])


def test_the_legend_discloses():
    said = methods_text.legend(made()[1])
    assert "processed" in said
    assert "noise was added on purpose" in said
    assert "3 of 4 steps" in said
    assert said.count("\n") == 0


def test_a_processed_source_is_said():
    assert "The source had been processed before: twice." in methods_text.paragraph(
        {**made()[1], "source_processed": "twice."}
    )


@pytest.mark.parametrize(
    "cls", [c for slot in ("filter", "noise", "domain") for c in COMPONENTS[slot]]
)
def test_references_of_every_component_can_be_read(cls):
    """As many works are found as years stand in brackets in its references."""
    text = cls.__doc__.partition("References\n    ----------\n")[2]
    years = re.findall(r"\((\d{4})\)", text)
    slot = {"filter": "diffusion_filter"}.get(cls.slot, cls.slot)
    plain = {"noise": None, "diffusion_filter": nd.filters.Custom()}
    found = methods_text.works(nd.Recipe(**{**plain, slot: cls()}))
    assert {year for _, year, _ in found} >= set(years)


def test_bibtex():
    text = methods_text.bibtex(RECIPE)
    assert "author = {Perona and Malik}" in text
    assert "title = {Scale-space and edge detection using anisotropic diffusion}" in text
    keys = re.findall(r"@misc{(\w+),", text)
    assert "Perona1990" in keys
    assert len(keys) == len(set(keys)) >= 5
