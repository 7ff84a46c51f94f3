"""Levels: combs, ends and constant parts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

import napari_diffusion as nd
from napari_diffusion.forensics.statistics.constant_parts import constant_parts
from napari_diffusion.forensics.statistics.value_step import value_step


def image(seed=1, side=200):
    """Return an 8-bit image of many levels, without gaps."""
    rng = np.random.default_rng(seed)
    rough = ndimage.gaussian_filter(rng.normal(0, 1, (side, side)), 6)
    return np.rint(np.clip(120 + 30 * rough / rough.std() + rng.normal(0, 2, rough.shape), 1, 254))


def share_of(reading, name="share of levels missing or too frequent"):
    return next(each for each in reading.numbers if each.name.endswith(name))


def test_an_untouched_image_shows_nothing():
    reading = nd.forensics.Levels()(image().astype(np.uint8))
    assert reading.remarks == ("Nothing that this method can see.",)
    assert share_of(reading).value < 0.02
    assert not reading.places


@pytest.mark.parametrize("unit", [1.0, 1 / 255])
@pytest.mark.parametrize(("factor", "words"), [(1.3, "missing"), (0.75, "too frequent")])
def test_changed_contrast_leaves_a_comb(factor, words, unit):
    changed = np.rint(image() * factor).clip(0, 255)
    given = changed.astype(np.uint8) if unit == 1 else (changed * unit).astype(np.float32)
    reading = nd.forensics.Levels()(given)
    found = share_of(reading)
    assert found.low > 0.1
    assert found.low < found.value < found.high
    assert any(f"levels are {words}" in each for each in reading.remarks)


def test_the_missing_levels_are_named():
    reading = nd.forensics.Levels()(np.rint(image() * 1.5).astype(np.uint16))
    levels = np.unique(np.rint(image() * 1.5))
    named = next(each for each in reading.remarks if "missing" in each)
    first = int(named.split("(")[1].split(",")[0])
    assert first not in levels
    assert {first - 1, first + 1} <= set(levels.astype(int))


def test_values_in_steps_of_two_are_said_to_be_so():
    reading = nd.forensics.Levels()((2 * image()).astype(np.uint16))
    assert "quantized in steps of 2" in reading.remarks[0]


def test_each_colour_has_its_own_comb():
    colours = np.stack([image(1), np.rint(image(2) * 1.3), image(3)], -1).clip(0, 255)
    reading = nd.forensics.Levels()(colours.astype(np.uint8), rgb=True)
    shares = {each.name.split(":")[0]: each.value for each in reading.numbers[:9:3]}
    assert shares["green"] > 0.1 > max(shares["red"], shares["blue"])
    assert reading.maps[0].values.shape == (200, 200)


def test_continuous_values_have_no_levels():
    reading = nd.forensics.Levels()(image() + np.random.default_rng(0).normal(0, 1, (200, 200)))
    assert "no levels to read" in reading.remarks[0]
    assert np.isnan(share_of(reading).value)


def test_clipped_ends_are_counted():
    reading = nd.forensics.Levels()(image().clip(0, 150).astype(np.uint8))
    share = share_of(reading, "share of pixels at the highest level, 150")
    assert share.value == pytest.approx((image() >= 150).mean())
    assert any("highest level, 150" in each for each in reading.remarks)


def test_paint_of_one_grey_is_found_with_its_area():
    painted = image()
    painted[50:80, 100:140] = 117
    reading = nd.forensics.Levels()(painted.astype(np.uint8))
    (place,) = reading.places
    area = int(place.words.split()[-2])
    # A neighbour may have the same grey by chance.
    assert 1200 <= area < 1230
    assert np.allclose(place.outline.mean(axis=0), (64.5, 119.5), atol=2)
    values = reading.maps[0].values
    assert values[60, 120] == pytest.approx(np.log10(area))
    assert np.median(values[:40]) == 0
    assert "constant part" in reading.remarks[0]


def test_a_constant_part_is_constant_in_all_channels():
    channels = np.random.default_rng(5).integers(0, 9, (2, 30, 30))
    channels[0, 5:15, 5:15] = 3
    assert constant_parts(channels)[1].max() == 0
    channels[1, 5:15, 5:15] = 4
    assert constant_parts(channels)[1].max() == 100


def test_planes_of_a_stack_are_read_one_by_one():
    stack = np.stack([image(k) for k in range(3)])
    stack[2, 10:30, 10:30] = 60
    reading = nd.forensics.Levels()(stack.astype(np.uint8), axes="tyx")
    assert reading.places[0].plane == (2,)
    assert reading.maps[0].values.shape == stack.shape


@pytest.mark.parametrize("step", [1.0, 1 / 255, 257.0, 1 / 65535])
def test_the_step_between_values_is_found(step):
    values = np.random.default_rng(6).integers(0, 256, 5000).astype(np.float32) * np.float32(step)
    assert value_step(values) == pytest.approx(step, rel=1e-4)


def test_a_constant_image_is_read():
    reading = nd.forensics.Levels()(np.full((40, 40), 3, np.uint8))
    assert reading.places[0].words == "constant part of 1600 pixels"
