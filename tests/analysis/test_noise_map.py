"""What is measured of a run where the noise at each pixel is known."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

import napari_diffusion as nd
from napari_diffusion.analysis.source_noise import SourceNoise
from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.core.image import Image
from napari_diffusion.filters import Heat, PeronaMalik
from napari_diffusion.metrics import MeanError, Sure, View

HEAT = nd.Recipe(num_steps=8, noise=None, diffusion_filter=Heat(time=0.15))


def ramp(shape, low, high):
    return np.broadcast_to(np.linspace(low, high, shape[-1]), shape)


def noisy(clean, sigma, seed=0):
    return clean + sigma * np.random.default_rng(seed).normal(size=np.shape(clean))


def photograph(size=192):
    return data.camera()[:size, :size].astype(float)


def test_a_constant_map_is_the_number():
    image = noisy(photograph(), 15.0)
    number, mapped = (
        nd.analysis.curves(image, HEAT, [Sure()], noise_sigma=sigma)[0].values
        for sigma in (15.0, np.full(image.shape, 15.0))
    )
    np.testing.assert_allclose(mapped, number, rtol=1e-3, atol=0.1)


def test_the_estimate_is_the_error_where_the_noise_differs():
    """Mean over seeds of the estimate minus the error, beside what its chance allows."""
    clean = photograph(128)
    sigma = ramp(clean.shape, 2, 30)
    recipe = HEAT.replaced(num_steps=1, diffusion_filter=PeronaMalik(contrast=20.0, time=1.0))
    missed, one = [], []
    for seed in range(12):
        image = noisy(clean, sigma, seed)
        step = next(nd.steps(image, recipe)).image
        true = np.mean((step - clean) ** 2) - np.mean((image - clean) ** 2)
        for found, given in ((missed, sigma), (one, float(np.sqrt(np.mean(sigma**2))))):
            curve = nd.analysis.curves(image, recipe, [Sure()], noise_sigma=given)[0]
            found.append((curve.values[1] - true) / abs(true))
    assert abs(np.mean(missed)) < 0.03
    # One number for all is wrong where a filter smooths strong noise more than weak noise.
    assert abs(np.mean(one)) > 2 * abs(np.mean(missed))


def test_the_best_step_is_found_with_a_map():
    clean = photograph()
    sigma = ramp(clean.shape, 3, 40)
    image = noisy(clean, sigma)
    best = nd.analysis.best_step(image, HEAT, noise_sigma=sigma, region=(slice(None),) * 2)
    assert best.curves[0].valid
    measured = nd.analysis.curves(
        image, HEAT, [MeanError()], reference=clean, region=(slice(None),) * 2
    )[0].values
    assert measured[best.index + 1] < 1.02 * min(measured)


def test_noise_is_white_once_it_is_divided_by_its_map():
    clean = np.full((256, 256), 100.0)
    sigma = np.where(np.arange(256) < 128, 2.0, 20.0) * np.ones((256, 1))
    image = noisy(clean, sigma)
    assert SourceNoise.of(Image.of(image), sigma).is_white
    smooth = nd.filters.Gaussian(sigma=1.0)(image)
    assert not SourceNoise.of(Image.of(smooth), sigma).is_white
    # Pixels without noise say nothing.
    sigma[:64] = 0
    assert SourceNoise.of(Image.of(np.where(sigma > 0, image, clean)), sigma).is_white


def test_pixels_without_noise_are_not_perturbed():
    sigma = ramp((64, 64), 1, 3).copy()
    sigma[:, :20] = 0
    image = noisy(np.zeros((64, 64)), sigma)
    recipe = HEAT.replaced(num_steps=1)
    values = nd.analysis.curves(image, recipe, [Sure()], noise_sigma=sigma)[0].values
    assert np.isfinite(values).all()
    view = View(
        source=image[None, None, None],
        image=image[None, None, None],
        grid=Image.of(image).grid,
        noise_map=sigma[None, None, None],
        probed=image[None, None, None],
        probe=np.zeros((1, 1, 1, 64, 64)),
    )
    # Nothing was changed, and no answer is known: the source itself, up to that.
    assert Sure().value(view) == pytest.approx(-2 * np.mean(sigma**2))


def test_local_error_knows_the_noise_around_a_pixel():
    sigma = ramp((128, 128), 1, 9)
    image = noisy(np.zeros((128, 128)), sigma)
    recipe = HEAT.replaced(num_steps=1, diffusion_filter=Heat(time=2.0))
    found = nd.analysis.local_error(image, recipe, noise_sigma=sigma, tile=24)
    # The step is nearly free of noise: what it gained is nearly all the noise there was.
    gained = -found.values / sigma
    for part in (np.s_[:, 12:50], np.s_[:, 50:80], np.s_[:, 80:116]):
        assert np.mean(gained[part]) == pytest.approx(0.86, abs=0.12)
    assert found.noise_sigma == pytest.approx(np.sqrt(np.mean(sigma**2)))


def test_colours_and_channels_take_their_own():
    clean = data.astronaut()[:96, :96].astype(float)
    sigma = np.stack([ramp((96, 96), 2, 30), ramp((96, 96), 30, 2), np.full((96, 96), 9.0)], -1)
    image = noisy(clean, sigma)
    options = {"axes": "yxc", "rgb": True}
    recipe = HEAT.replaced(num_steps=1)
    step = next(nd.steps(image, recipe, **options)).image
    true = np.mean((step - clean) ** 2) - np.mean((image - clean) ** 2)
    given = ArrayParameter(sigma)
    value = nd.analysis.curves(image, recipe, [Sure()], noise_sigma=given, **options)[0].values[1]
    assert value == pytest.approx(true, rel=0.06)
    values = nd.analysis.local_error(image, recipe, noise_sigma=sigma, white=True, **options).values
    assert values.shape == (96, 96)


@pytest.mark.parametrize(
    ("sigma", "said"),
    [
        (np.ones((20, 30)), r"\(20, 30\).*\(30, 20\)"),
        (-np.ones((30, 20)), "0 or more at every pixel"),
        (np.full((30, 20), np.nan), "finite"),
        ((1.0, 2.0, 3.0), "one for each of 1 channels"),
    ],
)
def test_what_does_not_fit_is_refused(sigma, said):
    with pytest.raises(ValueError, match=said):
        nd.analysis.best_step(np.zeros((30, 20)), HEAT, noise_sigma=sigma)
