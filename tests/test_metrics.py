"""Measures of a step, each beside what it must be."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_diffusion.estimate import NoiseModel
from napari_diffusion.grid import Grid
from napari_diffusion.metrics import (
    METRICS,
    Decorrelation,
    EdgeStrength,
    Entropy,
    HalfError,
    JInvariance,
    Mean,
    MeanError,
    NoiseLeft,
    Psnr,
    Pure,
    Range,
    Residual,
    Ssim,
    Sure,
    Variation,
    View,
    Whiteness,
)

SHAPE = (120, 130)
NOISE = np.random.default_rng(0).normal(size=SHAPE)
RAMP = np.add.outer(np.linspace(0, 3, SHAPE[0]), np.linspace(0, 2, SHAPE[1]))


def view(source, image, spacing=1.0, mask=None, axes="yx", **more):
    grid = Grid.of(source.shape, axes=axes, spacing=spacing)
    arrays = {"source": source, "image": image, "mask": mask, **more}
    canonical = {k: grid.canonical(v) if np.ndim(v) > 1 else v for k, v in arrays.items()}
    return View(grid=grid, **canonical)


def pair(one, other):
    """Return the views of two halves, each a pair of source and image."""
    return view(*one), view(*other)


def photons(gain=0.0, read_noise=1.0):
    """Return what is measured of a noise that grows with the intensity."""
    return NoiseModel(sigma=1.0, level=1.0, gain=gain, read_noise=read_noise)


def test_sure_of_a_linear_filter_is_the_expected_error():
    """For u = c·y: c²(m² + σ²) … exactly (1−c)² mean y² − 2σ² + 2σ²c, for any b."""
    source, c, sigma = RAMP + 0.5 * NOISE, 0.7, 0.5
    b = 1e-3 * np.sign(np.random.default_rng(1).normal(size=SHAPE))
    seen = view(source, c * source, noise_sigma=sigma, probed=c * (source + b), probe=b)
    expected = (1 - c) ** 2 * np.mean(source**2) - 2 * sigma**2 + 2 * sigma**2 * c
    assert Sure().value(seen) == pytest.approx(expected, abs=1e-10)
    # Which is the true error less that of the source, up to chance.
    true = np.mean((c * source - RAMP) ** 2) - np.mean((source - RAMP) ** 2)
    assert Sure().value(seen) == pytest.approx(true, abs=6 * sigma * 3 / math.sqrt(source.size))


def test_sure_votes_only_where_its_noise_is_credible():
    b = np.full(SHAPE, 1e-3)
    more = {"probed": RAMP + b, "probe": b}
    assert Sure().score(view(RAMP, RAMP, noise_sigma=0.1, **more)).valid
    for doubtful in ({"noise_sigma": 0.0}, {"noise_sigma": 0.1, "white": False}):
        said = Sure().score(view(RAMP, RAMP, **doubtful, **more))
        assert not said.valid
        assert said.why.endswith(".")


def test_photon_noise_of_a_linear_filter_is_the_expected_error():
    """For u = c·y: (1−c)² mean y² + 2 (c−1) mean V, whatever b."""
    gain, read_noise, c = 0.05, 0.1, 0.7
    counts = np.random.default_rng(2).poisson(RAMP / gain)
    source = gain * counts + read_noise * NOISE
    b = 1e-3 * np.sign(np.random.default_rng(1).normal(size=SHAPE))
    more = {"probed": c * (source + b), "probe": b, "models": (photons(gain, read_noise),)}
    seen = view(source, c * source, **more)
    variance = gain * np.maximum(source, 0) + read_noise**2
    expected = (1 - c) ** 2 * np.mean(source**2) - 2 * (1 - c) * np.mean(variance)
    assert Pure().value(seen) == pytest.approx(expected, abs=1e-10)
    true = np.mean((c * source - RAMP) ** 2) - np.mean((source - RAMP) ** 2)
    assert Pure().value(seen) == pytest.approx(true, abs=0.01)
    assert Pure().score(seen).valid
    for models in ((), (photons(0.0),)):
        assert not Pure().score(view(source, source, probed=source, probe=b, models=models)).valid


def test_the_other_half_gives_the_error_up_to_a_constant():
    rng, truth = np.random.default_rng(3), np.sin(5 * RAMP)
    one, other = (truth + 0.5 * rng.normal(size=SHAPE) for _ in range(2))
    found, true = [], []
    for c in (1.0, 0.8, 0.6):
        seen = view(one, c * one, halves=pair((one, c * one), (other, c * other)))
        found.append(HalfError().value(seen) - 0.25)
        true.append(0.5 * sum(np.mean((c * each - truth) ** 2) for each in (one, other)))
    np.testing.assert_allclose(found, true, atol=0.015)
    assert max(true) - min(true) > 0.07
    assert not HalfError().score(view(one, one)).valid
    assert (
        "same picture" in HalfError().score(view(one, one, halves=pair((one, one), (one, one)))).why
    )


def test_j_invariance_looks_at_hidden_samples_alone():
    hidden = np.zeros(SHAPE, bool)
    hidden[::3, ::4] = True
    probed = RAMP + np.where(hidden, 0.25, 99.0)
    assert JInvariance().value(view(RAMP, RAMP, probed=probed, probe=hidden)) == pytest.approx(
        0.0625
    )


def test_decorrelation():
    source = RAMP + NOISE
    assert Decorrelation().value(view(source, RAMP)) < 0.02
    assert Decorrelation().value(view(source, 0.5 * source)) == pytest.approx(1.0)
    assert Decorrelation().value(view(source, source)) == 1.0


def test_residual_over_noise():
    seen = view(RAMP + 0.3 * NOISE, RAMP, noise_sigma=0.3)
    assert Residual().value(seen) == pytest.approx(NOISE.std())
    assert not Residual().score(view(RAMP, RAMP)).valid


def test_whiteness_of_residuals():
    assert Whiteness().value(view(RAMP + NOISE, RAMP)) < 4.5 / math.sqrt(NOISE.size)
    smooth = (NOISE + np.roll(NOISE, 1, 1)) / 2
    assert Whiteness().value(view(RAMP + smooth, RAMP)) == pytest.approx(0.5, abs=0.03)
    assert Whiteness().value(view(RAMP, RAMP)) == 0.0


def test_noise_left():
    assert NoiseLeft().value(view(RAMP, RAMP + 0.2 * NOISE)) == pytest.approx(0.2, rel=0.03)


def test_edge_strength():
    edge = 1.0 * (np.arange(SHAPE[1]) > 60) + np.zeros(SHAPE)
    assert EdgeStrength().value(view(edge, edge)) == pytest.approx(1.0)
    assert EdgeStrength().value(view(edge, 0.25 * edge)) == pytest.approx(0.25)
    assert EdgeStrength().value(view(edge, np.zeros(SHAPE))) == 0.0


def test_variation_is_per_world_unit():
    ramp = np.add.outer(2.0 * np.arange(SHAPE[0]), 3.0 * np.arange(SHAPE[1]))
    assert Variation().value(view(ramp, ramp, spacing=(0.5, 3.0))) == pytest.approx(4.0 + 1.0)
    mask = np.zeros(SHAPE, bool)
    mask[10:20, 10:20] = True
    outside = np.where(mask, ramp, 1e6)
    found = Variation().value(view(outside, outside, spacing=(0.5, 3.0), mask=mask))
    assert found == pytest.approx(4.0 + 1.0)


def test_entropy_in_bits():
    steps = np.repeat(np.arange(8.0), SHAPE[0] * SHAPE[1] // 8)[: NOISE.size]
    steps = np.resize(steps, SHAPE)
    assert Entropy().value(view(steps, steps)) == pytest.approx(3.0, abs=0.01)
    assert Entropy().value(view(steps, np.full(SHAPE, 3.0))) == 0.0
    assert Entropy().value(view(np.ones(SHAPE), np.ones(SHAPE))) == 0.0


def test_mean_and_range_inside_a_mask():
    mask = RAMP > 2
    assert Mean().value(view(RAMP, RAMP, mask=mask)) == pytest.approx(RAMP[mask].mean())
    assert Range().value(view(RAMP, RAMP, mask=mask)) == pytest.approx(np.ptp(RAMP[mask]))


def test_against_a_reference():
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    image = RAMP + 0.1 * NOISE
    seen = view(image, image, reference=RAMP)
    size = np.ptp(RAMP)
    assert Psnr().value(seen) == pytest.approx(
        peak_signal_noise_ratio(RAMP, image, data_range=size)
    )
    assert Ssim().value(seen) == pytest.approx(structural_similarity(image, RAMP, data_range=size))
    assert MeanError().value(seen) == pytest.approx(0.1 * NOISE.mean())
    assert Psnr().value(view(RAMP, RAMP, reference=RAMP)) == math.inf
    for metric in (Psnr(), Ssim(), MeanError()):
        said = metric.score(view(image, image))
        assert not said.valid
        assert "needs a reference" in said.why


@pytest.mark.parametrize("cls", METRICS)
def test_every_metric_says_what_it_is(cls):
    assert cls.better in ("lower", "higher", "")
    assert cls.probe in ("", "perturbed", "masked")
    assert "Notes\n" in cls.__doc__
    assert not any(p.default is None for p in cls.parameters())


@pytest.mark.parametrize("cls", METRICS)
def test_every_metric_keeps_to_its_unit(cls):
    """In another unit of intensity the number is another as its unit says."""
    b, hidden = 1e-3 * np.sign(NOISE), NOISE > 1

    def value(factor):
        image = factor * (RAMP + 0.05 * NOISE)
        probe = {"perturbed": factor * b, "masked": hidden}.get(cls.probe)
        more = {} if probe is None else {"probed": 1.01 * image, "probe": probe}
        source, truth = factor * (RAMP + 0.2 * NOISE), factor * RAMP
        more["models"] = (photons(0.1 * factor, 0.2 * factor),)
        more["halves"] = pair((source, image), (source[::-1], image[::-1]))
        return cls().value(view(source, image, noise_sigma=0.2 * factor, reference=truth, **more))

    above, _, below = cls.unit.partition("/")
    assert below in ("", "world")
    power = {"intensity": 1, "intensity²": 2}.get(above, 0)
    assert value(4.0) == pytest.approx(4.0**power * value(1.0), rel=1e-6)
