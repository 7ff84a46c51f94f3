"""Places, thresholds and limits of feature survival."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import maximum_filter
from scipy.special import ndtr

import napari_diffusion as nd
from napari_diffusion.analysis import Blobs
from napari_diffusion.analysis.study import Study
from napari_diffusion.analysis.survival.cells import wilson
from napari_diffusion.analysis.survival.detection import ShapeDetector, tail_threshold
from napari_diffusion.analysis.survival.detection_limit import detection_limits
from napari_diffusion.analysis.survival.objects import Edge, Line, Patch, Spot
from napari_diffusion.analysis.survival.plan import SurvivalPlan

HEAT = nd.filters.Heat(time=1.0)
SPOTS = (Spot(1.5), Spot(3.0))
CONTRASTS = np.array([0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0])


def plan_of(image, shapes=SPOTS, contrasts=(2.0, 8.0), dark=False, **options):
    study = Study.of(image, HEAT, options, noise_sigma=options.pop("noise_sigma", 10.0))
    return SurvivalPlan.of(study, shapes, contrasts, dark=dark)


def image_of(*shape, seed=0):
    return np.random.default_rng(seed).normal(100, 10, shape).astype(np.float32)


def test_objects_keep_apart_and_from_the_borders():
    plan = plan_of(image_of(200, 260))
    for run in range(plan.num_runs):
        places = plan.objects.place[plan.objects.run == run][:, 3:]
        apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
        apart[np.diag_indices(len(places))] = np.inf
        assert apart.min() >= 29
        assert (places >= 9).all()
        assert (places <= np.array([190, 250])).all()


def test_places_are_spread_over_the_part():
    places = plan_of(image_of(200, 260)).objects.place[:, 3:]
    counts, *_ = np.histogram2d(*places.T, bins=(4, 4), range=((0, 200), (0, 260)))
    assert counts.min() > 0.4 * counts.mean()


def test_objects_leave_out_what_the_mask_excludes():
    mask = np.zeros((160, 160), bool)
    mask[10:150, 20:140] = True
    mask[70:80, 70:80] = False
    plan = plan_of(image_of(160, 160), mask=mask)
    light = sum(plan.light(run) for run in range(plan.num_runs))[0, 0, 0]
    assert light.max() > 10
    assert light[~mask].max() < 0.05 * light.max()


def test_every_cell_gets_as_many_objects_where_there_is_room():
    plan = plan_of(image_of(400, 400), contrasts=(1.0, 2.0, 4.0))
    assert np.bincount(plan.objects.shape * 3 + plan.objects.contrast).tolist() == [64] * 6


def test_spots_are_added_between_pixels_with_their_contrast():
    plan = plan_of(image_of(96, 96), shapes=(Spot(3.0),), contrasts=(5.0,))
    light = plan.light(0)[0, 0, 0]
    (y, x) = plan.objects.place[plan.objects.run == 0][0, 3:]
    grid_y, grid_x = np.mgrid[:96, :96]
    spot = 50 * np.exp(-((grid_y - y) ** 2 + (grid_x - x) ** 2) / 18)
    near = np.hypot(grid_y - y, grid_x - x) < 10
    np.testing.assert_allclose(light[near], spot[near], atol=0.05)
    assert y % 1 != 0
    added = plan.changed(plan.study.image.data, 0) - plan.study.image.data
    np.testing.assert_allclose(added[0, 0, 0], light, atol=1e-4)


def test_dark_objects_are_below_zero():
    plan = plan_of(image_of(96, 96), dark=True)
    assert plan.light(0).max() <= 0
    assert plan.light(0).min() < -10


def test_objects_bring_their_own_photon_noise():
    image = np.random.default_rng(0).poisson(np.full((256, 256), 25.0)).astype(np.float32)
    image *= 4.0
    model = nd.estimate.noise_model(image)
    gain = 4.0
    model = type(model)(sigma=20.0, level=100.0, gain=gain)
    study = Study.of(image, HEAT, {}, noise_model=model)
    plan = SurvivalPlan.of(study, [Spot(3.0)], [8.0])
    variance = light = 0.0
    for run in range(plan.num_runs):
        own = plan.changed(study.image.data, run) - study.image.data - plan.light(run)
        variance, light = variance + np.square(own).sum(), light + plan.light(run).sum()
    assert variance == pytest.approx(gain * light, rel=0.05)
    assert plan.has_photon_noise


def test_the_threshold_gives_as_many_false_objects_as_stated():
    """Set on a quarter of a megapixel, counted on 4: 10 per megapixel, within a factor of 1.6."""
    random = np.random.default_rng(2)
    few = [random.normal(size=(1, 1, 1, 256, 256)).astype(np.float32) for _ in range(4)]
    for radius in (0.7, 1.5):
        made = ShapeDetector.of(Spot(radius), few, 10.0, object_axes=(3, 4), sigma=1.0)
        scores = Blobs(radius).scores(random.normal(size=(2000, 2000)))
        peaks = scores == maximum_filter(scores, 2 * max(round(radius), 1) + 1)
        assert 40 / 1.6 < np.count_nonzero(peaks & (scores > made.threshold)) < 40 * 1.6


def test_the_threshold_follows_the_noise():
    random = np.random.default_rng(3)
    scale = np.where(np.arange(256) < 128, 1.0, 4.0)
    fields = [(random.normal(size=(1, 1, 1, 256, 256)) * scale).astype("f4") for _ in range(4)]
    made = ShapeDetector.of(Spot(1.5), fields, 10.0, object_axes=(3, 4), sigma=1.0)
    level = made.level[0, 0, 0]
    assert level[:, 40].mean() == pytest.approx(1.0, rel=0.1)
    assert level[:, 215].mean() == pytest.approx(4.0, rel=0.1)
    assert made.threshold == pytest.approx(4.25, rel=0.12)


def test_a_tail_is_extrapolated():
    """Heights √(2e), e exponential: n of them exceed T in ``n exp(−T²/2)`` cases."""
    heights = np.sqrt(2 * np.random.default_rng(4).exponential(size=5000))
    for expected in (0.5, 5.0, 200.0):
        true = np.sqrt(2 * np.log(5000 / expected))
        assert tail_threshold(heights, expected) == pytest.approx(true, rel=0.07)
    assert tail_threshold(np.empty(0), 1.0) == 4.0


def found_at(contrasts, middle, width, random):
    return random.random(len(contrasts)) < ndtr((contrasts / middle - 1) / width)


def test_limits_and_their_intervals():
    """Median within 3 %; the 95 % interval holds in 90–99 % of 60 cases."""
    random = np.random.default_rng(5)
    contrasts = np.repeat(CONTRASTS, 64)
    values, held = [], 0
    for _ in range(60):
        found = found_at(contrasts, 3.3, 0.27, random)
        half, most = detection_limits("spot", 0.7, contrasts, found)
        values.append((half.contrast, most.contrast))
        held += half.low < 3.3 < half.high
    assert np.median(values, axis=0) == pytest.approx([3.3, 3.3 * (1 + 0.27 * 1.645)], rel=0.03)
    assert 0.9 * 60 <= held <= 60


def test_limits_outside_of_what_was_tried():
    contrasts = np.repeat(CONTRASTS, 20)
    for found, text in ((contrasts > 1e9, ">12"), (contrasts > 0, "<0.5")):
        half, most = detection_limits("spot", 0.7, contrasts, found)
        assert (half.text, half.contrast) == (text, None)
        assert most.text == text
    plateau = (contrasts > 2) & (np.arange(len(contrasts)) % 10 > 1)
    half, most = detection_limits("spot", 0.7, contrasts, plateau)
    assert 1.5 < half.contrast < 3.5
    assert most.contrast is None
    assert most.text == ">12"


def test_the_share_lost_has_wilsons_interval():
    assert wilson(0.0, 64) == pytest.approx((0.0, 0.0566), abs=1e-4)
    assert wilson(0.5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)


@pytest.mark.parametrize("shape", [Spot(1.5), Line(0.7), Edge(1.5), Patch.of(np.eye(9))])
def test_kernels_leave_out_the_background_and_have_unit_noise_gain(shape):
    for kernel in shape.kernels(2):
        assert np.linalg.norm(kernel) == pytest.approx(1.0)
        assert abs(kernel.sum()) < 0.02 * np.abs(kernel).sum()


def test_an_edge_and_a_line_are_searched_in_their_direction():
    for shape in (Line(1.5), Edge(1.5)):
        for angle, own in zip(shape.angles, shape.kernels(2), strict=True):
            template = shape.template(2, angle)
            margin = (own.shape[0] - template.shape[0]) // 2
            template = np.pad(template, margin)
            scores = [float((template * kernel).sum()) for kernel in shape.kernels(2)]
            assert scores.index(max(scores)) == list(shape.angles).index(angle)
