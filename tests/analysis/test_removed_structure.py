"""The test of a residual: quiet where noise alone was removed, an alarm where structure was."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.analysis import removed_structure
from napari_diffusion.analysis.residual.local_statistics import Removal, white_gain
from napari_diffusion.analysis.residual.null_runs import centred
from napari_diffusion.analysis.residual.score import spread_factor
from napari_diffusion.analysis.residual.windows import Windows
from napari_diffusion.engine.threads import Stopped

SIDE = 96
HEAT = nd.filters.Heat(time=2.0)


def noise(seed, shape=(SIDE, SIDE)):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def low_frequencies(image):
    """Project on the frequencies up to 0.12 cycles per pixel."""
    distance = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, image.shape), indexing="ij"))
    return np.fft.ifft2(np.fft.fft2(image) * (distance <= 0.12)).real


def blank(image):
    return np.zeros_like(image)


def half_striped(seed=0, side=SIDE):
    """Noise of deviation 1, with fine stripes on the right."""
    image = noise(seed, (side, side))
    image[:, side // 2 :] += 2 * np.sin(np.arange(side))[:, None]
    return image


@pytest.mark.parametrize("kind", ["gaussian", "photon"])
def test_no_alarm_where_the_result_is_the_ground_truth(kind):
    """Scenes without high frequencies, of which the filter removes the high frequencies."""
    alarms = 0
    for seed in range(8):
        scene = low_frequencies(noise(100 + seed))
        scene = 60 + 25 * scene / scene.std()
        rng = np.random.default_rng(seed)
        if kind == "photon":
            image = rng.poisson(np.maximum(scene, 1)).astype(np.float32)
        else:
            image = (scene + 8 * rng.normal(size=scene.shape)).astype(np.float32)
        found = removed_structure(image, nd.filters.Custom(low_frequencies), seed=seed)
        alarms += found.removed
        assert found.statistic < 8
    assert alarms <= 1


@pytest.mark.parametrize(
    "diffusion_filter",
    [
        nd.filters.PeronaMalik(contrast=0.7, time=0.5),
        nd.filters.Heat(time=0.25),
        nd.filters.Median(),
    ],
    ids=["Perona-Malik", "heat", "median"],
)
def test_noise_left_in_the_result_is_no_structure(diffusion_filter):
    """In null runs there is twice the noise then."""
    for seed in range(3):
        found = removed_structure(noise(seed), diffusion_filter, noise_sigma=1.0, seed=seed)
        assert not found.removed
        assert found.mean_degrees_of_freedom > 0.1


def test_structure_is_found_where_it_was_removed():
    found = removed_structure(half_striped(side=128), HEAT, noise_sigma=1.0)
    assert found.removed
    assert found.statistic > 3 * found.threshold
    assert not found.where[:, :40].any()
    assert found.where[:, 80:].all()
    assert found.peak[1] >= 64
    assert found.where.mean() == pytest.approx(found.share)
    assert "at one false alarm in 20 images" in found.sentences()[0]
    assert found.removed_deviation[:, 90:].min() > found.removed_deviation[:, :40].max()


def test_a_loss_that_the_recipe_repeats_on_its_own_result_is_found():
    """A filter that halves all detail does so again to what is left of it."""

    def halved(image):
        return image - 0.5 * (image - low_frequencies(image))

    found = removed_structure(half_striped(), nd.filters.Custom(halved), noise_sigma=1.0)
    assert found.removed
    assert found.peak[1] >= SIDE // 2
    # Half of stripes of amplitude 2 were removed; noise in the result hides a part of them.
    assert 0.4 < found.detail_at_peak < np.sqrt(0.5) + 0.05
    assert found.removed_detail[:, : SIDE // 2 - 20].max() < 0.1


def test_a_removed_spot_gives_an_alarm_at_the_stated_contrast():
    y, x = np.indices((SIDE, SIDE)) - SIDE // 2
    spot = np.exp(-(y**2 + x**2) / 2).astype(np.float32)
    alarms = {0.4: 0, 1.6: 0}
    for seed in range(3):
        quiet = removed_structure(noise(seed), nd.filters.Custom(blank), noise_sigma=1.0, seed=seed)
        contrast = dict(quiet.seen)[1.0]
        for factor in alarms:
            image = noise(seed) + factor * contrast * spot
            found = removed_structure(image, nd.filters.Custom(blank), noise_sigma=1.0, seed=seed)
            alarms[factor] += found.removed
    assert alarms == {0.4: 0, 1.6: 3}


def test_degrees_of_freedom_are_those_of_the_kernel():
    """A linear filter keeps the weight of a pixel in its own mean."""
    pulse = np.zeros((65, 65), np.float32)
    pulse[32, 32] = 1
    kernel = list(nd.steps(pulse, nd.Recipe(num_steps=1, noise=None, diffusion_filter=HEAT)))
    found = removed_structure(noise(3), HEAT, noise_sigma=1.0, nulls=4)
    assert found.mean_degrees_of_freedom == pytest.approx(kernel[0].image[32, 32], abs=0.01)
    assert found.residual_deviation == pytest.approx(1.0, abs=0.05)


def test_nothing_removed_is_no_structure():
    same = removed_structure(noise(0), nd.filters.Heat(time=0.0), noise_sigma=1.0, nulls=4)
    assert not same.removed
    assert same.residual_deviation == 0
    assert same.mean_degrees_of_freedom == pytest.approx(1.0, abs=1e-3)


def test_a_recipe_that_adds_noise_has_other_noise_in_every_null_run():
    recipe = nd.Recipe(num_steps=2, starting_noise_scale=1.0, diffusion_filter=HEAT)
    assert not removed_structure(noise(1), recipe, noise_sigma=1.0).removed


def test_it_takes_at_most_twelve_runs_and_tells_of_each():
    seen = []
    removed_structure(noise(0, (32, 32)), HEAT, progress=lambda *now: seen.append(now))
    assert seen == [(k, 12) for k in range(1, 13)]


def test_the_same_call_gives_the_same_result():
    first, again, other = (
        removed_structure(noise(0, (48, 48)), HEAT, nulls=5, seed=seed) for seed in (1, 1, 2)
    )
    assert first.to_dict() == again.to_dict()
    assert np.array_equal(first.alarm, again.alarm)
    assert first.null_maxima != other.null_maxima


def test_volumes_colours_and_frames():
    volume = noise(0, (16, 32, 32))
    volume[5:11, 10:20, 10:20] += 6 * np.indices((6, 10, 10)).sum(axis=0) % 2 * 2 - 6
    found = removed_structure(volume, HEAT, noise_sigma=1.0, nulls=5)
    assert (found.alarm.shape, found.tile, found.removed) == ((16, 32, 32), 10, True)
    assert all(4 <= place < 21 for place in found.peak)
    colours = np.stack([10 * half_striped(side=64), half_striped(1, 64), noise(2, (64, 64))], -1)
    options = {"axes": "yxc", "rgb": True, "noise_sigma": (10.0, 1.0, 1.0)}
    found = removed_structure(colours.astype(np.float64), HEAT, nulls=5, **options)
    assert (found.alarm.shape, found.alarm.dtype, found.removed) == ((64, 64), np.float64, True)
    assert found.peak[1] > 24
    frames = np.stack([noise(0, (64, 64)), half_striped(1, 64)])
    found = removed_structure(frames, HEAT, axes="tyx", noise_sigma=1.0, nulls=5)
    assert (found.alarm.shape, found.removed, found.peak[0]) == ((2, 64, 64), True, 1)
    assert not found.where[0].any()


def test_a_mask_and_a_region():
    image, mask = half_striped(), np.zeros((SIDE, SIDE), bool)
    mask[8:, : SIDE // 2 - 4] = True
    found = removed_structure(image, HEAT, noise_sigma=1.0, mask=mask)
    assert not found.removed
    assert not found.alarm[~mask].any()
    assert found.residual_deviation == pytest.approx(1.0, abs=0.1)
    region = slice(16, 80), slice(40, 90)
    found = removed_structure(image, HEAT, noise_sigma=1.0, region=region, nulls=5)
    assert (found.alarm.shape, found.removed) == ((64, 50), True)
    assert found.peak[1] >= SIDE // 2
    with pytest.raises(ValueError, match="mask excludes all"):
        removed_structure(image, HEAT, mask=mask, region=(slice(0, 8), slice(0, 8)))


def test_noise_that_does_not_fit_is_said_first():
    smooth = nd.steps(noise(0), nd.Recipe(num_steps=1, noise=None, diffusion_filter=HEAT))
    correlated = next(iter(smooth)).image
    for image, options in (
        (noise(0), {"noise_sigma": 3.0}),
        (correlated, {"noise_sigma": float(correlated.std())}),
    ):
        found = removed_structure(image, HEAT, nulls=4, **options)
        assert not found.noise_fit.fits
        assert found.sentences()[0].startswith("This test is unreliable here")
    assert removed_structure(noise(0), HEAT, nulls=4).noise_fit.fits


def test_what_it_returns_can_be_shown_and_stored():
    found = removed_structure(half_striped(), HEAT, noise_sigma=1.0, nulls=5)
    json.dumps(found.to_dict(), allow_nan=False)
    assert [each.values.shape for each in found.maps()] == [(SIDE, SIDE)] * 6
    assert all(np.isfinite(each.values).all() for each in found.maps())
    (table,) = found.tables()
    assert all(len(row) == 2 for row in table.rows)
    assert any("Weak structure may be removed" in each or "No alarm is no proof" in each
               for each in found.limits())  # fmt: skip
    assert not any("safe" in each for each in (*found.sentences(), *found.limits()))


def test_it_stops_and_refuses():
    stop = threading.Event()
    with pytest.raises(Stopped):
        removed_structure(noise(0), HEAT, stop=stop, progress=lambda done, total: stop.set())
    for options, match in (
        ({"noise_sigma": 0}, "No noise"),
        ({"false_alarm_rate": 0}, "0.001 to 0.5"),
        ({"tile": 2}, "tile must be 3"),
        ({"nulls": 3}, "nulls must be 4"),
        ({"seed": -1}, "seed must be 0"),
    ):
        with pytest.raises(ValueError, match=match):
            removed_structure(noise(0, (16, 16)), HEAT, **options)
    with pytest.raises(TypeError, match="whole number"):
        removed_structure(noise(0, (16, 16)), HEAT, tile=8.5)


@pytest.mark.parametrize("runs", [5, 10, 40])
def test_the_threshold_is_exceeded_at_the_stated_rate(runs):
    drawn = np.random.default_rng(1).gumbel(3.0, 0.4, size=(40_000, runs + 1))
    known = drawn[:, 1:]
    threshold = known.mean(axis=1) + spread_factor(runs, 0.05) * known.std(axis=1, ddof=1)
    assert np.mean(drawn[:, 0] > threshold) == pytest.approx(0.05, abs=0.004)


def test_null_residuals_lose_what_they_share_and_keep_their_spread():
    made = np.stack([noise(k) for k in range(10)]) + half_striped()
    left = centred(made)
    assert np.abs(left.mean(axis=0)).max() < 1e-5
    assert left.std() == pytest.approx(1.0, abs=0.01)


def test_windows_of_white_noise():
    """Gain of a Gaussian, correlation of neighbours, and windows at the border."""
    windows = Windows(16, (3, 4), None, False)
    white = noise(5, (1, 1, 1, 512, 512))
    removal = Removal(white, white, windows)
    smooth = windows.smooth(white, 4.0)
    assert smooth.var() == pytest.approx(white_gain(2.0, 2), rel=0.03)
    assert removal.smoothed_energy(2.0).mean() == pytest.approx(1.0, abs=0.05)
    assert abs(removal.beside(4).mean()) < 0.01
    means = windows.mean(noise(6, (1, 400, 1, 48, 64)))
    found, expected = means.var(axis=1)[0, 0], windows.unevenness(means.shape)[0, 0, 0]
    assert expected[0, 0] > 3 * expected[24, 32]
    assert np.allclose(found / expected, 1.0, atol=0.45)
    assert found.sum() == pytest.approx(expected.sum(), rel=0.05)
