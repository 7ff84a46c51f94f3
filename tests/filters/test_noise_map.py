"""A noise sigma with one number per pixel: what it means, and that chunks do not matter."""

from __future__ import annotations

import json

import numpy as np
import pytest
from skimage import data

import napari_diffusion as nd
from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.core.image import Image
from napari_diffusion.filters import (
    Blend,
    HaarDiffusion,
    NonLocalDiffusion,
    Opponent,
    ReactionDiffusion,
)
from napari_diffusion.filters.denoisers.guided_filter import with_strength
from napari_diffusion.filters.opponent import opponent_noise

HAAR = HaarDiffusion(levels=2, weights=(0.95, -0.9))
FILTERS = (
    HAAR,
    ReactionDiffusion(pilot=HAAR, stride=3),
    ReactionDiffusion(window=24, stride=5),
    NonLocalDiffusion(pilot=HAAR, radius=3),
    Blend((ReactionDiffusion(pilot=HAAR, stride=3), HAAR), weights=(0.8, 0.2), local=True),
)
NAMES = ["haar", "windows", "wide windows", "non-local", "blend"]
every_filter = pytest.mark.parametrize("chosen", FILTERS, ids=NAMES)


def with_sigma(chosen, sigma):
    return chosen.with_components(lambda each: with_sigma(each, sigma)).replaced(noise_sigma=sigma)


def ramp(shape, low=0.02, high=0.2):
    return np.broadcast_to(np.linspace(low, high, shape[-1]), shape).copy()


def noisy(clean, sigma, seed=0):
    return clean + sigma * np.random.default_rng(seed).normal(size=clean.shape)


def photograph(size=256):
    return data.camera()[:size, :size] / 255.0


def psnr(image, clean):
    return -10 * np.log10(np.mean((image - clean) ** 2))


# --- What it means ---


@every_filter
@pytest.mark.parametrize(("shape", "axes"), [((70, 90), "yx"), ((6, 40, 44), "zyx")])
def test_a_constant_map_is_the_number(chosen, shape, axes):
    image = noisy(np.zeros(shape), 0.1).astype(np.float32)
    number = with_sigma(chosen, float(np.float32(0.1)))(image, axes=axes)
    mapped = with_sigma(chosen, np.full(shape, 0.1, np.float32))(image, axes=axes)
    np.testing.assert_allclose(mapped, number, rtol=0, atol=1e-7)


@pytest.mark.parametrize("chosen", FILTERS[:4], ids=NAMES[:4])
def test_each_part_is_filtered_with_its_own_noise(chosen):
    sigma = np.where(np.arange(160) < 80, 0.05, 0.3) * np.ones((96, 1))
    image = noisy(photograph()[:96, :160], sigma)
    found = with_sigma(chosen, sigma)(image)
    far = 40
    for part, number in ((np.s_[:, : 80 - far], 0.05), (np.s_[:, 80 + far :], 0.3)):
        np.testing.assert_allclose(found[part], with_sigma(chosen, number)(image)[part], atol=1e-12)
        other = with_sigma(chosen, 0.35 - number)(image)[part]
        assert np.abs(found[part] - other).max() > 0.01


def test_the_noise_of_a_difference_is_that_of_its_pixels():
    """Beside plain numpy: one level in 2D, whose differences are of four pixels each."""
    sigma = noisy(np.full((12, 14), 0.1), 0.02)
    y = noisy(np.zeros((12, 14)), sigma, 1)
    a, b = 0.9, -0.8
    padded, variance = np.pad(y, 1, "reflect"), np.pad(sigma**2, 1, "reflect")
    signs = np.array([[[1, 1], [1, 1]], [[1, -1], [1, -1]], [[1, 1], [-1, -1]], [[1, -1], [-1, 1]]])
    total = np.zeros(padded.shape)
    for k in range(13):
        for j in range(15):
            cell, s = (
                padded[k : k + 2, j : j + 2],
                np.sqrt(variance[k : k + 2, j : j + 2].sum()) / 4,
            )
            for n, sign in enumerate(signs):
                c = (sign * cell).sum() / 4
                c *= 1 if n == 0 else a + b * np.exp(-((c / (3 * s)) ** 8))
                total[k : k + 2, j : j + 2] += sign * c / 4
    chosen = HaarDiffusion(levels=1, weights=(a, b), noise_sigma=sigma)
    np.testing.assert_allclose(chosen(y), total[1:-1, 1:-1], atol=1e-9)


@pytest.mark.parametrize("chosen", FILTERS[:4], ids=NAMES[:4])
def test_a_pixel_without_noise_stays(chosen):
    image = noisy(photograph(96), 0.1)
    sigma = np.full((96, 96), 0.1)
    sigma[30:60, 20:70] = 0
    found = with_sigma(chosen, sigma)(image)
    assert (found[sigma == 0] == image[sigma == 0]).all()
    assert np.isfinite(found).all()
    assert np.std(found[70:] - image[70:]) > 0.03
    np.testing.assert_array_equal(with_sigma(chosen, np.zeros((96, 96)))(image), image)


@pytest.mark.parametrize(
    "shape", [(3, 2, 20, 24), (3, 20, 24), (2, 20, 24), (20, 24), (1, 2, 1, 1)]
)
def test_axes_that_are_left_out_stand_for_all(shape):
    axes = {(3, 20, 24): 1, (2, 20, 24): 0}.get(shape)
    sigma = 0.1 + 0.1 * np.random.default_rng(3).random(shape)
    whole = sigma if axes is None else np.expand_dims(sigma, axes)
    image = noisy(np.zeros((3, 2, 20, 24)), np.broadcast_to(whole, (3, 2, 20, 24)))
    options = {"axes": "tcyx", "joint_channels": False}
    found = with_sigma(FILTERS[1], sigma)(image, **options)
    one = with_sigma(FILTERS[1], np.array(np.broadcast_to(whole, image.shape)[2, 1]))
    np.testing.assert_allclose(found[2, 1], one(image[2, 1]), atol=1e-12)


# --- Parts ---


@every_filter
@pytest.mark.parametrize(("shape", "axes"), [((150, 170), "yx"), ((20, 60, 64), "zyx")])
def test_chunks_and_regions_have_the_bits_of_the_whole(chosen, shape, axes):
    import dask.array as da

    sigma = ramp(shape)
    image = noisy(np.zeros(shape), sigma).astype(np.float32)
    chosen = with_sigma(chosen, sigma)
    whole = chosen(image, axes=axes)
    chunked = chosen(da.from_array(image, chunks=(13, 41, 37)[-len(shape) :]), axes=axes)
    np.testing.assert_array_equal(chunked.compute(), whole)
    recipe = nd.Recipe(num_steps=1, noise=None, diffusion_filter=chosen)
    region = tuple(slice(n // 3 + 1, n // 2 + 3) for n in shape)
    step = next(nd.steps(image, recipe, region=region, axes=axes))
    np.testing.assert_array_equal(step.image, whole[region])


# --- Colours ---


def test_noise_of_opponent_channels_follows_from_that_of_the_colours():
    sigma = np.stack([ramp((64, 64), 1, 5), ramp((64, 64), 9, 2), ramp((64, 64), 3, 3)], axis=-1)
    image = noisy(np.zeros((64, 64, 3)), sigma)
    grid = Image.of(image, axes="yxc", rgb=True).grid
    variances = []
    for seed in range(200):
        colours = np.moveaxis(noisy(np.zeros((64, 64, 3)), sigma, seed), -1, 0)[None, :, None]
        variances.append(Opponent.to_opponent(colours, grid)[0, :, 0] ** 2)
    measured = np.moveaxis(np.sqrt(np.mean(variances, axis=0).mean(axis=1)), 0, -1)
    known = opponent_noise(ArrayParameter(sigma), grid).values[0]
    np.testing.assert_allclose(measured, known, rtol=0.05)


def test_what_is_resolved_twice_is_the_same():
    image = noisy(data.astronaut()[:64, :64] / 255.0, ramp((64, 3, 64)).transpose(0, 2, 1))
    sigma = np.stack([ramp((64, 64)), ramp((64, 64), 0.2, 0.02), np.full((64, 64), 0.1)], axis=-1)
    inner = Blend(
        (ReactionDiffusion(noise_sigma="1.5 × auto"), HaarDiffusion(levels=2)), noise_sigma=sigma
    )
    source = Image.of(image, axes="yxc", rgb=True)
    once = Opponent(inner).resolved(source)
    assert once.component.noise_sigma.values == pytest.approx(sigma)
    assert once.component.components[0].noise_sigma.values == pytest.approx(1.5 * sigma)
    assert once.resolved(Image.of(image, axes="yxc", rgb=True)) == once
    # Luminance has the mean variance of the colours.
    luminance = np.sqrt(np.mean(sigma**2, axis=-1))
    found = once.inner(source.grid).noise_sigma.values[..., 0]
    np.testing.assert_allclose(found, luminance, rtol=1e-12)


# --- The weights of least error ---


def test_weights_of_haar_know_where_the_noise_is():
    clean, sigma = photograph(), ramp((256, 256))
    image = noisy(clean, sigma)
    mapped = HaarDiffusion(levels=3, noise_sigma=sigma)(image)
    number = HaarDiffusion(levels=3, noise_sigma=float(np.sqrt(np.mean(sigma**2))))(image)
    assert psnr(mapped, clean) > psnr(number, clean) + 0.5


@pytest.mark.parametrize("local", [False, True])
def test_weights_of_a_blend_are_nearly_of_least_error(local):
    clean, sigma = photograph(), ramp((256, 256))
    image = noisy(clean, sigma)
    parts = (HaarDiffusion(levels=1), HaarDiffusion(levels=4), ReactionDiffusion())
    results = [with_sigma(each, sigma)(image) for each in parts]
    blend = Blend(parts, noise_sigma=sigma, local=local)
    changes = np.stack([(each - results[0]).ravel() for each in results[1:]], axis=1)
    best, *_ = np.linalg.lstsq(changes, (clean - results[0]).ravel(), rcond=None)
    least = results[0] + (changes @ best).reshape(clean.shape)
    assert psnr(blend(image), clean) > psnr(least, clean) - 0.1


# --- What is refused, and what is written ---


@every_filter
def test_a_map_that_does_not_fit_is_refused_with_both_shapes(chosen):
    image = np.zeros((40, 48))
    with pytest.raises(ValueError, match=r"\(48, 40\).*\(40, 48\).*'yx'"):
        with_sigma(chosen, np.ones((48, 40)))(image)


@pytest.mark.parametrize(
    ("value", "said"), [(-0.1, "at least 0"), (np.nan, "finite"), (np.inf, "finite")]
)
def test_noise_that_cannot_be_is_refused(value, said):
    sigma = np.ones((8, 8))
    sigma[3, 4] = value
    with pytest.raises(ValueError, match=said):
        HaarDiffusion(noise_sigma=sigma)
    with pytest.raises(ValueError, match=said):
        HaarDiffusion(noise_sigma=ArrayParameter(sigma))


def test_a_flat_list_has_one_number_per_channel():
    assert HaarDiffusion(noise_sigma=[1, 2.0]).noise_sigma == (1.0, 2.0)
    assert HaarDiffusion(noise_sigma=np.array([1, 2.0])).noise_sigma == (1.0, 2.0)
    assert HaarDiffusion(noise_sigma=[[1, 2.0]]).noise_sigma.values.shape == (1, 2)


def test_a_domain_and_a_map_exclude_each_other():
    image = np.random.default_rng(0).poisson(20.0, (64, 64)).astype(float)
    recipe = nd.PRESETS["denoise fast"].replaced(
        domain="anscombe", diffusion_filter=HaarDiffusion(noise_sigma=np.ones((64, 64)))
    )
    with pytest.raises(ValueError, match="domain=None"):
        recipe.resolved(image)


def test_strength_multiplies_a_map_and_the_file_is_remembered(tmp_path):
    path = tmp_path / "sigma.npy"
    np.save(path, ramp((64, 64)))
    recipe = nd.Recipe(
        num_steps=1, noise=None, diffusion_filter=Blend(FILTERS[:1], noise_sigma=str(path))
    ).with_filters(lambda each: with_strength(each, 1.5))
    sigma = recipe.filters[0].noise_sigma
    assert sigma.values == pytest.approx(1.5 * ramp((64, 64)))
    text = recipe.to_json()
    assert json.loads(text)["diffusion_filter"]["noise_sigma"]["times"] == 1.5
    assert nd.Recipe.from_json(text) == recipe
    np.save(path, ramp((64, 64), 0.1, 0.3))
    with pytest.raises(ValueError, match="has changed"):
        nd.Recipe.from_json(text)
