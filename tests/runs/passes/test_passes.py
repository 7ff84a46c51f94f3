"""Runs in passes give the bits of runs in memory, whatever the tiles."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.io.file_image import Source
from napari_diffusion.runs.passes.pass_plan import TooLittleMemory, pixel_bytes, planned
from napari_diffusion.runs.passes.pass_run import PassRun
from napari_diffusion.runs.passes.workers import Workers
from napari_diffusion.runs.run_input import RunInput


def input_of(image, axes, **options):
    options = {"along": None, "spacing": 1.0, "rgb": False, "joint_channels": True, **options}
    options = {"mask": None, "missing": "refuse", **options}
    source = Source(name="image", image=image, axes=axes, rgb=options["rgb"])
    return RunInput(source, {"axes": axes, **options})


def made_in_passes(read, recipe, folder, at_once=2, stop=None):
    """Return the run and its steps, with their images in memory."""
    grid, itemsize = read.image.grid, read.computing_type.itemsize
    memory = 2 * math.prod(grid.shape) * pixel_bytes(recipe, itemsize, grid) * 2 // 3
    plan = planned(recipe, grid, itemsize, memory, at_once, 2)
    assert plan.tiling.count > 1
    with Workers.local(at_once) as workers:
        run = PassRun(read, recipe, plan, folder, workers)
        steps = [in_memory(step) for step in run.steps(stop=stop)]
    return run, steps


def in_memory(step):
    noisy = None if step.noisy is None else step.noisy.compute()
    return dataclasses.replace(step, image=step.image.compute(), noisy=noisy)


def check_equal(read, recipe, folder):
    """Hold a run in passes to the steps in memory."""
    resolved = recipe.resolved_on(read.image)
    whole = list(nd.steps(read.image, resolved))
    run, steps = made_in_passes(read, resolved, folder)
    if recipe.final_filter is None:
        whole.pop()
    assert [step.index for step in steps] == [step.index for step in whole]
    for step, expected in zip(steps, whole, strict=True):
        assert step.noise_scale == expected.noise_scale
        assert step.next_noise_scale == expected.next_noise_scale
        assert step.is_final == expected.is_final
        assert step.image.dtype == expected.image.dtype
        np.testing.assert_array_equal(step.image, expected.image)
        assert (step.noisy is None) == (expected.noisy is None)
        if step.noisy is not None:
            np.testing.assert_array_equal(step.noisy, expected.noisy)
    return run


@pytest.fixture
def volume():
    rng = np.random.default_rng(5)
    return rng.normal(100, 10, (120, 26, 24)).astype(np.float32)


PM = nd.filters.PeronaMalik(contrast=8.0)

CASES = {
    "noise and final filter": nd.Recipe(
        num_steps=2, diffusion_filter=PM, final_filter=nd.filters.Heat(time=0.5)
    ),
    "pre-smoothed": nd.Recipe(
        num_steps=2, diffusion_filter=PM.replaced(smoothing=0.7, time=0.5), noise=None
    ),
    "fast cycles": nd.Recipe(num_steps=1, diffusion_filter=PM.replaced(solver="fsi", time=2.0)),
    "tensors": nd.Recipe(
        num_steps=1,
        noise=None,
        diffusion_filter=nd.filters.EdgeEnhancing(contrast=8.0, condition_limit=4, time=1.0),
    ),
    "a series": nd.Recipe(num_steps=3, diffusion_filter=(nd.filters.Median(), PM)),
    "measured noise": nd.Recipe(num_steps=3, diffusion_filter=PM, schedule=nd.schedules.Measured()),
    "stabilised": nd.Recipe(num_steps=2, diffusion_filter=PM, domain="anscombe"),
    "reverse updates": nd.Recipe(
        num_steps=3,
        diffusion_filter=nd.filters.NonLocalDiffusion(noise_sigma="step"),
        final_filter=nd.filters.Heat(time=0.5),
        update="reverse",
    ),
    "reverse updates, stabilised": nd.Recipe(
        num_steps=2, diffusion_filter=PM, domain="anscombe", update="reverse"
    ),
    "noise of its surroundings": nd.Recipe(
        num_steps=1, diffusion_filter=PM, noise=nd.noise.Correlated()
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_volumes_are_those_in_memory(name, volume, tmp_path):
    check_equal(input_of(volume, "zyx"), CASES[name], tmp_path)


@pytest.mark.parametrize(
    ("shape", "axes", "options"),
    [
        ((150, 170), "yx", {"spacing": (1.0, 0.7)}),
        ((5, 90, 80), "tyx", {}),
        ((90, 80, 3), "yxc", {"rgb": True}),
        ((90, 80, 4), "yxc", {"rgb": True}),
        ((3, 20, 60, 50), "czyx", {"joint_channels": False}),
        ((60, 50, 3, 8), "xyct", {}),
        ((8, 60, 50), "zyx", {"along": "yx"}),
    ],
)
def test_axes_and_colours_are_those_in_memory(shape, axes, options, tmp_path):
    image = np.random.default_rng(1).normal(100, 10, shape).astype(np.float32)
    recipe = nd.Recipe(num_steps=2, diffusion_filter=PM.replaced(time=0.3))
    check_equal(input_of(image, axes, **options), recipe, tmp_path)


@pytest.mark.parametrize("dtype", ["uint16", "float64", ">f4"])
def test_types_are_those_in_memory(dtype, volume, tmp_path):
    recipe = nd.Recipe(num_steps=2, diffusion_filter=PM.replaced(time=0.3))
    check_equal(input_of(volume.astype(dtype), "zyx"), recipe, tmp_path)


@pytest.mark.parametrize("domain", [None, "anscombe"])
def test_masks_and_missing_values_are_those_in_memory(domain, volume, tmp_path):
    volume = np.abs(volume)
    mask = np.random.default_rng(2).random(volume.shape) < 0.9
    volume[3, 4, 5] = volume[20:23] = np.nan
    read = input_of(volume, "zyx", mask=mask, missing="ignore")
    recipe = nd.Recipe(
        num_steps=2, diffusion_filter=PM.replaced(smoothing=0.7, time=0.1), domain=domain
    )
    check_equal(read, recipe, tmp_path)


def test_reverse_updates_keep_masks_and_missing_values(volume, tmp_path):
    mask = np.random.default_rng(2).random(volume.shape) < 0.9
    volume[3, 4, 5] = volume[20:23] = np.nan
    read = input_of(volume, "zyx", mask=mask, missing="ignore")
    recipe = nd.Recipe(num_steps=3, diffusion_filter=PM.replaced(time=0.1), update="reverse")
    check_equal(read, recipe, tmp_path)


def test_missing_values_are_refused(volume, tmp_path):
    volume[-1, -1, -1] = np.inf
    read = input_of(volume, "zyx", missing="ignore")
    read.options["missing"] = "refuse"
    recipe = CASES["pre-smoothed"]
    with pytest.raises(ValueError, match="1 NaN or infinite value"):
        made_in_passes(read, recipe, tmp_path)


def test_a_step_is_split_where_its_reach_is_wide(volume, tmp_path):
    """Edge-enhancing diffusion of a step reaches further than these tiles are thick."""
    recipe = CASES["tensors"].resolved_on(input_of(volume, "zyx").image)
    run = check_equal(input_of(volume, "zyx"), recipe, tmp_path)
    assert len(run.plan.passes) > 1


def test_a_tile_is_refused_that_is_thinner_than_its_halo(volume):
    grid = input_of(volume, "zyx").image.grid
    recipe = nd.Recipe(
        num_steps=1, noise=None, diffusion_filter=nd.filters.EdgeEnhancing(contrast=8.0)
    )
    with pytest.raises(TooLittleMemory, match="such as memory=") as refused:
        planned(recipe, grid, 4, 1_000_000, 1, 1)
    enough = int(str(refused.value).partition("memory=")[2].partition("MiB")[0])
    planned(recipe, grid, 4, enough << 20, 1, 1)


def test_tiles_are_whole_shards_and_are_written_once(volume, tmp_path):
    read = input_of(volume, "zyx")
    recipe = CASES["pre-smoothed"].resolved_on(read.image)
    run, steps = made_in_passes(read, recipe, tmp_path)
    array = run.array.opened()
    assert array.shards == run.plan.tiling.tile[2:]
    assert run.made == run.plan.tiling.count * len(run.plan.passes)
    assert run.skipped == 0
    # Of all that was made only the last pass is left.
    assert sorted(path.name for path in tmp_path.iterdir()) == [run.array.path.name, "passes.json"]
    assert len(steps) == 2
