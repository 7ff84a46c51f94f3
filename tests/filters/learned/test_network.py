"""Trained reaction diffusion against its formula, and in parts against the whole."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import convolve2d, correlate2d

from napari_diffusion.engine.threads import Threads
from napari_diffusion.filters.learned.network import doubled, halved

from .test_weights_file import network, scale

THREADS = Threads(count=2)


def plane(shape, dtype=np.float64, seed=0):
    random = np.random.default_rng(seed)
    waves = 3 * np.sin(np.arange(shape[1]) / 5) * np.cos(np.arange(shape[0]) / 7)[:, None]
    return (waves + random.normal(size=shape)).astype(dtype)


def by_the_formula(weights, u, y, step):
    nodes = np.linspace(-weights.reach, weights.reach, weights.influences.shape[2])
    out = u - weights.reactions[step] * (u - y)
    for kernel, values in zip(weights.kernels[step], weights.influences[step], strict=True):
        taps = kernel.reshape(5, 5).astype(float)
        responses = np.interp(correlate2d(u, taps, "valid"), nodes, values)
        out = out - convolve2d(responses, taps, "full")
    return out


@pytest.mark.parametrize("shape", [(5, 5), (8, 31), (40, 23), (140, 700)])
def test_a_step_is_that_of_the_formula(shape):
    weights, y = scale(nodes=9), plane(shape, seed=1)
    u = plane(shape)
    found = weights.stepped(u, y, 1, THREADS)
    np.testing.assert_allclose(found, by_the_formula(weights, u, y, 1), atol=1e-6)


def test_responses_beyond_the_reach_count_like_those_at_it():
    weights, y = scale(nodes=9), plane((20, 20))
    u = 100 * plane((20, 20))
    found = weights.stepped(u, y, 0, THREADS)
    np.testing.assert_allclose(found, by_the_formula(weights, u, y, 0), atol=1e-5)


def test_smaller_planes_have_noise_as_strong_and_are_put_back_in_place():
    noise = np.random.default_rng(0).normal(size=(256, 256))
    assert halved(noise).std() == pytest.approx(1, abs=0.02)
    slope = np.add.outer(2.0 * np.arange(16), 3.0 * np.arange(24))
    again = doubled(halved(slope))
    np.testing.assert_allclose(again[2:-2, 2:-2], slope[2:-2, 2:-2], atol=1e-12)


@pytest.mark.parametrize("scales", [1, 2, 3])
def test_a_part_with_its_reach_around_has_the_bits_of_the_whole(scales):
    learned = network(scales)
    y = plane((2 * learned.reach + 70, 2 * learned.reach + 61), np.float32)
    whole = learned.diffused(y, (0, 0), THREADS)
    reach = learned.reach
    for top, left in ((0, 0), (13, 6), (21, 33)):
        rows, columns = slice(top, top + 2 * reach + 30), slice(left, left + 2 * reach + 21)
        part = learned.diffused(np.ascontiguousarray(y[rows, columns]), (top, left), THREADS)
        first = (reach if top else 0), (reach if left else 0)
        inner = tuple(slice(f, -reach) for f in first)
        np.testing.assert_array_equal(part[inner], whole[rows, columns][inner])


def test_grey_levels_and_tiny_planes():
    learned = network(3)
    y = plane((30, 30))
    shifted = learned.diffused(y + 100, (0, 0), THREADS) - 100
    np.testing.assert_allclose(shifted, learned.diffused(y, (0, 0), THREADS), atol=1e-4)
    flat = np.full((9, 7), 3.0)
    np.testing.assert_allclose(learned.diffused(flat, (0, 0), THREADS), flat, atol=1e-5)
    assert learned.diffused(np.ones((1, 2), np.float32), (0, 0), THREADS).shape == (1, 2)
