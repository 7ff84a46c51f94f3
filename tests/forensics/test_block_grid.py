"""Where JPEG blocks begin: regions with blocks of their own, and images without any."""

from __future__ import annotations

import io
import threading

import jpeg_scenes
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage.draw import polygon2mask

import napari_diffusion as nd
from napari_diffusion.forensics import BlockGrid

MASK = np.zeros((256, 320), bool)
MASK[72:180, 88:204] = True


def scene(seed=0):
    return jpeg_scenes.scene(MASK.shape, seed).astype(float)


def jpeg(values, quality=75):
    stream = io.BytesIO()
    Image.fromarray(values.astype(np.uint8)).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream), float)


def moved(values, y, x, quality=75):
    """Return an image whose blocks begin at (y, x)."""
    return np.roll(jpeg(np.roll(values, (-y, -x), (0, 1)), quality), (y, x), (0, 1))


@pytest.fixture(scope="module")
def spliced():
    image = scene()
    return np.where(MASK, moved(image, 5, 3), image).astype(np.uint8)


@pytest.fixture(scope="module")
def reading(spliced):
    return BlockGrid()(spliced)


def test_a_region_with_blocks_of_its_own_is_found(reading):
    (place,) = reading.places
    assert place.log10_nfa < -20
    assert "begin at (5, 3)" in place.words
    inside = polygon2mask(MASK.shape, place.outline)
    assert (inside & MASK).sum() > 0.85 * (inside | MASK).sum()
    assert reading.remarks[0].startswith("A region differs from the rest")
    assert reading.trace.null == "a-contrario"


def test_the_map_is_high_there_and_below_chance_elsewhere(reading):
    values = reading.maps[0].values
    assert values.shape == MASK.shape
    assert values[110:140, 130:160].min() > 20
    assert values[~ndimage.binary_dilation(MASK, iterations=40)].max() < 0


@pytest.mark.parametrize("seed", range(2))
def test_nothing_is_found_without_blocks(seed):
    reading = BlockGrid()(scene(seed).astype(np.uint8))
    assert not reading.places
    assert reading.remarks[0] == "Nothing that this method can see."
    assert reading.numbers[0].value > 0


def test_chance_gives_about_as_many_windows_as_the_number_of_false_alarms_says():
    found = []
    for seed in range(3):
        noise = np.random.default_rng(seed).normal(128, 3, (128, 128))
        reading = BlockGrid(window=32)(np.rint(noise).astype(np.uint8))
        found.append((reading.maps[0].values > 0).mean())
    assert np.mean(found) < 0.01


def test_the_blocks_of_a_whole_jpeg_are_the_usual_ones():
    reading = BlockGrid()(moved(scene(), 2, 7, 85).astype(np.uint8))
    assert not reading.places
    assert "The usual blocks begin at (2, 7) modulo 8" in reading.remarks[1]


def test_a_region_in_a_jpeg_is_found():
    image = np.where(MASK, moved(scene(1), 4, 4, 80), moved(scene(1), 0, 0, 80))
    reading = BlockGrid()(image.astype(np.uint8))
    assert {place.words[:28] for place in reading.places} == {"blocks begin at (4, 4) modul"}


def test_floats_from_0_to_1_and_colours_are_read(spliced, reading):
    floats = BlockGrid()((spliced / 255).astype(np.float32))
    np.testing.assert_allclose(floats.maps[0].values, reading.maps[0].values, atol=1e-4)
    colours = np.stack([spliced] * 3, axis=-1)
    assert len(BlockGrid()(colours, axes="yxc", rgb=True).places) == 1


def test_planes_are_read_one_by_one(spliced):
    both = np.stack([scene().astype(np.uint8), spliced])
    reading = BlockGrid()(both, axes="tyx")
    assert [place.plane for place in reading.places] == [(1,)]
    assert reading.maps[0].values.shape == both.shape


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((40, 400), np.uint8), "needs 64 pixels"),
        (np.random.default_rng(0).integers(0, 4000, (128, 128)), "8-bit"),
        (np.repeat(np.repeat(scene()[:64, :64], 2, 0), 2, 1).astype(np.uint8), "repeats"),
    ],
)
def test_what_has_no_blocks_to_read_is_refused(image, words):
    with pytest.raises(ValueError, match=words):
        BlockGrid()(image)


def test_a_stopped_reading_ends(spliced):
    stop = threading.Event()
    stop.set()
    with pytest.raises(nd.Stopped):
        BlockGrid()(spliced, stop=stop)
