"""Peaks of the spectrum at ½ and ¼ of the sampling rate."""

from __future__ import annotations

import numpy as np
import pytest

from napari_diffusion.forensics.upsampling_peaks import UpsamplingPeaks


def scene(seed=0, side=192):
    """Return a power law and noise, whole numbers."""
    rng = np.random.default_rng(seed)
    radius = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)) + 1 / 200
    texture = np.fft.ifft2(np.fft.fft2(rng.normal(size=(side, side))) / radius).real
    return np.clip(np.rint(128 + 30 * texture / texture.std()), 0, 255)


def upsampled(small):
    """Return an image with zeros put between, and a kernel whose phases differ a little."""
    from scipy import ndimage

    big = np.zeros([2 * n for n in small.shape])
    big[::2, ::2] = small
    kernel = np.outer(*[np.array([0.25, 0.75, 0.77, 0.23])] * 2)
    return np.clip(np.rint(ndimage.convolve(big, kernel)), 0, 255)


def heights(reading):
    return [each.value for each in reading.numbers]


def test_the_checkerboard_of_upsampling_stands_out():
    reading = UpsamplingPeaks()(upsampled(scene(side=96)).astype(np.uint8))
    assert max(heights(reading)) > 1
    assert "as after upsampling" in reading.remarks[0]


def test_untouched_images_have_no_peak():
    for seed in range(4):
        reading = UpsamplingPeaks()(scene(seed).astype(np.uint8))
        assert max(heights(reading)) < 0.4
        assert reading.remarks == ("Nothing that this method can see.",)


def test_a_period_of_4_has_its_peak_at_a_quarter():
    y, x = np.indices((192, 192))
    reading = UpsamplingPeaks()(scene() + 9.0 * ((x % 4 == 0) & (y % 4 == 0)))
    quarter = next(n for n in reading.numbers if "¼" in n.name)
    assert quarter.value > 0.5


def test_curves_reach_the_corner():
    mean = next(c for c in UpsamplingPeaks()(scene()).curves if c.is_null)
    assert mean.x[0] == 1 / 64
    assert mean.x[-1] == pytest.approx(np.sqrt(0.5), abs=0.01)
    assert mean.y[0] > mean.y[-1]


def test_each_plane_of_a_stack_is_read():
    stack = np.stack([upsampled(scene(side=96)), *map(scene, range(2))]).astype(np.uint8)
    reading = UpsamplingPeaks()(stack)
    assert reading.remarks[0].startswith("The spectrum of plane 0 has a peak")
    assert len(reading.remarks) == 1
    assert "plane 0" in reading.numbers[0].name
    many = UpsamplingPeaks()(np.stack([scene(side=64)] * 20))
    assert many.remarks[-1] == "Read from 16 of 20 planes, evenly spread."


def test_what_has_nothing_is_said():
    reading = UpsamplingPeaks()(np.full((80, 80), 3.0))
    assert reading.remarks == ("There is nothing to read: the image is constant.",)
    with pytest.raises(ValueError, match="64 rows"):
        UpsamplingPeaks()(np.zeros((30, 90)))
