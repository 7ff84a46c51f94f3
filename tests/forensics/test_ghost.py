"""Parts that were compressed before at a quality of their own."""

from __future__ import annotations

import io
import threading

import jpeg_scenes
import numpy as np
import pytest
from PIL import Image

import napari_diffusion as nd
from napari_diffusion.forensics import Ghost

MASK = np.zeros((192, 256), bool)
MASK[48:128, 72:168] = True


def scene(seed=0):
    return jpeg_scenes.scene(MASK.shape, seed)


def jpeg(values, quality):
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def patched(quality, y=0, x=0):
    moved = np.roll(jpeg(np.roll(scene(), (-y, -x), (0, 1)), quality), (y, x), (0, 1))
    return np.where(MASK, moved, scene())


@pytest.mark.parametrize("last", [None, 95])
def test_a_region_on_the_blocks_is_seen(last):
    image = patched(70) if last is None else jpeg(patched(70), last)
    reading = Ghost()(image)
    values = reading.maps[0].values
    assert values.shape == MASK.shape
    assert np.median(values[MASK]) > np.quantile(values[~MASK], 0.95)
    assert "around (8" in reading.remarks[0] or "around (9" in reading.remarks[0]
    assert "quality of about 70" in reading.remarks[0]
    assert not reading.places


@pytest.mark.parametrize("image", [patched(70, 5, 3), scene(1)])
def test_off_the_blocks_and_without_compression_nothing_is_claimed(image):
    reading = Ghost()(image)
    assert reading.remarks == ("Nothing that this method can see.",)
    assert reading.numbers[0].value < 1


@pytest.mark.parametrize("seed", range(2))
def test_on_and_off_the_blocks_are_alike_without_compression(seed):
    found = Ghost()(scene(seed)).maps[0]
    assert np.median(found.values) == pytest.approx(np.median(found.null), abs=0.5)
    assert (found.values > found.null.max()).mean() < 0.01


def test_a_whole_jpeg_fits_its_quality():
    on, off = Ghost()(jpeg(scene(), 73)).curves
    assert off.is_null
    assert on.x[-1] == 73 - 3
    assert max(on.y) < 1


def test_smooth_parts_are_no_region_since_they_fit_off_the_blocks_as_well():
    image = np.where(MASK, 120 + 0.02 * (scene(4) - 128.0), scene(4))
    found = Ghost()(np.rint(image).astype(np.uint8)).maps[0]
    inner = found.values[64:112, 88:152]
    assert inner.max() < 7
    assert inner.mean() < 2


def test_flat_images_have_nothing_to_see():
    reading = Ghost()(np.full((128, 128), 90, np.uint8))
    assert reading.remarks == ("Nothing that this method can see.",)


def test_refused_and_stopped():
    with pytest.raises(ValueError, match="8-bit"):
        Ghost()(np.random.default_rng(0).normal(size=(96, 96)))
    stop = threading.Event()
    stop.set()
    with pytest.raises(nd.Stopped):
        Ghost()(scene(), stop=stop)
