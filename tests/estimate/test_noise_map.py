"""The noise around every pixel, on images whose noise is known."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

import napari_diffusion as nd
from napari_diffusion.core.image import Image
from napari_diffusion.estimate import noise_map
from napari_diffusion.estimate.maps.noise_map import noise_map_of


def ramp(shape, low, high):
    return np.broadcast_to(np.linspace(low, high, shape[-1]), shape)


def noisy(clean, sigma, seed=0):
    return clean + sigma * np.random.default_rng(seed).normal(size=np.shape(clean))


def error(found, sigma):
    """Root mean square of the relative error."""
    return float(np.sqrt(np.mean((found / sigma - 1) ** 2)))


@pytest.mark.parametrize(
    ("name", "low", "high", "most"),
    [
        ("camera", 5, 40, 0.08),
        ("moon", 5, 40, 0.06),
        ("cell", 5, 40, 0.06),
        ("moon", 2, 10, 0.06),
        ("cell", 2, 10, 0.05),
        # Grass all over: without what is subtracted for texture, twice as much.
        ("grass", 5, 40, 0.18),
    ],
)
def test_a_ramp_of_noise_is_found_on_real_images(name, low, high, most):
    clean = np.asarray(getattr(data, name)(), float)[:512, :512]
    sigma = ramp(clean.shape, low, high)
    image = noisy(clean, sigma)
    found = noise_map(image)
    assert error(found, sigma) < most
    one = nd.estimate.noise_sigma(image)
    assert error(one, sigma) > 3 * error(found, sigma)


def test_photon_noise_follows_the_intensity():
    clean = data.camera()[:384, :384] / 255.0 * 20 + 0.5
    rng = np.random.default_rng(1)
    image = rng.poisson(clean) + rng.normal(0, 1, clean.shape)
    sigma = np.sqrt(clean + 1)
    found = noise_map_of(Image.of(image))
    assert found.source == "intensity"
    assert error(found.values, sigma) < 0.1
    assert error(noise_map(image, source="windows"), sigma) > 1.4 * error(found.values, sigma)


def test_noise_that_depends_on_the_place_alone_is_no_photon_noise():
    clean = data.camera().astype(float)
    assert noise_map_of(Image.of(noisy(clean, ramp(clean.shape, 5, 40)))).source == "windows"
    with pytest.raises(ValueError, match="source='windows'"):
        noise_map(np.random.default_rng(0).normal(size=(128, 128)), source="intensity")


def test_the_axes_are_those_of_the_image():
    shape = (2, 3, 40, 44)
    scale = np.array([1.0, 5.0, 2.0])[:, None, None]
    stack = noisy(np.zeros(shape), np.broadcast_to(scale, shape))
    found = noise_map(stack, axes="tcyx")
    assert found.shape == shape
    assert np.mean(found, axis=(0, 2, 3)) == pytest.approx(scale.ravel(), rel=0.1)
    colours = noisy(np.zeros((64, 64, 3)), 2.0)
    assert noise_map(colours, axes="yxc", rgb=True).shape == (64, 64)
    turned = noise_map(np.moveaxis(stack, 1, -1), axes="tyxc")
    np.testing.assert_array_equal(np.moveaxis(turned, -1, 1), found)
    assert noise_map(stack.astype(np.float32), axes="tcyx").dtype == np.float32


def test_planes_of_a_volume_share_what_they_know():
    sigma = ramp((24, 64, 96), 2, 4)
    volume = noisy(np.zeros(sigma.shape), sigma)
    found = noise_map(volume, tile=16)
    assert error(found, sigma) < 0.1
    # Each plane alone varies more by chance.
    assert error(noise_map(volume, tile=16, along="yx"), sigma) > 1.3 * error(found, sigma)


def test_smaller_tiles_follow_faster_and_vary_more():
    sigma = np.where(np.arange(256) < 128, 1.0, 4.0) * np.ones((256, 1))
    image = noisy(np.zeros((256, 256)), sigma)
    small, large = (noise_map(image, tile) for tile in (16, 96))
    near = np.s_[:, 100:118]
    assert error(small[near], 1.0) < error(large[near], 1.0)
    far = np.s_[:, :40]
    assert np.std(small[far]) > 2 * np.std(large[far])


def test_clipped_pixels_and_those_outside_the_mask_are_not_measured():
    sigma = ramp((192, 192), 2, 8)
    image = noisy(np.full((192, 192), 100.0), sigma)
    image[60:120, 60:140] = 255.0
    assert error(noise_map(image), sigma) < 0.1
    inside = np.ones((192, 192), bool)
    inside[60:120, 60:140] = False
    image[~inside] = np.random.default_rng(3).normal(0, 500, (~inside).sum())
    assert error(noise_map(image, mask=inside), sigma) < 0.1


@pytest.mark.parametrize("shape", [(5, 6), (7, 100), (40,)])
def test_small_images_have_the_noise_of_all(shape):
    image = np.random.default_rng(0).normal(size=shape)
    axes = "yx"[-len(shape) :]
    expected = nd.estimate.noise_sigma(image, axes=axes)
    np.testing.assert_allclose(noise_map(image, axes=axes), expected)


def test_a_constant_image_has_no_noise():
    assert not noise_map(np.ones((64, 64))).any()


def test_what_cannot_be_measured_is_refused():
    import dask.array as da

    image = np.zeros((32, 32))
    with pytest.raises(ValueError, match="tile must be"):
        noise_map(image, tile=4)
    with pytest.raises(ValueError, match="source must be one of auto, windows, intensity"):
        noise_map(image, source="model")
    with pytest.raises(ValueError, match="in memory"):
        noise_map(da.zeros((32, 32)))


def test_denoising_with_the_measured_map_comes_near_to_that_with_the_known_one():
    clean = data.camera()[:256, :256].astype(float)
    sigma = ramp(clean.shape, 5, 40)
    image = noisy(clean, sigma)

    def psnr(**options):
        found = nd.denoise(image, fast=True, **options)
        return 10 * np.log10(255**2 / np.mean((found - clean) ** 2))

    known = psnr(noise_sigma=sigma)
    assert psnr(noise_sigma=noise_map(image)) > known - 0.4
    assert psnr(noise_sigma=float(np.sqrt(np.mean(sigma**2)))) < known - 1.0
