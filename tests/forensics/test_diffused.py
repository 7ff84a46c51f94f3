"""Fine detail that is missing as after diffusion."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from PIL import Image

import napari_diffusion as nd
from napari_diffusion.forensics.diffused import Diffused


def scene(seed=0, shape=(160, 320)):
    """Return grey shapes with edges, a power law and noise, whole numbers."""
    rng = np.random.default_rng(seed)
    radius = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])) + 1 / 200
    texture = np.fft.ifft2(np.fft.fft2(rng.normal(size=shape)) * radius**-1.2).real
    texture *= 20 / texture.std()
    y, x = np.mgrid[: shape[0], : shape[1]]
    shapes = 40.0 * ((y // 40 + x // 40) % 2) + 80
    return np.clip(np.rint(shapes + texture + rng.normal(size=shape) * 3), 0, 255)


def halves(image):
    image = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    return image[:, :160], image[:, 160:]


def number(reading, start="diffusion time (pixels²)"):
    return next(each for each in reading.numbers if each.name.startswith(start))


@pytest.mark.parametrize("time", [0.5, 1.0, 2.0])
def test_the_interval_holds_the_time(time):
    image, _ = halves(nd.filters.Heat(time=time)(scene()))
    _, reference = halves(scene())
    found = number(Diffused()(image, reference=reference))
    assert found.value == pytest.approx(time, rel=0.2)
    assert found.low < time < found.high
    assert found.high < 3 * found.low


def test_two_halves_of_an_untouched_image_are_alike():
    for seed in range(3):
        reading = Diffused()(halves(scene(seed))[0], reference=halves(scene(seed))[1])
        assert number(reading).low < 0 < number(reading).high
        assert reading.remarks == ("Nothing that this method can see.",)


def test_a_diffused_reference_gives_a_negative_time():
    _, smooth = halves(nd.filters.Heat(time=1.0)(scene()))
    reading = Diffused()(halves(scene())[0], reference=smooth)
    assert number(reading).high < 0
    assert "The reference has less fine detail" in reading.remarks[0]


@pytest.mark.parametrize(
    ("diffusion", "words"),
    [
        (nd.filters.Heat(time=0.5), "linear"),
        (nd.filters.PeronaMalik(time=2.0, contrast=12.0), "edge-preserving"),
    ],
)
def test_flat_and_steep_regions_tell_the_kind_of_filter(diffusion, words):
    scenes = scene(1)
    reading = Diffused()(halves(diffusion(scenes))[0], reference=halves(scenes)[1])
    assert words in reading.remarks[0]


def test_alone_it_is_weak_and_after_jpeg_refused():
    reading = Diffused()(halves(nd.filters.Heat(time=2.0)(scene()))[0])
    assert "weak" in reading.remarks[0]
    assert "0.24" in number(reading, "diffusion time, alone").words
    assert math.isnan(number(reading, "diffusion time, alone").low)
    stream = io.BytesIO()
    Image.fromarray(scene().astype(np.uint8)).save(stream, "JPEG", quality=75)
    saved = np.asarray(Image.open(stream))
    with pytest.raises(ValueError, match="choose a reference"):
        Diffused()(saved)
    compared = Diffused()(saved[:, :160], reference=saved[:, 160:])
    assert math.isnan(number(compared).low)


def test_where_nothing_can_be_lost_nothing_is_read():
    y, x = np.mgrid[:128, :128]
    smooth = np.rint(100 + 40 * np.sin(y / 20) * np.cos(x / 23)).astype(np.uint8)
    reading = Diffused()(smooth, reference=smooth.T)
    assert not reading.numbers
    assert reading.remarks[0].startswith("There is nothing to read")


def test_the_scale_of_intensities_does_not_matter():
    image = halves(nd.filters.Heat(time=1.0)(scene()))[0].astype(float)
    reference = halves(scene())[1].astype(float)
    first = Diffused()(image, reference=reference)
    second = Diffused()(image / 1000, reference=reference / 1000)
    assert number(first).value == pytest.approx(number(second).value, abs=0.02)
    assert len(first.curves) == 3


def test_each_plane_of_a_stack_is_read():
    image, reference = halves(scene())
    smooth, _ = halves(nd.filters.Heat(time=1.0)(scene()))
    stack = np.stack([smooth, image, image])
    reading = Diffused()(stack, reference=np.stack([reference] * 3))
    assert reading.remarks[0].startswith("Plane 0 has less fine detail")
    assert len(reading.remarks) == 1
    found = [number(reading, f"diffusion time, plane {k} (pixels²)") for k in range(3)]
    assert found[0].low > 0 > found[1].low
    one = Diffused()(stack[:2], reference=np.stack([reference] * 3))
    assert number(one, "diffusion time, plane 0").value == found[0].value
    alone = Diffused()(stack)
    assert len(alone.numbers) == 3
    assert "median of 3 planes" in alone.remarks[0]


def test_what_is_left_out_is_said():
    reading = Diffused()(np.stack([scene(shape=(64, 64)).astype(np.uint8)] * 20))
    assert len(reading.numbers) == 16
    assert reading.remarks[-1] == "Read from 16 of 20 planes, evenly spread."
    wide = Diffused()(scene(shape=(64, 1100)).astype(np.uint8))
    assert wide.remarks[-1] == "Read from the middle, 64 × 1024 pixels."
