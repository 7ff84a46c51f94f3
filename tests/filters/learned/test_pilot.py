"""The pilot of a plane is that of `HaarDiffusion`."""

from __future__ import annotations

import numpy as np
import pytest

from napari_diffusion.engine.threads import Threads
from napari_diffusion.filters import HaarDiffusion
from napari_diffusion.filters.learned.network import Network
from napari_diffusion.filters.learned.pilot import shrunk

WEIGHTS = ((0.4, 0.5), (0.2, -0.1), (1.1, -1.0), (1.5, -1.2), (0.9, -0.7), (1.0, -0.9))


def plane(shape, dtype=np.float64):
    random = np.random.default_rng(0)
    return (np.linspace(0, 9, shape[1]) + random.normal(size=shape)).astype(dtype)


@pytest.mark.parametrize("shape", [(40, 51), (30, 300), (9, 12)])
def test_it_is_that_of_haar_diffusion(shape):
    y = plane(shape)
    flat = tuple(float(each) for pair in WEIGHTS for each in pair)
    same = HaarDiffusion(noise_sigma=1.0, levels=3, weights=flat)
    np.testing.assert_allclose(shrunk(y, WEIGHTS), same(y), atol=1e-12)
    sigma = np.random.default_rng(1).uniform(0.3, 1, shape)
    mapped = same.replaced(noise_sigma=sigma)
    np.testing.assert_allclose(shrunk(y, WEIGHTS, sigma**2), mapped(y), atol=1e-12)


def test_noise_as_strong_everywhere_gives_the_same_bits():
    y = plane((40, 51), np.float32)
    found = shrunk(y, WEIGHTS)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(shrunk(y, WEIGHTS, np.ones(y.shape)), found)


def test_tiles_have_the_bits_of_the_whole():
    y = plane((600, 700), np.float32)
    found = Network((), WEIGHTS).piloted(y, Threads(count=2))
    np.testing.assert_array_equal(found, shrunk(y, WEIGHTS))


@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (1, 9)])
def test_tiny_planes(shape):
    flat = np.full(shape, 3.0)
    np.testing.assert_allclose(shrunk(flat, WEIGHTS), flat)
