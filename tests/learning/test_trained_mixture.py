"""Mixtures learned from stacks of which everything is known."""

from __future__ import annotations

import numpy as np
import pytest

from napari_diffusion.filters import GaussianMixture
from napari_diffusion.filters.mixture.mixture_file import mixture_in
from napari_diffusion.filters.mixture.weights import MIXTURES
from napari_diffusion.learning.half_prediction import halves, predicted
from napari_diffusion.learning.mixture_fit import fitted
from napari_diffusion.learning.trained_mixture import train_mixture


def smooth(count, shape=(6, 5), reach=2.0, seed=0):
    """Return images of a Gaussian process, and its covariance."""
    at = np.indices(shape).reshape(2, -1).T
    apart = ((at[:, None] - at) ** 2).sum(axis=2)
    covariance = np.exp(-apart / (2 * reach**2)) + 1e-3 * np.eye(len(at))
    random = np.random.default_rng(seed)
    return random.multivariate_normal(np.full(len(at), 7.0), covariance, count).reshape(
        count, *shape
    ), covariance


def bars(count, seed=0, noise=0.05):
    """Return images of one bar each, at one of two angles and any of four places."""
    random = np.random.default_rng(seed)
    images = noise * random.normal(size=(count, 8, 8))
    for image in images:
        place = 2 * random.integers(4)
        (image if random.integers(2) else image.T)[place : place + 2] += 1
    return images


def test_of_a_gaussian_process_its_covariance_is_learned():
    images, covariance = smooth(20_000)
    found = fitted(images, 1, 0.0, 0)
    axes = found.rotations[0] @ found.directions
    learned = axes.T @ np.diag(found.variances[0]) @ axes
    learned += found.floor * (np.eye(30) - found.directions.T @ found.directions)
    np.testing.assert_allclose(learned, covariance, rtol=0, atol=0.06)
    np.testing.assert_allclose(found.mean, 7.0, rtol=0, atol=0.03)


def test_prediction_of_one_half_is_that_of_the_whole_covariance():
    images, _ = smooth(500)
    found = fitted(images, 3, 5.0, 0)
    for seen in halves(found.shape):
        s, expected, likely = seen.ravel(), 0.0, 0.0
        for k, share in enumerate(found.shares):
            axes = found.rotations[k] @ found.directions
            whole = axes.T @ np.diag(found.variances[k]) @ axes
            whole += found.floor * (np.eye(30) - found.directions.T @ found.directions)
            mean = found.mean.ravel() + found.centres[k] @ found.directions
            away, own = images[0].ravel()[s] - mean[s], whole[np.ix_(s, s)]
            log = away @ np.linalg.solve(own, away) + np.linalg.slogdet(own)[1]
            weight = share * np.exp(-log / 2)
            expected = expected + weight * (
                mean[~s] + whole[np.ix_(~s, s)] @ np.linalg.solve(own, away)
            )
            likely += weight
        np.testing.assert_allclose(
            predicted(found, images[:1], seen)[0], expected / likely, rtol=0, atol=1e-8
        )


def test_groups_of_images_are_told_apart_by_more_gaussians():
    images, errors = bars(600), {}
    noisy = images[:40] + 0.5 * np.random.default_rng(1).normal(size=(40, 8, 8))
    for count in (1, 16):
        model = mixture_in(train_mixture(images, gaussians=count, shrinkage=5.0).data, "x")[0]
        found = np.array([model.expected(each, 0.5) for each in noisy])
        errors[count] = np.mean((found - images[:40]) ** 2)
    assert errors[16] < 0.3 * errors[1]
    assert errors[16] < 0.02, "of 0.25 in the noisy images"


def test_how_well_it_holds_is_what_new_images_show():
    images, covariance = smooth(600)
    found = train_mixture(images)
    assert found.is_better
    best = []
    for seen in halves((6, 5)):
        s = seen.ravel()
        given = np.linalg.solve(covariance[np.ix_(s, s)], covariance[np.ix_(s, ~s)])
        best.append(np.trace(covariance[np.ix_(~s, s)] @ given) / (~s).sum())
    assert found.explained == pytest.approx(np.mean(best), abs=0.06)
    assert found.explained < np.mean(best) + 0.02, "nobody is better than the process itself"


def test_few_or_unlike_images_are_said_to_teach_nothing():
    noise = np.random.default_rng(0).normal(size=(100, 16, 16))
    few = smooth(16, (16, 16), reach=1.0)[0]
    for images in (noise, few):
        found = train_mixture(images)
        assert not found.is_better
        assert found.summary().endswith("there are too few images, or they differ too much.")
    assert "less squared error than the mean image." in train_mixture(bars(300)).summary()


def test_the_same_images_and_seed_give_the_same_file():
    images = bars(100)
    assert train_mixture(images).data == train_mixture(images.copy()).data
    one, other = (train_mixture(images, seed=seed, gaussians=4) for seed in (0, 1))
    assert one.data != other.data


def test_a_filter_takes_what_was_learned(tmp_path):
    found = train_mixture(bars(100), about={"licence": "CC0"})
    found.save(tmp_path / "bars.npz")
    image = bars(1, seed=5)[0]
    by_name, by_file = (
        GaussianMixture(0.3, weights)(image) for weights in (found.weights, tmp_path / "bars.npz")
    )
    np.testing.assert_array_equal(by_name, by_file)
    model, about = MIXTURES.named(found.weights)
    assert model.shape == (8, 8)
    assert about == found.about
    assert about["licence"] == "CC0"
    with pytest.raises(ValueError, match=r"written to a \.npz file"):
        found.save(tmp_path / "bars.npy")


@pytest.mark.parametrize("factor", [1e-30, 1e-3, 1e30])
def test_intensities_may_be_of_any_size(factor):
    plain, scaled = (train_mixture(bars(100) * each) for each in (1.0, factor))
    assert scaled.explained == pytest.approx(plain.explained, abs=1e-4)


@pytest.mark.parametrize(
    ("images", "options", "words"),
    [
        (np.zeros((20, 8)), {}, r"of shape \(n, H, W\) \(got float64 of shape \(20, 8\)\)"),
        (np.zeros((20, 8, 8), complex), {}, "real numbers"),
        (np.zeros((20, 33, 8)), {}, "at most 32 along each axis .*: cut or bin them"),
        (np.zeros((20, 1, 1)), {}, "2 pixels or more"),
        (bars(15), {}, r"needs 16 images or more \(got 15\): give more"),
        (bars(20) * np.nan, {}, "must be finite"),
        (np.ones((20, 8, 8)), {}, "must differ"),
        (bars(20) * 1e200, {}, "of at most 1e"),
        (bars(20), {"gaussians": 0}, "whole number from 1 to 18"),
        (bars(20), {"gaussians": 1.5}, "whole number"),
        (bars(20), {"shrinkage": -1.0}, "at least 0"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(images, options, words):
    with pytest.raises(ValueError, match=words):
        train_mixture(images, **options)
