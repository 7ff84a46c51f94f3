"""Intervals for a repeat and for the noise-free value, beside repeats and ground truth."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage import data

import napari_diffusion as nd
from napari_diffusion.analysis import prediction_interval
from napari_diffusion.analysis.intervals.conformal import calibration, measured_coverage
from napari_diffusion.analysis.intervals.factor import FACTORS, factor_of
from napari_diffusion.analysis.intervals.local_square import RUNS, local_square
from napari_diffusion.analysis.study import Study

SIGMA = 0.08
PERONA_MALIK = nd.Recipe(
    num_steps=6,
    noise=None,
    diffusion_filter=nd.filters.PeronaMalik(contrast="auto", smoothing=0.7, time=0.5),
)
HEAT = nd.filters.Heat(time=1.0)


def scene(name="camera", size=160):
    """Return a part of a photograph from 0 to 1."""
    return getattr(data, name)()[100 : 100 + size, 100 : 100 + size] / 255.0


def noisy(clean, seed=0, sigma=SIGMA):
    return (clean + sigma * np.random.default_rng(seed).normal(size=clean.shape)).astype(np.float32)


def held(found, values):
    """Return the share of values between the two ends."""
    return float(np.mean((values >= found.low) & (values <= found.high)))


@pytest.mark.parametrize("coverage", [0.68, 0.9, 0.95])
def test_a_third_acquisition_lies_in_the_interval_for_a_repeat(coverage):
    clean = scene()
    found = prediction_interval(
        noisy(clean, 1), PERONA_MALIK, second=noisy(clean, 2), coverage=coverage
    )
    third = held(found, noisy(clean, 3))
    assert abs(third - coverage) < 0.015
    assert abs(found.coverage_measured - coverage) < 0.015
    low, high = found.coverage_interval
    assert low - 0.005 < third < high + 0.005
    # The noise-free values have no noise, so that many more of them are inside.
    assert held(found, clean) > coverage + 0.03


def test_the_noise_free_values_lie_in_their_interval_on_average():
    """On four of the images and two of the recipes that the factor was chosen with."""
    shares = []
    for name in ("camera", "coins", "moon", "brick"):
        clean = scene(name)
        for recipe in (PERONA_MALIK, HEAT):
            found = prediction_interval(
                noisy(clean, 5), recipe, of="noise-free", reference=clean, noise_sigma=SIGMA
            )
            shares.append(held(found, clean))
            assert found.coverage_measured == pytest.approx(shares[-1], abs=1e-3)
            # A repeat is noisier than the interval is wide.
            assert held(found, noisy(clean, 6)) < 0.7
    assert 0.87 < np.mean(shares) < 0.93
    assert 0.75 < min(shares) <= max(shares) < 0.98


def test_without_ground_truth_no_coverage_is_shown():
    image = noisy(scene())
    found = prediction_interval(image, HEAT, of="noise-free", noise_sigma=SIGMA)
    assert found.coverage_measured is found.coverage_interval is found.constant_coverage is None
    assert any("No coverage is shown" in each for each in found.sentences())
    assert "not a conformal interval" in " ".join(found.limits())
    with pytest.raises(ValueError, match="cannot show the coverage of the noise-free value"):
        prediction_interval(image, HEAT, of="noise-free", second=noisy(scene(), 1))


def test_without_a_repeat_an_interval_for_one_is_refused_with_the_cure():
    with pytest.raises(ValueError, match=r"give second=….*halves='frames'.*of='noise-free'"):
        prediction_interval(noisy(scene()), HEAT)


def test_the_local_error_is_near_the_true_one():
    """The mean square within 12 %, the root around a pixel within 0.12 σ, on average."""
    clean = scene()
    study = Study.of(noisy(clean, 3), PERONA_MALIK, {}, noise_sigma=SIGMA)
    result = study.result(study.image.data)
    runs = []
    found = local_square(study, result, 0, lambda: runs.append(1)).around[0, 0, 0]
    error = np.square(result[0, 0, 0] - clean)
    assert len(runs) == RUNS
    assert found.mean() == pytest.approx(error.mean(), rel=0.12)
    true = np.sqrt(gaussian_filter(error, 5.0))
    assert np.abs(np.sqrt(found) - true).mean() < 0.12 * SIGMA
    # Better than one number for all pixels.
    assert np.abs(np.sqrt(found) - true).mean() < 0.6 * np.abs(np.sqrt(error.mean()) - true).mean()


def test_it_is_wider_where_structure_was_removed():
    """Flat on the left, stripes of the finest kind on the right, smoothed away by heat."""
    clean = np.zeros((96, 192))
    clean[:, 96:] = 0.5 * (np.arange(96) % 2)
    found = prediction_interval(noisy(clean), HEAT, of="noise-free", noise_sigma=SIGMA)
    left, right = found.half_width[:, :80].mean(), found.half_width[:, 112:].mean()
    assert right > 4 * left
    assert right > 0.25  # the stripes are this far from their mean
    assert left < 0.7 * found.constant_width / 2 < right


def test_photon_noise_makes_it_wider_in_bright_parts():
    light = np.repeat(np.linspace(5.0, 200.0, 160)[None], 160, 0)
    first, second = (np.random.default_rng(k).poisson(light).astype(np.float32) for k in (0, 1))
    found = prediction_interval(first, HEAT, second=second)
    assert found.half_width[:, -20:].mean() > 2.5 * found.half_width[:, :20].mean()
    dark, bright = (second[:, part] for part in (slice(0, 40), slice(-40, None)))
    for part, values in ((slice(0, 40), dark), (slice(-40, None), bright)):
        inside = (values >= found.low[:, part]) & (values <= found.high[:, part])
        assert 0.85 < inside.mean() < 0.95
    free = prediction_interval(first, HEAT, of="noise-free", reference=light)
    assert 0.8 < free.coverage_measured < 0.97
    assert free.half_width[:, -20:].mean() > 2 * free.half_width[:, :20].mean()


def test_correlated_noise_has_no_interval_for_the_noise_free_value():
    rng = np.random.default_rng(4)
    first, second = (
        (3 * gaussian_filter(rng.normal(size=(160, 160)), 1.0)).astype(np.float32) for _ in "12"
    )
    with pytest.raises(ValueError, match=r"noise is correlated.*noise_sigma=… and white=True"):
        prediction_interval(first, HEAT, of="noise-free")
    found = prediction_interval(first, HEAT, second=second)
    assert abs(found.coverage_measured - 0.9) < 0.03


def test_outside_of_the_mask_is_no_interval():
    clean, mask = scene(), np.zeros((160, 160), bool)
    mask[20:140, 30:150] = True
    image = noisy(clean)
    found = prediction_interval(
        image, HEAT, of="noise-free", noise_sigma=SIGMA, mask=mask, reference=clean
    )
    assert not found.half_width[~mask].any()
    np.testing.assert_array_equal(found.low[~mask], image[~mask])
    np.testing.assert_array_equal(found.high[~mask], image[~mask])
    width = (found.high - found.low)[mask].mean()
    assert found.mean_width == pytest.approx(width, rel=1e-4)
    inside = (clean >= found.low) & (clean <= found.high)
    assert found.coverage_measured == pytest.approx(inside[mask].mean(), abs=1e-3)
    repeat = prediction_interval(image, HEAT, second=noisy(clean, 1), mask=mask)
    assert 0.85 < repeat.coverage_measured < 0.95
    region = (slice(0, 10), slice(0, 10))
    with pytest.raises(ValueError, match="mask excludes all pixels of the studied part"):
        prediction_interval(image, HEAT, of="noise-free", mask=mask, region=region)


def test_colours_have_ends_of_their_own_and_one_map():
    clean = data.astronaut()[40:168, 150:278] / 255.0
    options = {"axes": "yxc", "rgb": True}
    found = prediction_interval(
        noisy(clean), HEAT, of="noise-free", reference=clean, noise_sigma=SIGMA, **options
    )
    assert found.low.shape == found.high.shape == (128, 128, 3)
    assert found.half_width.shape == (128, 128)
    assert [each.values.shape for each in found.maps()] == [(128, 128)]
    assert 0.8 < found.coverage_measured < 0.97
    channels = prediction_interval(
        np.moveaxis(noisy(clean), -1, 0), HEAT, second=np.moveaxis(noisy(clean, 1), -1, 0),
        axes="cyx",
    )  # fmt: skip
    assert channels.half_width.shape == channels.low.shape == (3, 128, 128)
    assert 0.87 < channels.coverage_measured < 0.93


def test_volumes():
    clean = nd.samples.scene((1.0, 1.0, 1.0))[:24, 10:58, 14:62]
    found = prediction_interval(
        noisy(clean), HEAT, of="noise-free", reference=clean, noise_sigma=SIGMA, axes="zyx"
    )
    assert found.half_width.shape == clean.shape
    assert 0.8 < found.coverage_measured < 0.985
    assert [each.name for each in found.maps()] == [
        "half width of the interval",
        "low end of the interval",
        "high end of the interval",
    ]


def test_the_frames_of_a_resting_scene_repeat_each_other():
    clean = scene("coins", 96)
    movie = np.stack([noisy(clean, k) for k in range(7)])
    found = prediction_interval(movie, HEAT, halves="frames", axes="tyx", along="yx")
    assert found.low.shape == (7, 96, 96)
    assert abs(found.coverage_measured - 0.9) < 0.02
    assert abs(held(found, np.roll(movie, 1, axis=0)) - 0.9) < 0.02
    middle = (found.low + found.high) / 2
    np.testing.assert_allclose(middle[4], HEAT(movie[4]), atol=1e-5)
    part = (slice(3, 6), slice(10, 80), slice(0, 90))
    some = prediction_interval(movie, HEAT, halves="frames", axes="tyx", along="yx", region=part)
    assert some.low.shape == (3, 70, 90)
    assert abs(some.coverage_measured - 0.9) < 0.04


def test_each_pair_of_frames_has_the_width_of_its_own_scene():
    """Flat in frames 0 and 1; stripes that heat removes in frames 2 and 3."""
    clean = np.zeros((4, 96, 96))
    clean[2:] = np.arange(96) % 2
    movie = np.stack([noisy(each, k) for k, each in enumerate(clean)])
    found = prediction_interval(movie, HEAT, halves="frames", axes="tyx", along="yx",
                                noise_sigma=SIGMA, white=True)  # fmt: skip
    widths = found.half_width.mean(axis=(1, 2))
    assert max(widths[:2]) < 0.4 * min(widths[2:])


def test_a_step_and_a_region_are_those_of_the_run():
    image = noisy(scene())
    part = (slice(20, 120), slice(30, 150))
    found = prediction_interval(
        image, PERONA_MALIK, of="noise-free", noise_sigma=SIGMA, step=2, region=part
    )
    made = list(nd.steps(image, PERONA_MALIK))[2].image
    assert found.step == 2
    np.testing.assert_allclose((found.low + found.high) / 2, made[part], atol=1e-5)


def test_a_map_of_the_noise_is_taken_as_it_is():
    """Four times as much noise on the right; the image is an `Image`, of whole numbers."""
    clean = 1000 * scene()
    sigma = np.where(np.arange(160) < 80, 20.0, 80.0) + np.zeros((160, 1))
    image = np.round(noisy(clean, 1, sigma)).astype(np.int32)
    found = prediction_interval(
        nd.core.Image.of(image),
        HEAT,
        of="noise-free",
        noise_sigma=sigma,
        reference=clean,
        white=True,
    )
    left, right = (found.half_width[:, part].mean() for part in (slice(0, 70), slice(90, None)))
    assert right > 1.5 * left
    assert 0.85 < found.coverage_measured < 0.95


def test_where_there_is_no_noise_widths_are_numbers_all_the_same():
    clean = np.stack([scene(size=96)] * 2)
    sigmas = (0.0, SIGMA)
    image = clean.astype(np.float32)
    image[1] = noisy(clean[1])
    found = prediction_interval(
        image, HEAT, of="noise-free", noise_sigma=sigmas, white=True, axes="cyx"
    )
    assert np.isfinite(found.half_width).all()
    assert found.half_width[1].min() > 0
    part = np.where(np.arange(96) < 48, 0.0, SIGMA) + np.zeros((96, 1))
    found = prediction_interval(
        noisy(clean[0], 0, part), HEAT, of="noise-free", noise_sigma=part, white=True
    )
    assert np.isfinite(found.half_width).all()
    assert found.half_width[:, 60:].min() > 0


def test_the_same_call_gives_the_same_result_and_a_seed_another():
    image = noisy(scene("coins", 96))

    def call(**options):
        return prediction_interval(image, HEAT, of="noise-free", noise_sigma=SIGMA, **options)

    np.testing.assert_array_equal(call().half_width, call().half_width)
    assert np.any(call().half_width != call(seed=1).half_width)


def test_progress_is_told_and_stopping_works():
    image, told = noisy(scene("coins", 96)), []

    def call(**options):
        return prediction_interval(
            image, HEAT, progress=lambda *each: told.append(each), noise_sigma=SIGMA, **options
        )

    call(of="noise-free")
    assert told == [(k + 1, 1 + RUNS) for k in range(1 + RUNS)]
    told.clear()
    movie = np.stack([image, noisy(scene("coins", 96), 1)])
    prediction_interval(movie, HEAT, halves="frames", axes="tyx", along="yx", noise_sigma=SIGMA,
                        progress=lambda *each: told.append(each))  # fmt: skip
    assert told == [(k + 1, 2 + RUNS) for k in range(2 + RUNS)]
    stop = threading.Event()
    stop.set()
    with pytest.raises(nd.Stopped):
        call(of="noise-free", stop=stop)


def test_what_was_found_is_said_and_listed():
    clean = scene()
    found = prediction_interval(noisy(clean), PERONA_MALIK, second=noisy(clean, 1))
    said = " ".join(found.sentences())
    assert "repeat acquisition, noise included" in said
    assert "constant interval" in said
    assert f"{found.coverage_measured:.1%}" in said
    (table,) = found.tables()
    numbers = dict(table.rows)
    assert numbers["mean width (intensity)"] == found.mean_width
    assert numbers["width of the constant interval (intensity)"] == found.constant_width
    plain = found.to_dict()
    assert plain["of"] == "repeat"
    assert plain["coverage_measured"] == found.coverage_measured
    blocks = found.blocks
    assert blocks == (13, 12)  # 32² pixels each, of 160²


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"of": "both"}, "of must be 'repeat' or 'noise-free'"),
        ({"coverage": 1.0}, r"coverage must be 0.5 to 0.99 \(got 1.0\)"),
        ({"step": -1}, "step must be 0 or more"),
        ({"second": np.zeros((4, 4))}, "must have the image's shape"),
        ({"second": noisy(scene()), "reference": scene()}, "alone: leave it out"),
        ({"second": noisy(scene())}, "no independent acquisition"),
        ({"halves": "frames"}, "needs 2 frames or more"),
        ({"of": "noise-free", "noise_sigma": 0.0}, "No noise was found"),
        (
            {"second": noisy(scene(), 1), "region": (slice(0, 12), slice(0, 12))},
            "too few pixels to calibrate",
        ),
    ],
)
def test_what_cannot_be_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        prediction_interval(noisy(scene()), HEAT, **options)


def test_the_quantile_is_the_conformal_one_of_one_half_alone():
    """The scores of the calibrating blocks are 1 … n; those of the others are 10 times as large."""
    errors = np.ones((1, 1, 1, 64, 64))
    y, x = np.indices((64, 64)) // 16
    odd = (y + x) % 2 == 1
    count = int((~odd).sum())
    errors[0, 0, 0][~odd] = np.random.default_rng(0).permutation(count) + 1.0
    errors[0, 0, 0][odd] = 10.0 * (np.arange(count) + 1.0)
    inside = np.ones(errors.shape, bool)
    found = calibration(errors, 2.0 * np.ones_like(errors), inside, (3, 4), 0.9)
    rank = np.ceil((count + 1) * 0.9)
    assert found.factor == rank / 2
    assert found.constant == rank
    assert found.coverage == pytest.approx(0.09, abs=0.001)
    assert found.blocks == (8, 8)


def test_the_interval_of_a_coverage_allows_for_blocks_that_differ():
    shape = (1, 1, 1, 128, 128)
    inside = np.ones(shape, bool)
    alike = np.random.default_rng(0).random(shape) < 0.9
    blocks = np.kron(np.arange(16).reshape(4, 4) % 10 != 0, np.ones((32, 32), bool))
    share, (low, high) = measured_coverage(alike, inside, (3, 4))
    assert low < share < high
    assert high - low < 0.02
    _, (low, high) = measured_coverage(blocks.reshape(shape), inside, (3, 4))
    assert high - low > 0.1


def test_factors_grow_with_the_coverage():
    assert [each.coverage for each in FACTORS] == sorted(each.coverage for each in FACTORS)
    tried = [factor_of(coverage) for coverage in np.linspace(0.5, 0.99, 50)]
    for name in ("local", "constant"):
        assert (np.diff([getattr(each, name) for each in tried]) > 0).all()
