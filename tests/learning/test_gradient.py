"""Gradients that were written by hand, against finite differences."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from napari_diffusion.filters.learned.network import Network, doubled
from napari_diffusion.filters.learned.scale import Scale
from napari_diffusion.learning.errors import PROBE, Window, error_of
from napari_diffusion.learning.free_weights import FreeWeights
from napari_diffusion.learning.gradient import ScaleGradient, _gathered, backward, forward

PARTS = ("kernels", "influences", "reactions")


def scale(steps, seed):
    """Return a scale in double precision, so that differences can be small."""
    random = np.random.default_rng(seed)
    kernels = random.normal(size=(steps, 4, 25))
    kernels -= kernels.mean(axis=2, keepdims=True)
    nodes = np.linspace(-8, 8, 31)
    influences = np.tile(0.05 * nodes / (1 + nodes**2), (steps, 4, 1))
    influences += 0.02 * random.normal(size=influences.shape)
    return Scale(kernels, influences, random.uniform(0.05, 0.2, steps), 8.0)


@pytest.fixture
def learned():
    return Network((scale(2, 0), scale(2, 1), scale(1, 2)), ((1.0, -1.0),) * 8)


@pytest.fixture
def planes():
    random = np.random.default_rng(3)
    noisy, target = random.normal(size=(2, 48, 40))
    return noisy, 0.6 * noisy, target


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("part", PARTS)
def test_the_gradient_is_the_slope_of_the_error(learned, planes, level, part):
    noisy, pilot, target = planes

    def error(network):
        return np.square(forward(network, noisy, pilot).result - target).sum()

    made = forward(learned, noisy, pilot)
    gradient = [ScaleGradient.zeros(each) for each in learned.scales]
    backward(learned, made, 2 * (made.result - target), gradient)
    along = np.random.default_rng(4).normal(size=getattr(learned.scales[level], part).shape)

    def moved(by):
        scales = list(learned.scales)
        values = getattr(scales[level], part) + by * along
        scales[level] = dataclasses.replace(scales[level], **{part: values})
        return dataclasses.replace(learned, scales=tuple(scales))

    # Small enough for no response to pass a node, where the influence functions have kinks.
    slope = (error(moved(3e-8)) - error(moved(-3e-8))) / 6e-8
    found = float(np.vdot(getattr(gradient[level], part), along))
    assert found == pytest.approx(slope, rel=1e-5, abs=1e-4)


def test_the_adjoint_of_doubling():
    random = np.random.default_rng(0)
    small, large = random.normal(size=(7, 5)), random.normal(size=(14, 10))
    assert np.vdot(doubled(small), large) == pytest.approx(np.vdot(small, _gathered(large)))


def window(stein):
    random = np.random.default_rng(5)
    noisy, signs = random.normal(size=(48, 48)), random.choice([-1.0, 1.0], (48, 48))
    target = None if stein else 0.2 * noisy
    return Window(noisy, 0.5 * noisy, target, 1.7, signs, 0.5 * (noisy + PROBE * signs))


@pytest.mark.parametrize("stein", [False, True])
@pytest.mark.parametrize("n", range(6))
def test_free_weights_have_the_slope_of_the_error(stein, n):
    free = FreeWeights.random((2, 1), 5, 31, 8.0, ((1.0, -1.0),) * 4)
    free.arrays[n] += 0.01 * np.random.default_rng(6).normal(size=free.arrays[n].shape)
    along = np.random.default_rng(7).normal(size=free.arrays[n].shape)
    seen = window(stein)

    def error():
        return error_of(free.network(), seen, None)

    learned = free.network()
    by_network = [ScaleGradient.zeros(each) for each in learned.scales]
    error_of(learned, seen, by_network)
    found = float(np.vdot(free.gradient(by_network)[n], along))
    free.arrays[n] += 1e-3 * along
    above = error()
    free.arrays[n] -= 2e-3 * along
    slope = (above - error()) / 2e-3
    # The weights of a network are single numbers, whose last bits the slope cannot see past.
    assert found == pytest.approx(slope, rel=0.03, abs=2e-3)
