"""A recipe on pure noise, beside what is known of white noise and of linear filters."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest
from scipy import ndimage, stats

import napari_diffusion as nd
from napari_diffusion.analysis.fresh_noise import background_levels
from napari_diffusion.analysis.null.noise_error import noise_error
from napari_diffusion.analysis.null.noise_fit import misfits
from napari_diffusion.analysis.null.rate_interval import counted, rate_interval
from napari_diffusion.analysis.null.step_statistics import StandingOut, correlation_length
from napari_diffusion.analysis.source_noise import SourceNoise
from napari_diffusion.core.image import Image

HEAT = nd.filters.Heat(time=1.0)


def scene(size=128):
    """Return blobs on a flat background of intensity 60."""
    rng, (y, x) = np.random.default_rng(5), np.mgrid[:size, :size]
    made = np.full((size, size), 60.0)
    for _ in range(size * size // 1600):
        (cy, cx), radius = rng.uniform(10, size - 10, 2), rng.uniform(2, 6)
        made += rng.uniform(20, 120) * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 2 / radius**2)
    return made


def white(seed, size=128, sigma=10.0):
    noise = np.random.default_rng(seed).normal(size=(size, size))
    return (scene(size) + sigma * noise).astype(np.float32)


def kernel_of(recipe, size=65):
    """Return what a linear filter makes of one pixel."""
    pulse = np.zeros((size, size))
    pulse[size // 2, size // 2] = 1.0
    return np.asarray(recipe(pulse))


# What is measured of a step.


def test_a_linear_filter_leaves_what_its_kernel_says():
    found = nd.analysis.null_test(white(0, 256), HEAT, noise_sigma=10.0, count=16)
    kernel = kernel_of(HEAT)
    before, after = found.steps
    assert (before.index, after.index) == (-1, 0)
    assert before.sd == pytest.approx(10.0, rel=0.01)
    assert after.sd == pytest.approx(10.0 * np.sqrt((kernel**2).sum()), rel=0.02)
    # White noise correlates with nothing: halfway down to 1/e between lag 0 and 1.
    assert before.correlation_length == pytest.approx(1 - np.exp(-1), abs=0.01)
    lags = ndimage.correlate(kernel, kernel, mode="constant")[32, 32:]
    lags /= lags[0]
    expected = np.interp(-np.exp(-1), -lags, np.arange(len(lags)))
    assert after.correlation_length == pytest.approx(expected, rel=0.02)
    assert after.area == before.area == pytest.approx(16 * 256**2 / 1e6)


def test_false_objects_in_white_noise_are_as_many_as_its_tail():
    found = nd.analysis.null_test(white(0, 256), HEAT, noise_sigma=10.0, count=64)
    step = found.steps[0]
    # Two neighbours beyond 4 σ are too rare to count.
    expected = 1e6 * stats.norm.sf(4)
    assert step.rate_low < expected < step.rate_high
    assert step.rate == pytest.approx(1e6 * step.false_objects / (64 * 256**2))
    assert step.peak == pytest.approx(stats.norm.isf(1 / (64 * 256**2)), abs=0.7)


def test_correlation_is_measured_inside_a_mask():
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(400, 400)), 2.0)
    noise -= noise.mean()
    inside = np.random.default_rng(1).random((400, 400)) < 0.5
    whole = correlation_length(noise, np.ones(noise.shape, bool))
    # exp(−d² / (4 · 2²)) = 1/e
    assert whole == pytest.approx(4.0, rel=0.03)
    assert correlation_length(np.where(inside, noise, 0.0), inside) == pytest.approx(
        whole, rel=0.05
    )


def test_a_filter_that_makes_outliers_is_seen_by_them():
    strong = nd.filters.PeronaMalik(contrast=11.0, time=1.5)
    found = nd.analysis.null_test(white(0), strong, noise_sigma=10.0, count=20)
    before, after = found.steps
    assert after.rate_low > before.rate_high
    assert after.peak > before.peak + 2


# The interval of a rate.


@pytest.mark.parametrize(
    ("count", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.39)]
)
def test_a_count_has_garwoods_interval(count, low, high):
    places = np.stack([np.arange(count) * 67.0 % 1024, np.arange(count) * 131.0 % 1024], axis=1)
    total, least, most = rate_interval([counted(places, np.ones((1024, 1024), bool))])
    assert total == count
    assert (least, most) == pytest.approx((low, high), rel=2e-3)


def scattered(kind, rng, size=256):
    if kind == "alone":
        return rng.uniform(0, size, (rng.poisson(60), 2))
    if kind == "in clusters":
        centres = rng.uniform(0, size, (rng.poisson(20), 2))
        return np.repeat(centres, 3, axis=0) + rng.uniform(-2, 2, (3 * len(centres), 2))
    if kind == "apart":
        grid = np.stack(np.meshgrid(*[np.arange(8, size, 16)] * 2), axis=-1).reshape(-1, 2)
        return (grid + rng.uniform(-4, 4, grid.shape))[rng.random(len(grid)) < 0.8]
    strength = rng.lognormal(-0.045, 0.3)
    return rng.uniform(0, size, (rng.poisson(60 * strength), 2))


@pytest.mark.parametrize(
    ("kind", "mean"), [("alone", 60), ("in clusters", 60), ("apart", 204.8), ("by image", 60)]
)
def test_intervals_hold_in_95_of_100_cases(kind, mean):
    rng, inside, hits, width = np.random.default_rng(7), np.ones((256, 256), bool), 0, 0.0
    for _ in range(200):
        planes = [counted(np.clip(scattered(kind, rng), 0, 255), inside) for _ in range(8)]
        _, low, high = rate_interval(planes)
        hits += low <= 8 * mean <= high
        width += (high - low) / 200
    assert 0.90 * 200 <= hits <= 0.995 * 200
    poisson = 2 * 1.96 * np.sqrt(8 * mean)
    assert width < poisson if kind == "apart" else width > 0.95 * poisson


def test_objects_outside_the_mask_do_not_count():
    inside = np.zeros((100, 100), bool)
    inside[:, :50] = True
    found = counted(np.array([[10.0, 10.0], [10.0, 80.0]]), inside)
    assert (found.objects.sum(), found.areas.sum()) == (1, 5000)


def test_a_rate_that_follows_the_noise_has_a_wider_interval():
    """The logarithm of the rate changes by 0.3 with each standard error of the noise."""
    shifts = stats.norm.ppf((np.arange(20) + 0.5) / 20)
    shifts /= np.sqrt(np.mean(shifts**2))
    rng, inside = np.random.default_rng(4), np.ones((256, 256), bool)
    widths = {}
    for slope in (0.0, 0.3):
        places = [rng.uniform(0, 255, (rng.poisson(100 * np.exp(slope * z)), 2)) for z in shifts]
        planes = [counted(p, inside, (z, 0.0)) for p, z in zip(places, shifts, strict=True)]
        total, low, high = rate_interval(planes)
        widths[slope] = np.log(total / low), np.log(high / total)
    assert widths[0.0] == pytest.approx([1.96 / np.sqrt(2000)] * 2, rel=0.5)
    assert widths[0.3] == pytest.approx([1.96 * np.hypot(0.3, 1 / np.sqrt(2000))] * 2, rel=0.1)


def test_the_error_of_a_measured_noise_is_about_that_of_measuring_others():
    errors, sigmas, levels = [], [], []
    for seed in range(8):
        made = Image.of(white(seed))
        noise = SourceNoise(made)
        errors.append(noise_error(made, noise))
        sigmas.append(noise.sigma)
        levels += background_levels(made)
    strength, level = np.mean(errors, axis=0)
    assert strength == pytest.approx(np.std(np.log(sigmas)), rel=0.6)
    assert level == pytest.approx(np.std(levels) / 10, rel=0.6)
    assert noise_error(made, SourceNoise(made, 10.0))[0] == 0


def test_blanks_have_noises_as_far_apart_as_it_was_measured():
    def found(sigma):
        image = nd.analysis.null_test(white(0), HEAT, detector=seen, count=8, noise_sigma=sigma)
        return image.steps[0].sd

    deviations = []
    seen = nd.analysis.Threshold(1e9)
    object.__setattr__(seen, "objects", lambda v: deviations.append(v.std()) or v[:0].reshape(0, 2))
    found(None)
    measured = np.array(deviations[::2])
    deviations.clear()
    found(10.0)
    assert np.all(np.diff(measured) > -0.15)
    assert measured[-1] - measured[0] > 3 * np.ptp(deviations[::2]) / 8


# Whether the simulated noise is that of the image.


def photons(rng, clean):
    return rng.poisson(clean / 2) * 2 + 3 * rng.normal(size=clean.shape)


@pytest.mark.parametrize("kind", ["white", "photons"])
def test_noise_that_fits_is_said_to_fit(kind):
    fitting = 0
    for seed in range(60):
        image = white(seed)
        if kind == "photons":
            image = photons(np.random.default_rng(seed), scene()).astype(np.float32)
        made = Image.of(image)
        fitting += not misfits(made, SourceNoise(made))
    assert fitting >= 57


def processed(kind, rng):
    clean = scene(256)
    noise = rng.normal(size=clean.shape)
    image = clean + 10 * noise
    if kind == "correlated":
        smooth = ndimage.gaussian_filter(noise, 0.8)
        return clean + 10 * smooth / smooth.std()
    if kind == "salt and pepper":
        hit = rng.random(clean.shape) < 0.005
        return np.where(hit, np.where(rng.random(clean.shape) < 0.5, 0, 255), image)
    if kind == "hot pixels":
        return image + 90 * (rng.random(clean.shape) < 0.001)
    if kind == "clipped":
        return np.maximum(image - 60, 0)
    if kind == "uneven":
        return clean + 10 * noise * np.linspace(0.5, 1.5, clean.shape[1])
    return clean + 10 * rng.laplace(size=clean.shape) / np.sqrt(2)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("correlated", "not white"),
        ("salt and pepper", "impulses"),
        ("hot pixels", "impulses"),
        ("clipped", "exactly 0"),
        ("uneven", "differs from place to place"),
        ("heavy tails", "strong outliers"),
    ],
)
def test_noise_that_does_not_fit_is_noticed(kind, words):
    for seed in range(3):
        image = processed(kind, np.random.default_rng(seed)).astype(np.float32)
        made = Image.of(image)
        assert words in " ".join(misfits(made, SourceNoise(made)))


def test_what_does_not_fit_is_the_first_thing_said():
    image = processed("correlated", np.random.default_rng(0)).astype(np.float32)
    found = nd.analysis.null_test(image, HEAT, count=1)
    assert not found.fits
    assert found.sentences()[0].startswith("The simulated noise does not fit the image. ")
    assert "Do not rely on the numbers below" in found.sentences()[0]
    fitting = nd.analysis.null_test(white(0), HEAT, count=1)
    assert fitting.fits
    assert fitting.why == ""
    assert not any("fit" in sentence for sentence in fitting.sentences())


@pytest.mark.parametrize(("sigma", "side"), [(7.0, "stronger"), (14.0, "weaker")])
def test_a_sigma_that_was_given_wrongly_is_noticed(sigma, side):
    found = nd.analysis.null_test(white(0), HEAT, noise_sigma=sigma, count=1)
    assert f"its noise is {side} than the simulated one" in found.why
    model = nd.estimate.NoiseModel(sigma=351**0.5, level=70.0, gain=5.0, read_noise=1.0)
    assert not nd.analysis.null_test(white(0), HEAT, noise_model=model, count=1).fits


def test_a_map_of_the_noise_is_drawn_and_fits():
    image = processed("uneven", np.random.default_rng(0)).astype(np.float32)
    sigma = np.broadcast_to(10 * np.linspace(0.5, 1.5, 256), (256, 256))
    seen = []
    found = nd.analysis.null_test(
        image, HEAT, noise_sigma=sigma, count=1, detector=lambda v: seen.append(v) or v[:0]
    )
    assert found.fits, found.why
    halves = seen[0][:, :128].std(), seen[0][:, 128:].std()
    assert halves == pytest.approx((7.6, 12.6), rel=0.03)


def test_row_noise_is_drawn_too():
    rng = np.random.default_rng(2)
    image = white(2, 256) + 6 * rng.normal(size=(256, 1)).astype(np.float32)
    found = nd.analysis.null_test(image, HEAT, count=3)
    assert found.fits
    assert found.steps[0].sd == pytest.approx(np.hypot(10, 6), rel=0.1)


# A background region.


def with_background(kind, seed):
    """Return an image whose left half holds no objects, and where that is."""
    rng = np.random.default_rng(seed)
    clean = scene(256)
    background = np.zeros(clean.shape, bool)
    background[:, :120] = True
    clean[background] = 60
    image = clean + 10 * rng.normal(size=clean.shape)
    if kind == "correlated":
        smooth = ndimage.gaussian_filter(rng.normal(size=clean.shape), 0.8)
        image = clean + 10 * smooth / smooth.std()
    elif kind == "clipped":
        image = np.maximum(image - 60, 0)
    elif kind == "with objects":
        image[:, :60] += scene(256)[:, :60] - 60
    return image.astype(np.float32), background


@pytest.mark.parametrize("kind", ["white", "correlated"])
def test_the_noise_of_a_background_fits_correlated_or_not(kind):
    image, background = with_background(kind, 1)
    found = nd.analysis.null_test(image, HEAT, background=background, count=8)
    assert found.fits, found.why
    assert found.levels[0] == pytest.approx(60, abs=0.7)
    assert found.steps[0].sd == pytest.approx(10, rel=0.05)
    for seen, drawn in zip(found.background_steps, found.steps, strict=True):
        assert seen.area == pytest.approx(background.sum() / 1e6)
        assert seen.sd == pytest.approx(drawn.sd, rel=0.1)
        assert seen.correlation_length == pytest.approx(drawn.correlation_length, rel=0.15)
        assert seen.rate_low <= drawn.rate_high
        assert drawn.rate_low <= seen.rate_high
    assert "agrees with pure noise" in found.sentences()[-1]


@pytest.mark.parametrize("kind", ["clipped", "with objects"])
def test_a_background_that_is_none_is_noticed(kind):
    image, background = with_background(kind, 1)
    assert not nd.analysis.null_test(image, HEAT, background=background, count=1).fits


def test_a_background_needs_pixels_of_the_part_that_is_studied():
    image, background = with_background("white", 0)
    with pytest.raises(ValueError, match="background must hold pixels of the part"):
        nd.analysis.null_test(image, HEAT, background=background & False)
    right = (slice(None), slice(200, None))
    with pytest.raises(ValueError, match="background must hold pixels of the part"):
        nd.analysis.null_test(image, HEAT, background=background, region=right)
    with pytest.raises(ValueError, match="The mask has no pixel in the part"):
        nd.analysis.null_test(image, HEAT, mask=background & False)
    few = np.zeros(image.shape, bool)
    few[0, :9] = True
    found = nd.analysis.null_test(image, HEAT, background=few, noise_sigma=10.0, count=1)
    assert "9 pixels, too few to tell" in found.why
    with pytest.raises(ValueError, match="A mask must have the image's shape"):
        nd.analysis.null_test(image, HEAT, background=background[:9])


# Detectors, kinds of images, and how it runs.


def test_a_function_may_return_labels_positions_or_a_mask():
    def labels(values):
        return ndimage.label(values > 90)[0]

    def positions(values):
        made, count = ndimage.label(values > 90)
        return np.array(ndimage.center_of_mass(values, made, range(1, count + 1))).reshape(-1, 2)

    image = white(0)
    found = [
        nd.analysis.null_test(image, HEAT, detector=each, noise_sigma=10.0, count=2).steps[0]
        for each in (labels, positions, lambda values: labels(values) > 0)
    ]
    assert found[0] == found[1] == found[2]
    assert found[0].false_objects > 10


def test_an_error_of_a_function_tells_its_name_and_the_step():
    def picky(values):
        if values.std() < 9:
            raise KeyError("too smooth")
        return values > 90

    with pytest.raises(KeyError, match="too smooth") as caught:
        nd.analysis.null_test(white(0), HEAT, detector=picky, noise_sigma=10.0, count=1)
    assert "picky, on step 0" in caught.value.__notes__[0]


def test_a_function_that_writes_into_its_image_changes_nothing():
    def spoiling(values):
        found = values > 90
        values[:] = 0
        return found

    image = white(0)
    one, other = (
        nd.analysis.null_test(image, HEAT, detector=each, noise_sigma=10.0, count=1)
        for each in (spoiling, lambda values: values > 90)
    )
    assert one.steps == other.steps
    np.testing.assert_array_equal(one.example, other.example)


def test_standing_out_is_measured_on_the_image_itself():
    values = np.random.default_rng(0).normal(50, 2, (64, 64))
    values[10, 20] = 50 + 2 * 4.6
    assert StandingOut(4.5).objects(values) == pytest.approx(np.array([[10, 20]]))
    assert len(StandingOut(4.5).objects(np.full((8, 8), 3.0))) == 0


def test_the_same_call_gives_the_same_and_another_seed_another_result():
    recipe = nd.Recipe(num_steps=2, starting_noise_scale=3.0, final_filter=HEAT)
    one, same, other = (
        nd.analysis.null_test(white(0), recipe, count=2, seed=seed) for seed in (1, 1, 2)
    )
    assert one.steps == same.steps
    assert [step.index for step in one.steps] == [-1, 0, 1, 2]
    assert one.step == 2
    np.testing.assert_array_equal(one.example, same.example)
    assert one.steps != other.steps


def test_blanks_differ_in_the_noise_of_the_recipe_too():
    recipe = nd.Recipe(num_steps=1, starting_noise_scale=50.0, diffusion_filter=HEAT)
    seen = []
    nd.analysis.null_test(
        white(0), recipe, noise_sigma=1e-3, count=2, detector=lambda v: seen.append(v) or v[:0]
    )
    first, second = seen[1], seen[3]
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.1


def test_colours_volumes_and_masks():
    rng = np.random.default_rng(0)
    colours = rng.normal((40, 80, 120), 10, (64, 64, 3)).astype(np.float32)
    found = nd.analysis.null_test(colours, HEAT, rgb=True, count=2)
    assert found.levels == pytest.approx((40, 80, 120), abs=2)
    assert found.example.shape == colours.shape
    assert found.maps()[0].values.shape == (64, 64)
    assert found.steps[0].area == pytest.approx(2 * 3 * 64**2 / 1e6)

    volume = rng.normal(50, 5, (12, 40, 40)).astype(np.float32)
    found = nd.analysis.null_test(volume, HEAT, count=2)
    assert found.unit == "megavoxel"
    assert found.steps[0].sd == pytest.approx(5, rel=0.1)

    mask = np.zeros((128, 128), bool)
    mask[:, :80] = True
    found = nd.analysis.null_test(white(0), HEAT, mask=mask, count=2)
    assert found.steps[0].area == pytest.approx(2 * mask.sum() / 1e6)
    part = nd.analysis.null_test(white(0), HEAT, region=(slice(0, 50), slice(0, 60)), count=2)
    assert part.example.shape == part.shape == (50, 60)


def test_an_image_without_noise_is_said_to_have_none():
    found = nd.analysis.null_test(np.full((64, 64), 7.0), HEAT, noise_sigma=0.0, count=1)
    assert found.sentences()[-1].startswith("No noise was found")
    assert found.steps[-1].sd == found.steps[-1].false_objects == 0
    json.dumps(found.to_dict(), allow_nan=False)


def test_there_are_enough_blanks_for_a_million_pixels():
    calls = []
    found = nd.analysis.null_test(
        white(0, 256), nd.filters.Gaussian(1.0), progress=lambda *each: calls.append(each)
    )
    assert found.count == 16
    assert calls == [(k + 1, 16) for k in range(16)]
    large = nd.analysis.null_test(white(0, 640), nd.filters.Gaussian(1.0))
    assert large.count == 3


def test_it_stops():
    stop = threading.Event()
    with pytest.raises(nd.Stopped):
        nd.analysis.null_test(white(0), HEAT, progress=lambda *_: stop.set(), stop=stop)


def test_it_is_shown_as_text_a_table_and_a_map():
    found = nd.analysis.null_test(white(0), HEAT, count=2)
    assert "false objects per megapixel were found after step 0" in found.sentences()[0]
    (table,) = found.tables()
    assert [row[0] for row in table.rows] == [-1, 0]
    assert all(len(row) == len(table.columns) for row in table.rows)
    (shown,) = found.maps()
    np.testing.assert_array_equal(shown.values, found.example)
    assert shown.limits[1] - shown.limits[0] == pytest.approx(8 * found.steps[-1].sd)
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["blanks"] == 2
    assert "2 blanks of 128 × 128 pixels" in found.limits()[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"count": 0}, "count must be 1 or more"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"count": 2.5}, "count must be a whole number"),
        ({"detector": 3}, "A detector must be a Detector or a function"),
    ],
)
def test_wrong_options_are_refused(options, words):
    with pytest.raises((ValueError, TypeError), match=words):
        nd.analysis.null_test(white(0), HEAT, **options)
