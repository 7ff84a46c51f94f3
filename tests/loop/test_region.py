"""A region is that part of the whole image's result, to the bit, for the work of that part."""

from __future__ import annotations

import numpy as np
import pytest
from cases import CASES, FILTER_VARIANTS, MASKED_VARIANTS, THIN_CASES, label
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import example_images, filters

import napari_diffusion as nd
from napari_diffusion.engine.block import Block
from napari_diffusion.filters import Heat, Median, PeronaMalik
from napari_diffusion.schedules import Geometric

RECIPE = nd.Recipe(
    num_steps=3,
    starting_noise_scale=0.1,
    schedule=Geometric(end=0.5),
    diffusion_filter=PeronaMalik(contrast=0.3, time=0.4),
    final_filter=Heat(time=0.3),
    seed=5,
)


def images(*args, **options):
    return [step.image for step in nd.steps(*args, **options)]


def regions_of(shape, seed, count=3):
    """Return boxes anywhere: some touch a border, some are one pixel thick."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        edges = [np.sort(random.choice(n + 1, 2, replace=False)) for n in shape]
        yield tuple(slice(int(a), int(b)) for a, b in edges)


def assert_is_the_crop(image, recipe, region, whole, **options):
    for made, full in zip(images(image, recipe, region=region, **options), whole, strict=True):
        np.testing.assert_array_equal(made, full[region])
        assert made.flags.owndata


@pytest.mark.parametrize("component", FILTER_VARIANTS, ids=label)
def test_equals_the_crop_of_the_whole(component):
    recipe = RECIPE.replaced(num_steps=2, diffusion_filter=component)
    for case in CASES:
        if case.more.get("rgb"):
            continue
        image = case.image(np.float32)
        whole = images(image, recipe, **case.options)
        for region in regions_of(case.shape, seed=len(case.name)):
            assert_is_the_crop(image, recipe, region, whole, **case.options)


@pytest.mark.parametrize("component", MASKED_VARIANTS, ids=label)
def test_with_a_mask(component):
    recipe = RECIPE.replaced(num_steps=2, diffusion_filter=component)
    for case in CASES[:6]:
        image, options = case.image(np.float32), {**case.options, "mask": case.mask()}
        whole = images(image, recipe, **options)
        for region in regions_of(case.shape, seed=len(case.name)):
            assert_is_the_crop(image, recipe, region, whole, **options)


@pytest.mark.parametrize("samples", [3, 4])
def test_of_colours(samples):
    image = np.random.default_rng(0).random((21, 22, samples)).astype(np.float32)
    options = {"axes": "yxc", "rgb": True}
    for recipe in (RECIPE, RECIPE.replaced(starting_noise_scale=(0.1, 0.2, 0.3))):
        whole = images(image, recipe, **options)
        for region in regions_of((21, 22), seed=samples, count=6):
            assert_is_the_crop(image, recipe, (*region, slice(None)), whole, **options)


@pytest.mark.parametrize("joint", [False, True])
def test_of_one_channel(joint):
    """Its edge map is that of all channels, its noise and its contrast are its own."""
    image = np.random.default_rng(0).random((3, 15, 16)).astype(np.float32)
    options = {"axes": "cyx", "joint_channels": joint}
    recipe = RECIPE.replaced(
        starting_noise_scale=(0.1, 0.0, 0.4),
        diffusion_filter=PeronaMalik(contrast=(0.1, 0.5, 2.0), time=0.4),
    )
    whole = images(image, recipe, **options)
    for channels in (slice(0, 1), slice(1, 2), slice(2, 3), slice(1, 3)):
        assert_is_the_crop(image, recipe, (channels, slice(4, 9), slice(0, 16)), whole, **options)


def test_with_holes():
    image = np.random.default_rng(0).random((21, 22)).astype(np.float32)
    image[3:9, 8] = np.nan
    image[15, 16] = -np.inf
    whole = images(image, RECIPE, missing="ignore")
    for region in regions_of(image.shape, seed=0, count=8):
        assert_is_the_crop(image, RECIPE, region, whole, missing="ignore")


def test_of_a_series_of_filters():
    image = np.random.default_rng(0).random((31, 32)).astype(np.float32)
    recipe = RECIPE.replaced(diffusion_filter=(Median(radius=2.0), RECIPE.diffusion_filter, Heat()))
    whole = images(image, recipe)
    for region in regions_of(image.shape, seed=1, count=8):
        assert_is_the_crop(image, recipe, region, whole)


@pytest.mark.parametrize("case", THIN_CASES, ids=str)
def test_of_thin_images(case):
    image = case.image(np.float32)
    whole = images(image, RECIPE, **case.options)
    for region in regions_of(case.shape, seed=2):
        assert_is_the_crop(image, RECIPE, region, whole, **case.options)


@given(filters(), example_images(types=[np.float32]), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_any_region_of_any_image(component, drawn, random):
    image, options = drawn
    recipe = RECIPE.replaced(num_steps=2, diffusion_filter=component)
    region = []
    for axis, n in zip(options["axes"], image.shape, strict=True):
        start = random.randrange(n)
        everything = axis == "c" and options.get("rgb")
        region.append(slice(None) if everything else slice(start, random.randint(start + 1, n)))
    scale = 0.1 * float(np.ptp(image))
    recipe = recipe.replaced(starting_noise_scale=scale)
    whole = images(image, recipe, **options)
    assert_is_the_crop(image, recipe, tuple(region), whole, **options)


def test_python_s_ways_to_write_a_slice():
    image = np.random.default_rng(0).random((21, 22)).astype(np.float32)
    whole = images(image, RECIPE)
    for region in (
        (slice(None), slice(None)),
        (slice(-5, None), slice(None, -3)),
        (slice(0, 999), slice(3, 4)),
        [slice(1, 2), slice(1, 2)],
    ):
        assert_is_the_crop(image, RECIPE, tuple(region), whole)


def test_axes_in_another_order():
    image = np.random.default_rng(0).random((22, 3, 21)).astype(np.float32)
    whole = images(image, RECIPE, axes="xty")
    region = (slice(2, 11), slice(1, 2), slice(5, 21))
    assert_is_the_crop(image, RECIPE, region, whole, axes="xty")


def test_only_the_region_and_its_reach_are_computed(monkeypatch):
    seen = []
    filtered = Block.filtered
    monkeypatch.setattr(
        Block, "filtered", lambda block, chosen: seen.append(block.shape) or
        filtered(block, chosen),
    )  # fmt: skip
    image = np.zeros((4, 300, 310), np.float32)
    # 3 steps of 2 sub-steps of one pixel each, and the last filter's kernel.
    region = (slice(1, 2), slice(100, 110), slice(200, 220))
    nd.run(image, RECIPE, axes="tyx", region=region)
    grid = nd.Grid.of(image.shape, axes="tyx")
    reach = 3 * RECIPE.diffusion_filter.halo(grid)[3] + RECIPE.final_filter.halo(grid)[3]
    assert RECIPE.diffusion_filter.halo(grid) == (0, 0, 0, 2, 2)
    assert set(seen) == {(1, 1, 1, 10 + 2 * reach, 20 + 2 * reach)}


def test_the_rest_of_a_long_run_reaches_less_far(monkeypatch):
    seen = []
    filtered = Block.filtered
    monkeypatch.setattr(
        Block, "filtered", lambda block, chosen: seen.append(block.shape[3]) or
        filtered(block, chosen),
    )  # fmt: skip
    image = np.zeros((200, 210), np.float32)
    for first in (0, 2, 3):
        nd.run(image, RECIPE, region=(slice(90, 91), slice(90, 91)), first_step=first)
    assert seen[0] - seen[4] == 2 * 2 * 2
    assert seen[4] - seen[-1] == 2 * 2


@pytest.mark.parametrize("component", FILTER_VARIANTS, ids=label)
def test_a_halo_is_as_far_as_anything_reaches(component):
    """A change of one pixel is seen within the halo and nowhere else."""
    halo = component.halo(nd.Grid.of((9, 9)))
    if halo is None:
        return
    middle = halo[3] + 5
    image = np.random.default_rng(0).random((2 * middle, 2 * middle))
    image[middle, middle] = -5.0
    other = image.copy()
    other[middle, middle] = 5.0
    changed = np.argwhere(component(other) != component(image))
    assert len(changed)
    assert np.abs(changed - middle).max() <= halo[3]
