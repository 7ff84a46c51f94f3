"""Measures of a step, each beside what it must be."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_diffusion.core.grid import Grid
from napari_diffusion.estimate import NoiseModel
from napari_diffusion.metrics import (
    METRICS,
    CustomMetric,
    Decorrelation,
    EdgeStrength,
    Entropy,
    Frc,
    HalfError,
    HalfFrc,
    JInvariance,
    Mean,
    MeanError,
    NoiseLeft,
    Objects,
    Psnr,
    Pure,
    Range,
    RegionStatistic,
    Residual,
    SpectrumRatio,
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
        "same image" in HalfError().score(view(one, one, halves=pair((one, one), (one, one)))).why
    )


def test_halves_of_another_brightness_have_no_vote():
    from scipy import ndimage

    truth, noise = 5.0 + RAMP, [np.random.default_rng(k).normal(size=SHAPE) for k in (3, 4)]
    wide = [ndimage.gaussian_filter(each, 3) for each in noise]
    for sigma, one, other in ((0.3, *noise), (3.0, *wide)):
        for factor, valid in ((1.0, True), (0.999, True), (0.9, False)):
            halves = truth + sigma * one, factor * (truth + sigma * other)
            said = HalfError().score(
                view(halves[0], halves[0], halves=pair(*((each, each) for each in halves)))
            )
            assert said.valid == valid, (sigma, factor)
    assert "bleached" in said.why


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
    assert not any(p.default is None and not p.optional for p in cls.parameters())


@pytest.mark.parametrize("cls", [cls for cls in METRICS if cls is not CustomMetric])
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


def band_limited(power, shape, spacing, seed):
    """Return a normal image with the power spectrum `power(f)`, f in cycles per world unit."""
    white = np.random.default_rng(seed).normal(size=shape)
    squared = sum(
        np.square(np.fft.fftfreq(n, d)).reshape([-1 if a == axis else 1 for a in range(len(shape))])
        for axis, (n, d) in enumerate(zip(shape, spacing, strict=True))
    )
    return np.fft.ifftn(np.fft.fftn(white) * np.sqrt(power(np.sqrt(squared)))).real


@pytest.mark.parametrize(
    ("shape", "spacing"), [((256, 240), (0.5, 0.5)), ((40, 100, 110), (1.0, 0.4, 0.4))]
)
def test_resolution_is_where_signal_and_noise_say(shape, spacing):
    """Between halves FRC = S / (S + N), and against the ground truth its root."""
    width, axes = 0.25, "zyx"[-len(shape) :]
    truth = band_limited(lambda f: 25 * np.exp(-0.5 * (f / width) ** 2), shape, spacing, 0)
    one, other = (truth + np.random.default_rng(k).normal(size=shape) for k in (1, 2))
    grid = {"axes": axes, "spacing": spacing}
    halves = view(one, one, **grid), view(other, other, **grid)
    seen = view(one, one, reference=truth, halves=halves, **grid)
    between, against = (width * math.sqrt(2 * math.log(25 * by)) for by in (6, 3))
    assert HalfFrc().value(seen) == pytest.approx(1 / between, rel=0.05)
    assert Frc().value(seen) == pytest.approx(1 / against, rel=0.05)
    # Beside the ground truth 0.5 is what 1/7 is between halves, up to sqrt(1/7).
    assert Frc(threshold=math.sqrt(1 / 7)).value(seen) == pytest.approx(1 / between, rel=0.05)
    assert HalfFrc().score(seen).valid
    assert Frc().value(view(truth, truth, reference=truth, **grid)) == 2 * min(spacing)


def test_no_resolution_from_nothing_in_common_or_one_image():
    other = np.random.default_rng(5).normal(size=SHAPE)
    seen = view(NOISE, NOISE, spacing=0.5, halves=pair((NOISE, NOISE), (other, other)))
    assert HalfFrc().value(seen) > 0.05 * 0.5 * SHAPE[1]
    same = HalfFrc().score(view(NOISE, NOISE, halves=pair((NOISE, NOISE), (NOISE, NOISE))))
    assert "same image" in same.why
    assert not Frc().score(view(NOISE, NOISE, reference=NOISE, mask=RAMP > 1)).valid
    assert (
        "too small" in Frc().score(view(NOISE[:5, :5], other[:5, :5], reference=NOISE[:5, :5])).why
    )
    assert "independent acquisition" in HalfFrc().score(view(NOISE, NOISE)).why


def test_spectrum_of_a_step_over_that_of_the_source():
    assert SpectrumRatio().value(view(NOISE, 0.5 * NOISE)) == pytest.approx(0.25)
    fine = np.cos(0.9 * np.pi * np.arange(SHAPE[1])) + np.zeros(SHAPE)
    coarse = np.cos(0.2 * np.pi * np.arange(SHAPE[0]))[:, None] + np.zeros(SHAPE)
    seen = view(fine + coarse, 0.1 * fine + coarse)
    assert SpectrumRatio().value(seen) == pytest.approx(0.01, abs=1e-4)
    assert SpectrumRatio(beyond=0.0).value(seen) == pytest.approx(1.01 / 2, abs=2e-3)


def test_a_region_of_ones_own():
    labels = np.zeros(SHAPE, int)
    labels[10:20, 10:30], labels[50:60, 50:60] = 1, 2
    image = np.stack([RAMP, 2 * RAMP])
    seen = view(image, image, axes="tyx")
    inside = image[:, labels == 2]
    for name, of in {"mean": np.mean, "median": np.median, "std": np.std, "sum": np.sum}.items():
        found = RegionStatistic(labels=labels, label=2, statistic=name).value(seen)
        assert found == pytest.approx(of(inside))
    assert RegionStatistic(statistic="maximum").value(seen) == image.max()
    both = RegionStatistic(labels=labels, statistic="minimum").value(seen)
    assert both == image[:, labels > 0].min()
    assert "label 3" in RegionStatistic(labels=labels, label=3).score(seen).why
    with pytest.raises(ValueError, match="must have the image's shape"):
        RegionStatistic(labels=labels[1:]).value(seen)


def test_a_region_is_found_in_a_part_of_the_image():
    labels = np.zeros(SHAPE, int)
    labels[50:60, 50:60] = 1
    part = (slice(40, 100), slice(45, 120))
    seen = View(
        source=RAMP[part][None, None, None], image=RAMP[part][None, None, None],
        grid=Grid.of(SHAPE).at((0, 0, 0, 40, 45)),
    )  # fmt: skip
    assert RegionStatistic(labels=labels).value(seen) == pytest.approx(RAMP[labels > 0].mean())


def test_objects_are_counted_and_measured_in_world_units():
    image = np.zeros((2, 60, 70))
    image[:, 10:20, 10:20] = 1.0
    image[0, 30:35, 30:50] = 2.0
    image[0, 35, 50] = 2.0  # touches at a corner
    image[1, 50, 50] = 3.0
    seen = view(image, image, spacing=(0.5, 2.0), axes="tyx")
    assert Objects(threshold=0.5).value(seen) == 2.0
    assert Objects(threshold=0.5, smallest=1.5).value(seen) == 1.5
    assert Objects(threshold=0.5, measure="total size").value(seen) == (200 + 101 + 1) / 2
    assert Objects(threshold=0.5, measure="mean size").value(seen) == pytest.approx(302 / 4)
    assert Objects(threshold=0.5, dark=True).value(seen) == 1.0
    volume = view(image, image, spacing=(3.0, 0.5, 2.0), axes="zyx")
    assert Objects(threshold=0.5).value(volume) == 3.0
    assert not Objects(threshold=9.0).score(seen).valid
    assert not Objects().score(view(np.ones(SHAPE), np.ones(SHAPE))).valid


def test_otsu_of_the_source_or_of_each_step():
    source = 0.05 * NOISE
    source[20:60, 30:70] += 1.0
    weak = view(source, 0.15 * source)
    more = {"measure": "total size", "smallest": 1000.0}
    assert Objects(**more).value(view(source, source)) == 1600.0
    assert Objects(**more).value(weak) == 0.0
    assert Objects(each_step=True, **more).value(weak) == 1600.0


def test_a_function_of_ones_own():
    def weighed(u, spacing, source, channel_axis, mask=None, reference=None, power=1):
        assert (spacing, channel_axis, mask, reference) == ((0.5, 2.0), 2, None, None)
        return np.mean(u**power) - source.mean()

    image = np.stack([RAMP, NOISE], axis=-1)
    seen = view(image - 1.0, image, axes="yxc", spacing=(0.5, 2.0))
    assert CustomMetric(weighed).value(seen) == pytest.approx(1.0)
    assert CustomMetric("numpy:std").value(view(NOISE, NOISE)) == pytest.approx(NOISE.std())
    frames = view(np.stack([RAMP, NOISE]), np.stack([RAMP, NOISE]), axes="tyx")
    expected = (np.median(RAMP) + np.median(NOISE)) / 2
    assert CustomMetric().value(frames) == pytest.approx(expected)
    assert "no parameter mask" in CustomMetric().score(view(RAMP, RAMP, mask=RAMP > 1)).why
    with pytest.raises(ValueError, match="must return one real number"):
        CustomMetric(lambda u: u).value(seen)
    with pytest.raises(ValueError, match="cannot be called with one array"):
        CustomMetric(lambda u, v: u).value(seen)
    with pytest.raises(ZeroDivisionError) as caught:
        CustomMetric(lambda u: 1 / 0).value(seen)
    assert "CustomMetric" in caught.value.__notes__[0]


@pytest.mark.parametrize("cls", METRICS)
def test_nothing_outside_a_mask_is_measured(cls):
    """But by `Ssim` and a function that takes no mask, which say so."""
    if cls in (Ssim, CustomMetric):
        return
    mask = np.zeros(SHAPE, bool)
    mask[20:90, 30:110] = True
    b, hidden = 1e-3 * np.sign(NOISE), NOISE > 1

    def value(outside):
        def put(values):
            return np.where(mask, values, outside)

        image, source = put(RAMP + 0.05 * NOISE), put(RAMP + 0.2 * NOISE)
        probe = {"perturbed": b, "masked": hidden}.get(cls.probe)
        more = {} if probe is None else {"probed": put(1.01 * image), "probe": probe}
        halves = tuple(
            view(put(each + 0.2 * NOISE), put(each), mask=mask) for each in (RAMP, 1.1 * RAMP)
        )
        more |= {"reference": put(RAMP), "halves": halves, "models": (photons(0.1),)}
        return cls().value(view(source, image, mask=mask, noise_sigma=0.2, **more))

    assert value(0.0) == pytest.approx(value(77.0), rel=1e-9)


@pytest.mark.parametrize("cls", METRICS)
def test_every_metric_takes_what_is_constant(cls):
    flat = np.full(SHAPE, 3.0)
    probe = {"perturbed": np.full(SHAPE, 1e-3), "masked": np.ones(SHAPE, bool)}.get(cls.probe)
    more = {} if probe is None else {"probed": flat, "probe": probe}
    more |= {"reference": flat, "halves": pair((flat, flat), (flat, flat)), "models": (photons(),)}
    with np.errstate(all="raise"):
        said = cls().score(view(flat, flat, noise_sigma=0.1, **more))
    assert math.isfinite(said.value) or not said.valid or cls is Psnr
