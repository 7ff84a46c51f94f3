"""Speckle reducing diffusion against its formula, and on speckle."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_diffusion import Grid
from napari_diffusion.engine.block import Block
from napari_diffusion.filters import Heat, SpeckleReducing
from napari_diffusion.filters.flows.speckle_kernels import squared_variation


def neighbours(u):
    """Return the neighbours below and above along each axis; beyond the border the pixel."""
    padded = np.pad(u, 1, mode="edge")
    for axis in range(u.ndim):
        for start in (0, 2):
            yield axis, padded[
                tuple(slice(start, start + n) if i == axis else slice(1, n + 1)
                      for i, n in enumerate(u.shape))
            ]  # fmt: skip


def coefficient(u, q0):
    near = np.array([v for _, v in neighbours(u)])
    squared = near.var(axis=0) / near.mean(axis=0) ** 2
    return np.minimum(1 / (1 + (squared - q0**2) / (q0**2 * (1 + q0**2))), 1)


def sub_step(u, q0, tau, lengths):
    c = coefficient(u, q0)
    change = np.zeros_like(u)
    for (axis, v), (_, cv) in zip(neighbours(u), neighbours(c), strict=True):
        change += (c + cv) / 2 * (v - u) / lengths[axis] ** 2
    return u + tau * change


def speckled(looks=9, edge=True):
    """Return (image, truth): two levels, 1 and 4, with white speckle."""
    truth = np.where(np.arange(96) < 48, 1.0, 4.0 if edge else 1.0) * np.ones((96, 1))
    return truth * np.random.default_rng(0).gamma(looks, 1 / looks, truth.shape), truth


def test_variance_over_mean_of_neighbours_is_the_paper_s_q():
    """½(|∇I|/I)² − (∇²I/4I)² over (1 + ∇²I/4I)², |∇I|² being the mean of both sides."""
    u = 1 + np.random.default_rng(0).random((9, 10))
    differences = np.array([v - u for _, v in neighbours(u)])
    gradient, laplacian = np.sum(differences**2, axis=0) / 2, differences.sum(axis=0)
    paper = (gradient / u**2 / 2 - (laplacian / u / 4) ** 2) / (1 + laplacian / u / 4) ** 2
    found = squared_variation(Block(u[None, None, None], Grid.of(u.shape)))
    np.testing.assert_allclose(found[0, 0, 0], paper, rtol=1e-10)


@pytest.mark.parametrize("lengths", [(1.0, 1.0), (0.5, 2.0), (2.0, 1.0, 0.5)])
def test_sub_steps_with_a_falling_q0_are_the_formula_s(lengths):
    shape = (6, 7, 5)[: len(lengths)]
    u = np.random.default_rng(0).random(shape) + 0.1
    time = 3 * 0.8 / sum(2 / h**2 for h in lengths)
    chosen = SpeckleReducing(time=time, q0=0.4, decay=2.0)
    assert chosen.sub_steps(Grid.of(shape, spacing=lengths)) == 3
    expected = u
    for k in range(3):
        q0 = 0.4 * math.exp(-k * time / 3 / 2.0)
        expected = sub_step(expected, q0, time / 3, lengths)
    np.testing.assert_allclose(chosen(u, spacing=lengths), expected, rtol=0, atol=1e-13)
    kept = chosen.replaced(decay=0.0)(u, spacing=lengths)
    assert np.abs(kept - expected).max() > 1e-4


def test_with_a_large_q0_it_is_heat():
    u = np.random.default_rng(0).random((12, 13)) + 0.1
    inside = np.ones(u.shape, bool)
    out = SpeckleReducing(time=2.0, q0=100.0, decay=0.0)(u)
    # With a mask linear diffusion takes the same sub-steps.
    np.testing.assert_allclose(out, Heat(time=2.0)(u, mask=inside), rtol=0, atol=1e-13)


def test_a_factor_on_the_image_changes_nothing():
    u, _ = speckled()
    chosen = SpeckleReducing(time=3.0, q0=0.3, decay=4.0)
    np.testing.assert_allclose(chosen(37.0 * u), 37.0 * chosen(u), rtol=1e-10)


def test_speckle_goes_and_the_edge_stays():
    u, truth = speckled(looks=9)
    out = SpeckleReducing(time=8.0)(u)
    for part in (slice(4, 40), slice(56, 92)):
        before, after = u[:, part], out[:, part]
        assert after.std() / after.mean() < 0.15 * before.std() / before.mean()
    beside = (slice(None), slice(46, 50))
    error, blurred = (np.abs(v - truth)[beside].mean() for v in (out, Heat(time=8.0)(u)))
    assert error < 0.3 * blurred


@pytest.mark.parametrize("looks", [4, 25])
def test_auto_measures_the_speckle(looks):
    """A little less than 1 / √looks: four neighbours lie nearer to their own mean."""
    u, _ = speckled(looks)
    chosen = SpeckleReducing().resolved(_read(u))
    assert 0.7 / math.sqrt(looks) < chosen.q0 < 1.0 / math.sqrt(looks)
    assert chosen.decay == 1.5
    assert SpeckleReducing().resolved(_read(u, spacing=(2.0, 4.0))).decay == 6.0
    assert SpeckleReducing().resolved(_read(np.ones((5, 5)))).q0 == 1.0


def test_a_image_that_q_says_nothing_of_is_refused():
    for u in (np.zeros((5, 6)), -np.ones((5, 6))):
        with pytest.raises(ValueError, match=r"q0 cannot be measured .* set q0"):
            SpeckleReducing()(u)
        np.testing.assert_array_equal(SpeckleReducing(q0=0.3)(u), u)


def _read(image, **options):
    from napari_diffusion.core.image import Image

    return Image.of(image, **options)


def test_what_can_only_fall_falls():
    u, _ = speckled(looks=4)
    chosen = SpeckleReducing(time=1.0, q0=0.5, decay=0.0)
    for _ in range(4):
        out = chosen(u)
        for power in (2, 4):
            assert np.mean((out - u.mean()) ** power) < np.mean((u - u.mean()) ** power)
        u = out
