"""Local noise, the residual and the difference."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

import napari_diffusion as nd
from napari_diffusion.forensics.statistics.local_detail import around_pixels, fine_detail
from napari_diffusion.forensics.statistics.robust_fit import QuadraticFit

PATCH = np.s_[70:130, 90:150]


def scene(sigma=3.0, side=224, seed=1):
    """Return smooth waves, an edge and noise in 8-bit values."""
    y, x = np.mgrid[:side, :side] / side
    waves = 110 + 40 * np.sin(5 * y + 9 * x * x) + 30 * (x > 0.5)
    return waves + np.random.default_rng(seed).normal(0, sigma, waves.shape)


def eight_bits(image):
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def inside_and_outside(values):
    """Return the mean in the middle of the patch, and the 0.95 quantile far from it."""
    far = np.ones(values.shape, bool)
    far[40:160, 60:180] = False
    return values[90:110, 110:130].mean(), np.quantile(values[far], 0.95)


@pytest.mark.parametrize("factor", [1.0, 1 / 255, 200.0])
def test_a_smoothed_part_has_less_noise_whatever_the_units(factor):
    image = scene()
    image[PATCH] = ndimage.gaussian_filter(image, 0.8)[PATCH]
    less, more = nd.forensics.LocalNoise()(eight_bits(image).astype(np.float32) * factor).maps
    inside, outside = inside_and_outside(less.values)
    assert inside > outside + 2
    assert np.array_equal(less.values, -more.values)


def test_added_noise_is_seen_with_the_other_sign():
    image = scene()
    image[PATCH] += np.random.default_rng(2).normal(0, 5, image[PATCH].shape)
    reading = nd.forensics.LocalNoise()(eight_bits(image))
    less, more = (inside_and_outside(each.values) for each in reading.maps)
    assert more[0] > more[1] + 2
    assert less[0] < 0
    assert reading.maps[0].null_words == "the same image"


def test_noise_that_grows_with_brightness_does_not_stand_out():
    clean = scene(0)
    noise = np.random.default_rng(3).normal(0, 1, clean.shape)
    reading = nd.forensics.LocalNoise()(eight_bits(clean + noise * (0.5 + clean / 60)))
    values = reading.maps[0].values
    dark, bright = (values[m].mean() for m in (clean < 90, clean > 130))
    assert abs(dark - bright) < 1.0


@pytest.mark.parametrize("image", [scene(0.0), ndimage.gaussian_filter(scene(), 2.0)])
def test_an_image_without_noise_is_refused(image):
    with pytest.raises(ValueError, match="too little noise"):
        nd.forensics.LocalNoise()(eight_bits(image))


def test_small_and_constant_images_are_refused():
    with pytest.raises(ValueError, match="128 pixels"):
        nd.forensics.LocalNoise()(eight_bits(scene(side=100)))
    with pytest.raises(ValueError, match="too little noise"):
        nd.forensics.LocalNoise()(np.full((224, 224), 7, np.uint8))


def test_maps_have_the_axes_of_the_image_without_colours():
    image = np.stack([eight_bits(scene(seed=k)) for k in range(3)], axis=-1)
    assert nd.forensics.LocalNoise()(image, rgb=True).maps[0].values.shape == (224, 224)
    stack = np.moveaxis(image, -1, 0)
    assert nd.forensics.LocalNoise()(stack, axes="tyx").maps[0].values.shape == (3, 224, 224)


def test_edges_along_an_axis_have_fine_detail_along_the_other_only():
    edge = np.zeros((20, 20))
    edge[:, 10:] = 100
    along_y, along_x, along_both = fine_detail(edge, 0)
    assert along_y.max() == along_both.max() == 0
    assert along_x.max() > 0


@pytest.mark.parametrize("octave", [0, 2])
def test_white_noise_has_the_same_detail_along_all(octave):
    noise = np.random.default_rng(5).normal(0, 2, (400, 400))
    for each in fine_detail(noise, octave):
        assert np.sqrt((each**2).mean()) == pytest.approx(2 / 2**octave, rel=0.05)


def test_outliers_do_not_move_the_fit():
    x = np.linspace(-1, 1, 400)
    wanted = 2 + x - 3 * x**2
    given = wanted + np.random.default_rng(4).normal(0, 0.01, x.size)
    given[::7] += 5
    fit = QuadraticFit.of(given, (x,))
    assert np.abs(fit.deviation(wanted, (x,))).max() < 2
    assert fit.spread < 0.03


def test_values_between_windows_are_linear():
    ramp = np.add.outer(np.arange(8.0), 2 * np.arange(8.0))
    values = around_pixels(ramp, (64, 64), 8)
    assert values[4, 4] == ramp[0, 0]
    assert values[32, 24] == pytest.approx(3.5 + 2 * 2.5)


def test_the_residual_shows_noise_and_no_gradient():
    y, x = np.mgrid[:64, :64]
    ramp = 2.0 * y + x
    assert np.abs(nd.forensics.Residual()(ramp).maps[0].values[2:-2, 2:-2]).max() == 0
    found = nd.forensics.Residual()(scene()).maps[0]
    assert found.limits[1] == -found.limits[0] > 0
    assert 2 < found.values.std() < 3.5


def test_the_residual_of_denoise_is_the_noise():
    noise = scene() - scene(0)
    found = nd.forensics.Residual(smoothed_by="denoise")(scene()).maps[0].values
    assert np.corrcoef(noise.ravel(), found.ravel())[0, 1] > 0.9


def test_the_difference_has_its_sign_and_its_place():
    first = eight_bits(scene())
    second = first.copy()
    second[10:20, 30:50] -= 5
    reading = nd.forensics.Difference()(first, reference=second)
    values = reading.maps[0].values
    assert values[15, 40] == 5
    assert np.count_nonzero(values) == 200
    numbers = {each.name: each.value for each in reading.numbers}
    assert numbers["share of pixels that changed"] == pytest.approx(200 / first.size)
    assert numbers["largest absolute difference (intensity)"] == 5
    assert numbers["root mean square (intensity)"] == pytest.approx(np.sqrt(5000 / first.size))
    assert "from y 10 to 19 and from x 30 to 49" in reading.remarks[0]


def test_equal_images_are_identical_to_the_bit():
    reading = nd.forensics.Difference()(eight_bits(scene()), reference=eight_bits(scene()))
    assert reading.remarks == ("Both images are identical to the bit.",)


def test_a_difference_needs_a_reference_of_the_same_size():
    with pytest.raises(ValueError, match="choose a reference"):
        nd.forensics.Difference()(scene())
    with pytest.raises(ValueError, match="another size"):
        nd.forensics.Difference()(scene(), reference=scene()[:, 1:])
