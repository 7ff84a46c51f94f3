"""What is expected of a noisy image, against closed forms and brute force."""

from __future__ import annotations

import numpy as np
import pytest

from napari_diffusion.filters.mixture.mixture import Mixture


def mixture(gaussians=3, shape=(3, 4), directions=5, seed=0):
    """Return any mixture, of as many directions as there are pixels or fewer."""
    random = np.random.default_rng(seed)
    size = np.prod(shape)
    axes = np.linalg.qr(random.normal(size=(size, directions)))[0].T
    turned = np.linalg.qr(random.normal(size=(gaussians, directions, directions)))[0]
    shares = random.uniform(0.5, 1, gaussians)
    floor = 0.01
    return Mixture(
        random.normal(size=shape),
        axes,
        shares / shares.sum(),
        random.normal(size=(gaussians, directions)),
        turned,
        floor + random.uniform(0, 1, (gaussians, directions)),
        floor,
    )


def dense(model):
    """Return the share, the mean and the whole covariance of each Gaussian."""
    for k, share in enumerate(model.shares):
        axes = model.rotations[k] @ model.directions
        beyond = np.eye(axes.shape[1]) - model.directions.T @ model.directions
        covariance = axes.T @ np.diag(model.variances[k]) @ axes + model.floor * beyond
        yield share, model.mean.ravel() + model.centres[k] @ model.directions, covariance


def likelihood(model, at, noise):
    found = 0.0
    for share, mean, covariance in dense(model):
        spread = covariance + noise * np.eye(len(mean))
        away = at - mean
        log = away @ np.linalg.solve(spread, away) + np.linalg.slogdet(2 * np.pi * spread)[1]
        found += share * np.exp(-log / 2)
    return found


@pytest.mark.parametrize("directions", [1, 5, 12])
@pytest.mark.parametrize("sigma", [0.01, 0.3, 5.0])
def test_of_one_gaussian_it_is_the_wiener_filter(sigma, directions):
    model = mixture(1, directions=directions)
    ((_, mean, covariance),) = dense(model)
    noisy = np.random.default_rng(1).normal(size=model.shape)
    gain = covariance @ np.linalg.inv(covariance + sigma**2 * np.eye(len(mean)))
    wiener = mean + gain @ (noisy.ravel() - mean)
    np.testing.assert_allclose(model.expected(noisy, sigma).ravel(), wiener, rtol=0, atol=1e-12)


@pytest.mark.parametrize("sigma", [0.2, 1.0])
def test_it_is_the_gradient_of_the_log_likelihood(sigma):
    """Tweedie's formula: E[x | z] = z + σ² ∇ log p(z), for any number of Gaussians."""
    model = mixture(4)
    noisy = np.random.default_rng(2).normal(size=model.shape)
    steps = 1e-5 * np.eye(noisy.size)
    slope = [
        np.log(likelihood(model, noisy.ravel() + step, sigma**2)
               / likelihood(model, noisy.ravel() - step, sigma**2)) / 2e-5
        for step in steps
    ]  # fmt: skip
    expected = noisy.ravel() + sigma**2 * np.array(slope)
    np.testing.assert_allclose(model.expected(noisy, sigma).ravel(), expected, rtol=0, atol=1e-7)


def test_it_is_the_mean_of_all_images_weighted_by_how_likely_they_are():
    """By brute force: half a million images of two pixels."""
    model, sigma, random = mixture(3, (1, 2), 1), 0.3, np.random.default_rng(3)
    images = np.concatenate([
        random.multivariate_normal(mean, covariance, int(500_000 * share))
        for share, mean, covariance in dense(model)
    ])  # fmt: skip
    for noisy in images[::100_000]:
        weights = np.exp(-((images - noisy) ** 2).sum(axis=1) / (2 * sigma**2))
        expected = weights @ images / weights.sum()
        error = np.sqrt(weights**2 @ (images - expected) ** 2) / weights.sum()
        found = model.expected(noisy.reshape(1, 2), sigma).ravel()
        assert (np.abs(found - expected) < 5 * error).all()


def test_without_noise_nothing_changes_and_in_noise_alone_it_is_the_mean_of_all():
    model = mixture()
    noisy = np.random.default_rng(4).normal(size=model.shape)
    np.testing.assert_allclose(model.expected(noisy, 0.0), noisy, rtol=0, atol=1e-12)
    mean = sum(share * each for share, each, _ in dense(model))
    np.testing.assert_allclose(model.expected(noisy, 1e6).ravel(), mean, rtol=0, atol=1e-5)


def test_no_image_is_too_far_away():
    model = mixture()
    for scale in (1e30, 1e-30, 1e300):
        for sigma in (0.0, 1e-30, 1.0, 1e30):
            assert np.isfinite(model.expected(np.full(model.shape, scale), sigma)).all()
