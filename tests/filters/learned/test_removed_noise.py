"""No more is taken away than noise can be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from napari_diffusion.engine.threads import Threads
from napari_diffusion.filters import LearnedDiffusion
from napari_diffusion.filters.learned.removed_noise import MOST, WINDOW, limited

THREADS = Threads(count=2)


def by_the_formula(change, shares):
    mean = uniform_filter(np.square(change / shares), WINDOW, mode="reflect")
    return change * np.minimum(1, MOST / mean)


@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (40, 3), (61, 52)])
def test_changes_are_limited_by_their_mean_square(shape):
    random = np.random.default_rng(0)
    change = 2 * random.normal(size=shape) * random.uniform(size=shape)
    shares = random.uniform(0.2, 1, shape)
    found = limited(change, THREADS, shares)
    np.testing.assert_allclose(found, by_the_formula(change, shares), atol=1e-12)
    np.testing.assert_allclose(limited(change, THREADS), by_the_formula(change, 1), atol=1e-12)


def test_noise_alone_may_be_taken_away_whole():
    noise = np.random.default_rng(0).normal(size=(400, 500))
    found = limited(noise, THREADS)
    assert np.mean(found != noise) < 3e-4
    np.testing.assert_allclose(found, noise, atol=0.2)
    nothing = np.zeros((20, 20), np.float32)
    np.testing.assert_array_equal(limited(nothing, THREADS), nothing)


def test_overflow_takes_nothing_away():
    assert not limited(np.full((20, 20), 1e30, np.float32), THREADS).any()


@pytest.mark.parametrize("sigma", [1e-5, 1e-3, 3e-3])
def test_weak_noise_in_strong_contrast_costs_no_structure(sigma):
    """Far below the noise of the images that it learned from the network alone blurs edges."""
    clean = np.where(np.hypot(*np.mgrid[-40:40, -40:40]) % 16 < 8, 0.1, 0.9)
    y = clean + sigma * np.random.default_rng(1).normal(size=clean.shape)
    out = LearnedDiffusion(noise_sigma=sigma)(y)
    assert np.sqrt(np.mean((out - y) ** 2)) < 1.25 * sigma
    assert np.sqrt(np.mean((out - clean) ** 2)) < 1.2 * sigma
