"""Whether seeds spread as the error does, beside draws and recipes whose laws are exact."""

from __future__ import annotations

import functools
import itertools
import json
import math

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.analysis.intervals.stein import slope, squared_error
from napari_diffusion.analysis.spread.calibration import gain_of
from napari_diffusion.analysis.spread.seed_runs import SeedRuns
from napari_diffusion.analysis.spread.spread_law import SpreadLaw, spread_law
from napari_diffusion.filters import Custom
from napari_diffusion.schedules import Karras

SIGMA, STEPS = 0.5, 12
SCHEDULE = Karras(end=0.1)

# White pixels of variance 1 and noise of SIGMA: what is left of a pixel, and the least error.
GAIN = 1 / (1 + SIGMA**2)
LEAST = GAIN * SIGMA**2


def scene(side=96, seed=0):
    rng = np.random.default_rng(seed)
    clean = rng.normal(size=(side, side))
    return clean, (clean + rng.normal(0, SIGMA, clean.shape)).astype(np.float32)


def expected_pixel(noisy, scale, mask=None):
    del mask
    return noisy / (1 + scale**2)


def oracle(told=1.0, update="reverse"):
    """Return the sampler of white pixels, with the exact denoiser of each step's noise."""
    series = [Custom(functools.partial(expected_pixel, scale=told * s), reach=0)
              for s in SCHEDULE(SIGMA, STEPS)]  # fmt: skip
    return nd.Recipe(
        num_steps=STEPS,
        starting_noise_scale=SIGMA,
        schedule=SCHEDULE,
        diffusion_filter=tuple(series),
        update=update,
    )


def variance_of_oracle():
    """Return the variance of the last image given the source, by the linear recursion."""
    scales = SCHEDULE(SIGMA, STEPS)
    variance = 0.0
    for before, after in itertools.pairwise(scales):
        r, gain = (after / before) ** 2, 1 / (1 + before**2)
        variance = (gain + r * (1 - gain)) ** 2 * variance + after**2 * (1 - r)
    return variance / (1 + scales[-1] ** 2) ** 2


def spread_of(image, recipe, **options):
    return nd.analysis.seed_spread(image, recipe, **({"white": True} | options))


# Stein's estimate, and the law on draws of a known posterior.


def test_steins_estimate_is_the_squared_error_of_a_linear_filter():
    clean, noisy = scene(256)
    for gain in (0.0, 0.3, GAIN, 1.0):
        variance = np.full(noisy.shape, SIGMA**2)
        found = squared_error(noisy, gain * noisy, variance, np.full(noisy.shape, gain)).mean()
        expected = (1 - gain) ** 2 + gain**2 * SIGMA**2
        assert found == pytest.approx(expected, abs=0.02)
        assert found == pytest.approx(np.mean((gain * noisy - clean) ** 2), abs=0.01)


def test_the_slope_of_a_linear_filter_is_its_own_weight():
    change = np.where(np.random.default_rng(0).random((1, 2, 1, 64, 64)) < 0.5, -0.1, 0.1)
    change[:, 1] *= 3
    np.testing.assert_allclose(slope(change, 0.4 * change), 0.4)
    shifted = np.roll(change, 1, -1)
    assert abs(slope(change, shifted).mean()) < 0.03
    assert not slope(np.zeros_like(change), change).any()


def draws(count, spread=1.0, bias=0.0, side=128, seed=0):
    """Return source, noise and runs that are draws of the posterior, if spread is 1 and bias 0."""
    rng = np.random.default_rng(seed)
    shape = (1, 1, 1, side, side)
    clean = rng.normal(size=shape)
    noisy = clean + rng.normal(0, SIGMA, shape)
    first = GAIN * noisy
    centre = first * (1 + bias)
    runs = centre + rng.normal(0, spread * math.sqrt(LEAST), (count, *shape))
    slopes = np.full(shape, GAIN * (1 + bias))
    made = SeedRuns(count, runs.mean(0), runs.var(0, ddof=1), slopes, first, np.full(shape, GAIN))
    return clean, noisy, made


def law_of(noisy, runs, samples=True, measured=False):
    inside, variance = np.ones(noisy.shape, bool), np.full(noisy.shape, SIGMA**2)
    return spread_law(runs, noisy, variance, inside, samples=samples, measured=measured)


@pytest.mark.parametrize("count", [2, 4, 8])
def test_of_draws_of_the_posterior_the_mean_of_k_has_1_plus_1_over_k_times_the_least_error(count):
    clean, noisy, runs = draws(count)
    law = law_of(noisy, runs)
    assert law.verdict == "posterior"
    assert law.error == pytest.approx(LEAST, rel=0.03)
    assert law.first == pytest.approx(LEAST, rel=0.03)
    for k in (1, 2, 4, 8):
        assert law.figure(k) == pytest.approx(1 + 1 / k, rel=0.03)
    error = np.mean((runs.mean - clean) ** 2)
    assert law.error + law.variance / count == pytest.approx(error, rel=0.03)


def test_the_interval_of_the_ratio_holds_the_true_one_as_often_as_it_says():
    laws = [law_of(*draws(4, spread=0.9, side=32, seed=seed)[1:]) for seed in range(200)]
    held = [low <= 0.9 <= high for low, high in (law.interval for law in laws)]
    assert 0.85 <= np.mean(held) <= 0.97


@pytest.mark.parametrize(
    ("spread", "bias", "expected"),
    [
        (1.0, 0.0, "posterior"),
        (0.85, 0.0, "posterior"),
        (1.2, 0.0, "posterior"),
        (0.5, 0.0, "sensitivity"),
        (2.0, 0.0, "sensitivity"),
        # The mean is off by more than the rest of the error allows.
        (1.0, 0.25, "sensitivity"),
    ],
)
def test_the_verdict(spread, bias, expected):
    _, noisy, runs = draws(8, spread, bias)
    law = law_of(noisy, runs)
    assert law.verdict == expected
    assert law_of(noisy, runs, samples=False).verdict == "sensitivity"


def test_too_few_pixels_decide_nothing_but_what_is_far_off():
    assert law_of(*draws(8, side=6)[1:]).verdict == "not tested"
    assert law_of(*draws(8, spread=0.1, side=16)[1:]).verdict == "sensitivity"


def test_noise_that_was_measured_leaves_more_in_doubt():
    _, noisy, runs = draws(8)
    given, measured = law_of(noisy, runs), law_of(noisy, runs, measured=True)
    assert measured.relative_error > given.relative_error
    # The estimate of the error changes by so much with the square of sigma.
    doubt = 2 * 0.016 * SIGMA**2 * (2 * GAIN - 1) / given.error
    assert measured.relative_error == pytest.approx(math.hypot(given.relative_error, doubt))


def test_an_error_that_seems_negative_is_no_verdict():
    law = SpreadLaw(8, True, 0.1, -0.01, 0.2, math.inf)
    assert law.verdict == "not tested"
    assert math.isnan(law.ratio)
    assert math.isnan(law.figure(1))


# Calibration.


def test_calibrated_deviations_are_as_large_as_the_error_with_a_part_that_is_even():
    around = np.random.default_rng(0).gamma(4.0, size=(1, 1, 1, 64, 64))
    variance = float(around.mean())
    law = SpreadLaw(8, True, variance, 1.5 * variance, 2.0, 0.0)
    gain = gain_of(law, around)
    calibrated = gain**2 * around
    assert calibrated.mean() == pytest.approx(law.error, rel=1e-3)
    np.testing.assert_allclose(calibrated, 1.5 * (0.9 * around + 0.1 * variance), rtol=1e-12)


def test_where_all_seeds_are_the_same_there_is_nothing_to_multiply():
    law = SpreadLaw(8, True, 1.0, 1.0, 2.0, 0.0)
    assert gain_of(law, np.zeros((1, 1, 1, 2, 2))).max() == 3.0


# Recipes.


def test_the_sampler_with_the_exact_denoiser_is_called_posterior():
    clean, noisy = scene()
    found = spread_of(noisy, oracle(), reference=clean)
    expected = math.sqrt(variance_of_oracle() / LEAST)
    low, high = found.law.interval
    assert low - 0.02 < expected < high + 0.02
    assert found.verdict == "posterior"
    assert not found.measured
    assert found.law.error == pytest.approx(LEAST, rel=0.05)
    # Calibrated, the spread is the error, and its interval holds what it says.
    error = np.sqrt(np.mean((found.mean - clean) ** 2) / (1 + 1 / 8))
    assert np.sqrt(np.mean(found.spread**2)) == pytest.approx(error, rel=0.04)
    assert found.coverage == pytest.approx(0.9, abs=0.02)
    assert "was tested on this image" in found.sentences()[0]


def test_of_a_repeat_the_coverage_is_that_of_its_noise_too():
    clean, noisy = scene()
    second = clean + np.random.default_rng(5).normal(0, SIGMA, clean.shape)
    found = spread_of(noisy, oracle(), second=second)
    assert found.coverage == pytest.approx(0.9, abs=0.03)
    assert "repeat acquisition" in found.sentences()[-1]


def test_a_sampler_that_is_told_the_wrong_noise_is_not():
    _, noisy = scene()
    found = spread_of(noisy, oracle(told=2.0))
    assert found.verdict == "sensitivity"
    assert found.sentences()[0].startswith("The spread is not the error: it shows sensitivity")
    np.testing.assert_array_equal(found.gain, 1)


def test_whole_updates_are_no_sampler():
    _, noisy = scene(48)
    found = spread_of(noisy, oracle(update="whole"), noise_sigma=SIGMA, seeds=3)
    assert found.verdict == "sensitivity"
    assert "whole updates" in found.sentences()[0]


def test_mean_and_spread_are_those_of_the_runs():
    _, noisy = scene(24)
    seeds = (3, 9, 4)
    found = spread_of(noisy, oracle(), seeds=seeds, noise_sigma=SIGMA)
    recipe = oracle().resolved(noisy)
    runs = [list(nd.steps(noisy, recipe.replaced(seed=seed)))[-1].image for seed in seeds]
    np.testing.assert_allclose(found.mean, np.mean(runs, axis=0), atol=1e-6)
    raw = np.std(np.array(runs, float), axis=0, ddof=1)
    np.testing.assert_allclose(found.spread, found.gain * raw, atol=1e-6)
    again = spread_of(noisy, oracle(), seeds=seeds, noise_sigma=SIGMA)
    np.testing.assert_array_equal(found.spread, again.spread)


def test_a_region_and_a_mask_are_what_is_studied():
    _, noisy = scene(48)
    region, mask = (slice(4, 40), slice(8, 44)), np.ones(noisy.shape, bool)
    mask[:, 20:] = False
    whole = spread_of(noisy, oracle(), seeds=2, noise_sigma=SIGMA)
    part = spread_of(noisy, oracle(), seeds=2, noise_sigma=SIGMA, region=region)
    np.testing.assert_array_equal(part.mean, whole.mean[region])
    masked = spread_of(noisy, oracle(), seeds=2, noise_sigma=SIGMA, mask=mask)
    assert not masked.spread[:, 20:].any()
    assert masked.law.variance == pytest.approx(np.mean(masked.spread[:, :20] ** 2), rel=0.3)


def test_an_earlier_step_colours_and_progress():
    _, noisy = scene(24)
    colours = np.stack([noisy, noisy[::-1], noisy.T], axis=-1)
    told = []
    found = spread_of(colours, oracle(), rgb=True, step=2, seeds=3,
                      progress=lambda *counts: told.append(counts))  # fmt: skip
    assert (found.step, found.mean.shape, found.spread.shape) == (2, (24, 24, 3), (24, 24))
    assert [each.name for each in found.maps()] == ["sensitivity to the noise"]
    assert told == [(k + 1, 5) for k in range(5)]


def test_results_say_what_they_are():
    _, noisy = scene(12)
    found = spread_of(noisy, oracle(), seeds=2)
    assert "not tested: too few pixels" in found.sentences()[0]
    assert any("one plausible image, not a measurement" in each for each in found.limits())
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["seeds"] == [0, 1]
    rows = found.tables()[1].rows
    assert [row[2] for row in rows] == [2.0, 1.5, 1.25, 1.125]


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"seeds": 1}, "seeds must be 2 or more"),
        ({"noise_sigma": 0.0}, "No noise was found"),
        ({"white": False}, "cannot be estimated here"),
        ({"mask": np.zeros((12, 12), bool)}, "mask"),
    ],
)
def test_what_cannot_be_tested_is_refused(changes, match):
    _, noisy = scene(12)
    with pytest.raises(ValueError, match=match):
        spread_of(noisy, oracle(), **changes)


def test_a_recipe_without_random_noise_has_no_spread():
    recipe = nd.Recipe(num_steps=2, noise=None, diffusion_filter=nd.filters.Heat(time=1.0))
    with pytest.raises(ValueError, match="random noise"):
        spread_of(scene(12)[1], recipe)


def test_of_restored_images_nothing_is_tested():
    recipe = oracle().replaced(measurement=nd.measurements.Masked(SIGMA))
    with pytest.raises(ValueError, match=r"restored images .* nd.analysis.ensemble"):
        spread_of(scene(12)[1], recipe)
