"""Stein's estimate around every pixel, beside the true error."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage import data

import napari_diffusion as nd
from napari_diffusion.analysis import local_error

SIGMA = 0.08
RECIPE = nd.Recipe(
    num_steps=6,
    noise=None,
    diffusion_filter=nd.filters.PeronaMalik(contrast="auto", smoothing=0.7, time=0.5),
)


def noisy(clean, seed=0):
    return (clean + SIGMA * np.random.default_rng(seed).normal(size=clean.shape)).astype(np.float32)


def true_risk(image, clean, tile, axes=(0, 1)):
    width = [tile / np.sqrt(12) * (axis in axes) for axis in range(clean.ndim)]
    return np.sqrt(gaussian_filter((image - clean) ** 2, width)) - SIGMA


@pytest.mark.parametrize("name", ["camera", "coins", "moon"])
def test_it_is_the_true_risk_on_average(name):
    """Within 0.03 σ over the image and 0.12 σ around a pixel, on average."""
    clean = getattr(data, name)()[100:292, 100:292] / 255.0
    image = noisy(clean)
    for step in (1, 5):
        found = local_error(image, RECIPE, step=step, noise_sigma=SIGMA, white=True)
        made = list(nd.steps(image, RECIPE))[step].image
        true = true_risk(made, clean, found.tile)
        assert (found.step, found.tile) == (step, 32)
        assert abs(found.values.mean() - true.mean()) < 0.03 * SIGMA
        assert np.abs(found.values - true).mean() < 0.12 * SIGMA


def test_it_tells_where_structures_were_taken_away():
    """Flat on the left, stripes of the finest kind on the right, smoothed away by heat."""
    clean = np.zeros((96, 192))
    clean[:, 96:] = 0.5 * (np.arange(96) % 2)
    heat = nd.Recipe(num_steps=1, noise=None, diffusion_filter=nd.filters.Heat(time=1.0))
    found = local_error(noisy(clean), heat, noise_sigma=SIGMA, white=True, tile=16).values
    assert found[:, :80].max() < 0
    assert found[:, 112:].min() > SIGMA


def test_channels_have_noise_of_their_own_and_colours_one_map():
    clean = np.zeros((3, 64, 64))
    image = noisy(clean) * np.array([1.0, 2.0, 3.0], np.float32)[:, None, None]
    sigmas = (SIGMA, 2 * SIGMA, 3 * SIGMA)
    heat = nd.Recipe(num_steps=2, noise=None, diffusion_filter=nd.filters.Heat(time=1.0))
    options = {"noise_sigma": sigmas, "white": True}
    found = local_error(image, heat, axes="cyx", **options)
    assert found.values.shape == (3, 64, 64)
    for channel, sigma in zip(found.values, sigmas, strict=True):
        assert -sigma < channel.mean() < -0.6 * sigma
    colours = local_error(np.moveaxis(image, 0, -1), heat, axes="yxc", rgb=True, **options)
    assert colours.values.shape == (64, 64)


def test_outside_of_the_mask_nothing_is_at_risk():
    clean = np.zeros((64, 80))
    mask = np.zeros(clean.shape, bool)
    mask[10:40, 10:60] = True
    heat = nd.Recipe(num_steps=2, noise=None, diffusion_filter=nd.filters.Heat(time=1.0))
    values = local_error(noisy(clean), heat, mask=mask, noise_sigma=SIGMA, white=True).values
    assert not values[~mask].any()
    assert values[mask].max() < 0


def test_the_mean_near_the_border_of_a_mask_is_that_of_the_inside_alone():
    """Where nothing diffuses the error is that of the source, up to the mask's border."""
    mask = np.zeros((48, 64), bool)
    mask[8:40, 20:50] = True
    nothing = nd.Recipe(num_steps=1, noise=None, diffusion_filter=nd.filters.Heat(time=1e-12))
    image = np.random.default_rng(0).normal(100.0, 1.0, mask.shape)
    found = local_error(image, nothing, mask=mask, noise_sigma=1.0, white=True, tile=16).values
    np.testing.assert_allclose(found[mask], 0.0, atol=1e-5)


def test_a_region_and_a_volume():
    clean = np.zeros((12, 24, 28))
    heat = nd.Recipe(num_steps=1, noise=None, diffusion_filter=nd.filters.Heat(time=1.0))
    region = (slice(0, 12), slice(4, 24), slice(0, 28))
    found = local_error(noisy(clean), heat, noise_sigma=SIGMA, white=True, region=region)
    assert (found.values.shape, found.tile) == ((12, 20, 28), 10)
    assert found.values.mean() < -0.6 * SIGMA


def test_it_is_withheld_where_it_would_mislead():
    smooth = gaussian_filter(noisy(np.zeros((128, 128))), 0.8)
    with pytest.raises(
        ValueError, match=r"would be misleading here\. The noise is not white.*white=True"
    ):
        local_error(smooth, RECIPE)
    with pytest.raises(ValueError, match="No noise was found"):
        local_error(np.zeros((64, 64), np.float32), RECIPE, noise_sigma=0.0)


def test_wrong_numbers_are_refused():
    image = noisy(np.zeros((32, 32)))
    with pytest.raises(ValueError, match="tile must be 1 or more"):
        local_error(image, RECIPE, tile=0)
    with pytest.raises(TypeError, match="step must be a whole number"):
        local_error(image, RECIPE, step=1.5)
