"""What a recipe leaves of added objects, beside exact answers and beside ground truth."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage import data

import napari_diffusion as nd
from napari_diffusion.analysis import feature_survival
from napari_diffusion.analysis.study import Study
from napari_diffusion.analysis.survival.measurement import Measurement
from napari_diffusion.analysis.survival.null_runs import noise_left
from napari_diffusion.analysis.survival.objects import Edge, Line, Spot
from napari_diffusion.analysis.survival.plan import SurvivalPlan

HEAT = nd.filters.Heat(time=1.0)
NOTHING = nd.filters.Heat(time=1e-9)


def noise(*shape, sigma=10.0, level=100.0, seed=0):
    return np.random.default_rng(seed).normal(level, sigma, shape)


def kept_of(cells, kind="spot"):
    return {(cell.size, cell.contrast): cell.kept for cell in cells if cell.kind == kind}


def naive_spot(shape, radius):
    """Return a spot in the middle, made without the code under test."""
    grids = np.meshgrid(*[np.arange(n) - n // 2 for n in shape], indexing="ij")
    return np.exp(-sum(g**2 for g in grids) / (2 * radius**2))


@pytest.mark.parametrize(
    "linear", [HEAT, nd.filters.Gaussian(sigma=1.2), nd.filters.Heat(time=4.0)]
)
def test_linear_filters_leave_exactly_what_they_leave_of_the_object_alone(linear):
    found = feature_survival(noise(192, 192), linear, sizes=[1.5, 3.0], contrasts=[1.0, 4.0])
    for (size, _), kept in kept_of(found.cells).items():
        spot = naive_spot((65, 65), size)
        near = (slice(12, -12),) * 2
        exact = (linear(spot) * spot)[near].sum() / (spot**2)[near].sum()
        assert kept == pytest.approx(exact, abs=1e-3)


def test_gaussians_become_as_much_lower_and_wider_as_the_formula_says():
    """Of ``exp(−d²/2r²)`` a Gaussian of s leaves ``2r²/(2r² + s²)``, and √(1 + s²/r²) the width."""
    s = 1.5
    found = feature_survival(
        noise(192, 192), nd.filters.Gaussian(sigma=s), sizes=[1.5, 3.0], contrasts=[2.0]
    )
    for cell in found.cells:
        square = cell.size**2
        assert cell.kept == pytest.approx(2 * square / (2 * square + s**2), abs=3e-3)
        assert cell.widening == pytest.approx(math.sqrt(1 + s**2 / square), rel=0.03)


def test_in_volumes_and_in_planes_of_volumes():
    """Each axis of a Gaussian of s contributes a factor ``√(2r²/(2r² + s²))``."""
    image, blur = noise(16, 64, 64), nd.filters.Gaussian(sigma=1.5)
    factor = math.sqrt(2 * 1.5**2 / (2 * 1.5**2 + 1.5**2))
    solid = feature_survival(image, blur, sizes=[1.5], contrasts=[4.0])
    planes = feature_survival(image, blur, along="yx", sizes=[1.5], contrasts=[4.0])
    video = feature_survival(image, blur, axes="tyx", sizes=[1.5], contrasts=[4.0])
    assert solid.cells[0].kept == pytest.approx(factor**3, abs=5e-3)
    assert planes.cells[0].kept == video.cells[0].kept == pytest.approx(factor**2, abs=5e-3)
    assert any("in one plane and one frame" in text for text in planes.limits())


def test_objects_that_move_are_shifted():
    shifted = nd.filters.Custom(lambda u: np.roll(u, 1, axis=-1), reach=1)
    found = feature_survival(noise(192, 192), shifted, sizes=[3.0], contrasts=[8.0])
    still = feature_survival(noise(192, 192), HEAT, sizes=[3.0], contrasts=[8.0])
    assert found.cells[0].shift == pytest.approx(1.0, abs=0.05)
    assert still.cells[0].shift < 0.01


def test_without_a_filter_spots_are_found_as_simulated():
    """Limits of the detector alone, from 3000 spots in noise and 12 megapixels of it."""
    found = feature_survival(noise(320, 320), NOTHING, noise_sigma=10.0)
    half = {limit.size: limit for limit in found.limits_of_detection if limit.share == 0.5}
    most = {limit.size: limit for limit in found.limits_of_detection if limit.share == 0.95}
    for size, (middle, high) in {0.7: (5.68, 8.0), 1.5: (2.15, 3.03), 3.0: (0.99, 1.44)}.items():
        assert half[size].contrast == pytest.approx(middle, rel=0.12)
        assert most[size].contrast == pytest.approx(high, rel=0.2)
    for after, before in zip(found.limits_of_detection, found.limits_in_source, strict=True):
        assert before.contrast == pytest.approx(after.contrast, rel=0.25)


def test_what_erases_everything_loses_everything():
    flat = nd.filters.Custom(lambda u: np.full_like(u, 100.0))
    found = feature_survival(noise(128, 128), flat, sizes=[1.5])
    assert all(cell.lost == 1.0 and cell.kept == pytest.approx(0, abs=0.01) for cell in found.cells)
    assert [limit.text for limit in found.limits_of_detection] == [">12", ">12"]
    assert found.limits_of_detection[0].contrast is None
    assert math.isnan(found.cells[0].widening)
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize("recipe", [nd.filters.PeronaMalik(time=2.0), nd.filters.TotalVariation()])
def test_what_is_predicted_is_what_is_measured_with_ground_truth(recipe):
    """Put into the clean image before fresh noise, at other places; found among its own noise."""
    clean = data.camera()[100:324, 60:284].astype(np.float32)
    image = (clean + noise(224, 224, sigma=15.0, level=0.0)).astype(np.float32)
    found = feature_survival(image, recipe, sizes=[1.5, 3.0], noise_sigma=15.0)
    plan = SurvivalPlan.of(
        Study.of(image, recipe, {}, noise_sigma=15.0), [Spot(1.5), Spot(3.0)],
        sorted({cell.contrast for cell in found.cells}), seed=77,
    )  # fmt: skip
    fresh = [
        (clean + noise(224, 224, sigma=15.0, level=0.0, seed=100 + k)).astype(np.float32)[
            None, None, None
        ]
        for k in range(8)
    ]
    without = [plan.study.result(values) for values in fresh]

    def difference(run):
        return plan.study.result(plan.changed(fresh[run % 8], run)) - without[run % 8]

    real = Measurement.of(plan, noise_left(plan.study, without), 10.0, difference)
    told, seen = kept_of(found.cells), kept_of(real.cells())
    assert np.median([abs(told[key] - seen[key]) for key in seen]) <= 0.03
    for one, other in zip(found.limits_of_detection, real.limits(), strict=True):
        assert one.contrast == pytest.approx(other.contrast, rel=0.25)


@pytest.mark.parametrize("kind", ["line", "edge"])
def test_lines_and_edges_of_a_linear_filter(kind):
    found = feature_survival(noise(192, 192), HEAT, kinds=kind, sizes=[1.5], contrasts=[4.0])
    shape = {"line": Line, "edge": Edge}[kind](1.5)
    exact = []
    for angle in shape.angles:
        one = np.pad(shape.template(2, angle), 8)
        exact.append((HEAT(one) * one).sum() / (one**2).sum())
    assert found.cells[0].kept == pytest.approx(np.mean(exact), abs=0.01)
    assert found.cells[0].widening > 1.2


def test_a_patch_of_the_image():
    image = noise(192, 192, sigma=1.0)
    image[40:61, 50:71] += 40 * naive_spot((21, 21), 2.5)
    cut = (slice(42, 59), slice(52, 69))
    found = feature_survival(image, HEAT, patch=cut, kinds="patch", contrasts=[10.0])
    assert [cell.kind for cell in found.cells] == ["patch"]
    exact = 2 * 2.5**2 / (2 * 2.5**2 + 2)
    assert found.cells[0].kept == pytest.approx(exact, abs=0.05)
    given = feature_survival(image, HEAT, patch=image[cut], kinds="patch", contrasts=[10.0])
    assert given.to_dict() == found.to_dict()
    assert any("has the noise of its place" in text for text in found.limits())
    assert "copies of the patch" in found.sentences()[0]


def test_regions_where_the_noise_grows_with_the_intensity():
    random = np.random.default_rng(1)
    photons = 20 + 300 * (np.arange(256) / 256) ** 2 + np.zeros((256, 1))
    image = random.poisson(photons).astype(np.float32)
    found = feature_survival(image, HEAT, sizes=[1.5], contrasts=[1.0, 2.0, 4.0])
    assert [region.name for region in found.regions] == ["dark", "middle", "bright"]
    sigmas = [region.sigma for region in found.regions]
    expected = [math.sqrt(float(np.quantile(photons, q))) for q in (1 / 6, 1 / 2, 5 / 6)]
    assert sigmas == pytest.approx(expected, rel=0.15)
    for region in found.regions:
        cell = region.cells[0]
        assert cell.intensity == pytest.approx(region.sigma, rel=0.2)
        assert cell.kept == pytest.approx(found.cells[0].kept, abs=0.1)
        assert region.limits_of_detection[0].contrast == pytest.approx(1.7, rel=0.25)
    assert len(found.tables()) == 9


def test_regions_of_a_noise_map():
    sigma = np.where(np.arange(320) < 160, 5.0, 20.0) + np.zeros((320, 1))
    image = 100 + sigma * np.random.default_rng(0).normal(size=sigma.shape)
    found = feature_survival(image, HEAT, noise_sigma=sigma, sizes=[1.5], contrasts=[1.0, 2.0, 4.0])
    assert [(region.name, region.sigma) for region in found.regions] == [
        ("calm", 5.0),
        ("noisy", 20.0),
    ]
    for region in found.regions:
        assert region.cells[0].intensity == pytest.approx(region.sigma)
        assert region.limits_of_detection[0].contrast == pytest.approx(1.9, rel=0.25)


def test_noise_that_the_recipe_adds_hides_objects():
    quiet = nd.Recipe(num_steps=1, noise=None, diffusion_filter=NOTHING)
    loud = quiet.replaced(noise=nd.noise.Gaussian(), starting_noise_scale=17.3)
    first, second = (
        feature_survival(noise(192, 192), recipe, sizes=[1.5]).limits_of_detection[0].contrast
        for recipe in (quiet, loud)
    )
    # Of noise twice as strong in all.
    assert second == pytest.approx(2 * first, rel=0.2)


def test_rows_one_by_one():
    found = feature_survival(noise(40, 400), HEAT, along="x", sizes=[1.5], contrasts=[4.0])
    assert found.cells[0].kept == pytest.approx(math.sqrt(2 * 2.25 / (2 * 2.25 + 2)), abs=5e-3)


def test_colours_get_grey_objects_and_channels_objects_of_their_own():
    image = noise(3, 160, 160)
    colours = feature_survival(
        np.moveaxis(image, 0, -1), HEAT, axes="yxc", rgb=True, sizes=[1.5], contrasts=[1.0, 2.0]
    )
    options = {"axes": "cyx", "sizes": [1.5], "contrasts": [1.0, 2.0]}
    channels = feature_survival(image * np.array([1, 1, 3])[:, None, None], HEAT, **options)
    assert colours.cells[0].kept == pytest.approx(channels.cells[0].kept, abs=1e-3)
    # The mean of three colours has less noise.
    assert colours.cells[0].lost < channels.cells[0].lost - 0.2
    assert channels.cells[0].intensity == pytest.approx(50 / 3, rel=0.2)


def test_dark_objects_are_subtracted():
    image = noise(192, 192)
    options = {"sizes": [1.5], "contrasts": [3.0]}
    dark = feature_survival(image, HEAT, dark=True, **options)
    bright = feature_survival(image, HEAT, **options)
    assert dark.cells[0].kept == pytest.approx(bright.cells[0].kept, abs=1e-6)
    assert dark.cells[0].lost < 0.2
    assert "dark spots" in dark.sentences()[0]


def test_a_region_is_studied_alone_and_the_seed_selects_the_places():
    image = noise(256, 256)
    image[:, 140:] = 0.0
    part = (slice(20, 180), slice(0, 130))
    options = {"sizes": [1.5], "noise_sigma": 10.0, "region": part}
    one, same, other = (
        feature_survival(image, HEAT, seed=seed, **options) for seed in (0, 0, 2**64 - 1)
    )
    assert one.conditions.part == (1, 1, 1, 160, 130)
    assert one.to_dict() == same.to_dict() != other.to_dict()


def test_progress_counts_every_run_of_the_recipe():
    calls = []

    def counted(values):
        calls.append(values)
        return gaussian_filter(values, 1.0)

    recipe = nd.Recipe(num_steps=1, noise=None, diffusion_filter=nd.filters.Custom(counted))
    seen = []
    feature_survival(
        noise(96, 96), recipe, sizes=[0.7], progress=lambda *numbers: seen.append(numbers)
    )
    assert seen == [(k + 1, len(calls)) for k in range(len(calls))]
    assert len(calls) <= 24


def test_a_megapixel_needs_at_most_twelve_runs():
    study = Study.of(noise(1024, 1024).astype(np.float32), HEAT, {}, noise_sigma=10.0)
    contrasts = (0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
    plan = SurvivalPlan.of(study, [Spot(0.7), Spot(1.5), Spot(3.0)], contrasts)
    assert 1 + plan.num_nulls + plan.num_runs <= 12
    cells = plan.objects.shape * 10 + plan.objects.contrast
    assert np.bincount(cells).tolist() == [64] * 30
    assert plan.noise_change < 0.03


class StopsAfter:
    def __init__(self, polls):
        self.polls = polls

    def is_set(self):
        self.polls -= 1
        return self.polls < 0


def test_it_stops():
    seen = []
    with pytest.raises(nd.Stopped):
        feature_survival(
            noise(96, 96), HEAT, stop=StopsAfter(20), progress=lambda *numbers: seen.append(numbers)
        )
    assert len(seen) < 20


def test_the_words():
    found = feature_survival(noise(192, 192), HEAT, sizes=[0.7, 1.5])
    first, second, *_ = found.sentences()
    assert first.startswith("Of spots of radius 0.7 pixels, 50 % are found at ")
    assert "before the recipe 50 % at " in first
    assert "of the contrast is kept and" in second
    assert "10 false objects per megapixel" in second
    limits = " ".join(found.limits())
    assert "Tried were spots of 0.7 and 1.5 pixels and 0.5, 0.7, 1, 1.4, 2, " in limits
    assert "nothing follows for other shapes" in limits
    assert "are not counted" in limits
    assert "safe" not in limits + first + second
    sizes, contrasts, kept = found.kept_table("spot")
    assert (sizes.tolist(), kept.shape) == ([0.7, 1.5], (2, len(contrasts)))
    assert found.lost_table()[2][0, 0] == 1.0
    assert found.kept_table("line")[2].shape == (0, 0)
    for table in found.tables():
        assert all(len(row) == len(table.columns) for row in table.rows)


def test_few_objects_and_objects_that_change_the_noise_are_reported():
    found = feature_survival(noise(72, 72, sigma=1.0), HEAT, sizes=[3.0], contrasts=[500.0])
    assert found.cells[0].count >= 1
    small = feature_survival(noise(64, 64), HEAT)
    assert any("few objects only" in text for text in small.limits())


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"kinds": "star"}, "kinds must be some of spot, line, edge, patch"),
        ({"kinds": ("spot", "spot")}, "each once"),
        ({"kinds": "patch"}, "needs patch="),
        ({"sizes": [0.1]}, "sizes must be from 0.3 to 20"),
        ({"contrasts": [0.0]}, "contrasts must be from 0.001"),
        ({"contrasts": [float("nan")]}, "contrasts must be from 0.001"),
        ({"contrasts": []}, "contrasts must be 1 to 32 numbers"),
        ({"false_rate": 0.0}, "false_rate must be greater than 0"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"patch": np.ones((5, 5))}, "The patch is constant"),
        ({"patch": np.ones((5, 5, 5))}, "A patch must have 2 axes"),
        ({"patch": np.full((5, 5), np.nan)}, "NaN"),
        ({"noise_sigma": 0.0}, "No noise was found"),
        ({"axes": "ty", "along": "t"}, "has none of these"),
        ({"axes": "ty", "kinds": "line"}, "need y and x in along"),
        ({"mask": np.eye(64, dtype=bool), "noise_sigma": 1.0}, "No place for an object"),
    ],
)
def test_wrong_questions_are_refused(options, error):
    with pytest.raises(ValueError, match=error):
        feature_survival(noise(64, 64), HEAT, **options)
