"""Denoising with the noise of each pixel."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

import napari_diffusion as nd
from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.core.method_words import MethodWords
from napari_diffusion.denoising.denoise import denoiser, denoiser_options, with_known_sigma
from napari_diffusion.denoising.stages import stages

RAMP = np.linspace(5, 40, 192) * np.ones((192, 1))


def noisy(clean, sigma, seed=0):
    return clean + sigma * np.random.default_rng(seed).normal(size=np.shape(clean))


def psnr(image, clean):
    return 10 * np.log10(255**2 / np.mean((image - clean) ** 2))


@pytest.mark.parametrize("name", ["camera", "moon", "cell"])
def test_a_map_is_better_than_any_number(name):
    clean = getattr(data, name)()[100:292, 150:342].astype(float)
    image = noisy(clean, RAMP)
    mapped = psnr(nd.denoise(image, fast=True, noise_sigma=RAMP), clean)
    for number in (12.0, 18.0, 25.0, 35.0):
        assert mapped > psnr(nd.denoise(image, fast=True, noise_sigma=number), clean) + 0.5


def test_a_map_of_colours_and_a_strength():
    clean = data.astronaut()[:128, :128].astype(float)
    sigma = np.stack([RAMP[:128, :128], np.full((128, 128), 8.0), RAMP[:128, 127::-1]], axis=-1)
    image = noisy(clean, sigma)
    options = {"axes": "yxc", "rgb": True, "fast": True}
    found = nd.denoise(image, noise_sigma=sigma, **options)
    one = nd.denoise(image, noise_sigma=float(np.sqrt(np.mean(sigma**2))), **options)
    assert psnr(found, clean) > psnr(one, clean) + 0.5
    stronger = nd.denoise(image, noise_sigma=sigma, strength=1.5, **options)
    np.testing.assert_allclose(
        stronger, nd.denoise(image, noise_sigma=1.5 * sigma, **options), atol=1e-9
    )
    assert np.abs(stronger - found).max() > 1


def test_the_stages_of_colours_add_up():
    image = noisy(data.astronaut()[:64, :64].astype(float), RAMP[:64, :64, None])
    sigma = np.stack([RAMP[:64, :64], RAMP[:64, 63::-1], np.full((64, 64), 8.0)], axis=-1)
    recipe = denoiser(fast=True, noise_sigma=sigma)
    options = {"axes": "yxc", "rgb": True}
    made = stages(image, recipe, **options)
    # All colours have the weights of brightness here, so that only brightness adds up.
    brightness = sum((each.image * each.weights).sum(axis=-1) for each in made)
    whole = nd.denoise(image, fast=True, noise_sigma=sigma, **options)
    np.testing.assert_allclose(brightness, whole.sum(axis=-1), atol=1e-6)


def test_a_dock_reads_a_recipe_with_a_map_back():
    sigma = ArrayParameter(RAMP)
    assert denoiser_options(denoiser(noise_sigma=sigma))["noise_sigma"] == sigma
    stronger = denoiser_options(denoiser(fast=True, noise_sigma=sigma, strength=1.5))
    assert stronger["noise_sigma"] == ArrayParameter(1.5 * RAMP)
    assert denoiser(noise_sigma=RAMP).domain is None


def test_a_method_says_that_the_noise_was_given_for_each_pixel():
    words = (
        denoiser(fast=True, noise_sigma=np.full((32, 32), 3.25)).filters[0].method(MethodWords())
    )
    assert "noise standard deviation given for each pixel with mean 3.25 a.u." in words


def test_what_is_no_noise_is_refused():
    with pytest.raises(ValueError, match="at least 0"):
        nd.denoise(np.zeros((32, 32)), noise_sigma=-np.ones((32, 32)))
    with pytest.raises(ValueError, match=r"\(16, 16\).*\(32, 32\)"):
        nd.denoise(np.zeros((32, 32)), noise_sigma=np.ones((16, 16)))
    with pytest.raises(ValueError, match="measures a noise sigma"):
        with_known_sigma(nd.PRESETS["smooth"], RAMP)
