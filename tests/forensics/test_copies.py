"""Parts that stand twice: found with their outline and their map, and none where there is none."""

from __future__ import annotations

import functools
import io
import math

import numpy as np
import pytest
from scipy import ndimage

from napari_diffusion.core.image import Image
from napari_diffusion.forensics.copies import Copies
from napari_diffusion.forensics.copying.affine_map import AffineMap, fitted
from napari_diffusion.forensics.copying.agreement import Matches, agreement
from napari_diffusion.forensics.copying.chance import Chance, log10_nfa
from napari_diffusion.forensics.copying.key_points import key_points
from napari_diffusion.forensics.copying.matching import matched
from napari_diffusion.forensics.copying.panels import compare_panels
from napari_diffusion.forensics.exact_copies import ExactCopies


@functools.cache
def scene(seed, side=192):
    """Return a plane with details of many sizes, whole numbers."""
    random = np.random.default_rng(seed)
    shape = (side, side)
    fine = sum(s * ndimage.gaussian_filter(random.normal(size=shape), s) for s in (1.0, 2.5, 6.0))
    return np.clip(np.rint(128 + 110 * fine / 2), 0, 255)


def linear(turn=0.0, scale=1.0, mirrored=False):
    angle = math.radians(turn)
    c, s = math.cos(angle), math.sin(angle)
    return scale * np.array([[c, s], [-s, c]]) @ np.diag([1, -1 if mirrored else 1])


def with_copy(plane, other, matrix, source=(52, 52), target=(136, 130), radius=34):
    """Return `other` with a disc of `plane` pasted through a map, and both discs."""
    moved = AffineMap(matrix, np.array(target) - matrix @ np.array(source))
    places = np.stack(np.mgrid[: plane.shape[0], : plane.shape[1]], axis=-1).reshape(-1, 2)
    back = moved.inverse()(places)
    order = 0 if np.abs(matrix % 1).max() == 0 else 1
    taken = ndimage.map_coordinates(plane, back.T, order=order, mode="nearest")
    inside = np.hypot(*(back - source).T).reshape(plane.shape) < radius
    here = np.hypot(*(places - source).T).reshape(plane.shape) < radius
    return np.where(inside, np.rint(taken).reshape(plane.shape), other), here, inside


def mask_of(outlines, shape):
    from skimage.draw import polygon2mask

    return np.any([polygon2mask(shape, each) for each in outlines], axis=0)


def f1(one, two):
    return 2 * (one & two).sum() / (one.sum() + two.sum())


def as_jpeg(plane, quality):
    import PIL.Image

    stream = io.BytesIO()
    PIL.Image.fromarray(plane.astype(np.uint8)).save(stream, "JPEG", quality=quality)
    return np.asarray(PIL.Image.open(io.BytesIO(stream.getvalue())))


CHANGES = {
    "shifted": {},
    "turned": {"turn": 15.0},
    "mirrored": {"mirrored": True},
    "mirrored and turned": {"mirrored": True, "turn": -40.0, "scale": 1.1},
    "smaller": {"scale": 0.75},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_copy_is_found_with_its_outline_and_its_map(change):
    matrix = linear(**change)
    image, here, there = with_copy(scene(1), scene(1), matrix)
    reading = Copies()(image.astype(np.uint8))
    place = reading.places[0]
    assert place.log10_nfa < -3
    found = mask_of([p.outline for p in reading.places] + [p.partner for p in reading.places],
                    image.shape)  # fmt: skip
    assert f1(found, here | there) > 0.85
    assert ("mirrored" in place.words) == change.get("mirrored", False)
    assert reading.maps[0].values.shape == image.shape


def test_contrast_and_jpeg_do_not_hide_a_copy():
    image, here, there = with_copy(128 + 0.7 * (scene(1) - 128), scene(1), linear(turn=90.0))
    reading = Copies()(as_jpeg(image, 85))
    ends = [*(p.outline for p in reading.places), *(p.partner for p in reading.places)]
    assert f1(mask_of(ends, image.shape), here | there) > 0.8


def test_similar_objects_are_no_copies():
    # The same shape twice, as of windows of one design, each with its own fine detail.
    shape = ndimage.gaussian_filter(scene(1), 1.5)
    image, *_ = with_copy(shape, shape, np.eye(2))
    random = np.random.default_rng(5)
    reading = Copies()(np.rint(image + random.normal(0, 6, image.shape)).clip(0, 255))
    assert not reading.places
    assert not reading.maps
    assert "their fine detail differs" in reading.remarks[0]


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_found_where_nothing_was_copied(seed):
    for trace in (Copies(), ExactCopies()):
        reading = trace(scene(seed).astype(np.uint8))
        assert not reading.places
        assert reading.remarks == ("Nothing that this method can see.",)


def test_a_constant_image_has_no_copies():
    for trace in (Copies(), ExactCopies()):
        assert not trace(np.full((64, 64), 7, np.uint8)).places


def test_a_part_of_the_reference_is_found():
    image, _, there = with_copy(scene(2), scene(3), linear(turn=30.0))
    reading = Copies()(image.astype(np.uint8), reference=scene(2).astype(np.uint8))
    (place,) = reading.places
    assert place.partner_image == "reference"
    assert f1(mask_of([place.outline], image.shape), there) > 0.85
    assert place.partner.mean(axis=0) == pytest.approx((52, 52), abs=3)


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (linear(), "shifted by (84, 78) pixels"),
        (linear(90), "turned by 90° clockwise"),
        (linear(180), "turned by 180°"),
        (linear(mirrored=True), "mirrored"),
        (linear(180, mirrored=True), "mirrored top to bottom"),
        (linear(90, mirrored=True), "mirrored, turned by 90° clockwise"),
    ],
)
def test_a_copy_to_the_bit_is_found_under_every_symmetry(matrix, words):
    image, here, there = with_copy(scene(1), scene(1), np.rint(matrix))
    reading = ExactCopies()(image.astype(np.uint8))
    (place,) = reading.places
    assert f1(mask_of([place.outline, place.partner], image.shape), here | there) > 0.95
    back = AffineMap(np.rint(matrix), np.zeros(2)).inverse().words()
    assert place.words == words or place.words.split("(")[0] in (words, back.split("(")[0])


def test_one_changed_level_is_no_copy_to_the_bit():
    image, _, there = with_copy(scene(1), scene(1), np.eye(2))
    image = image + there * np.random.default_rng(0).integers(0, 2, image.shape)
    assert not ExactCopies()(image.clip(0, 255).astype(np.uint8)).places


def test_directions_of_key_points_are_those_of_the_mirror_image():
    plane = scene(1)
    own, seen = key_points(plane).mirrored(), key_points(plane[:, ::-1].copy())
    back = seen.places * [1, -1] + [0, plane.shape[1] - 1]
    pairs = matched(own, seen)
    right = np.hypot(*(own.places[pairs[:, 0]] - back[pairs[:, 1]]).T) < 1
    assert right.sum() > 0.6 * len(own)


@pytest.mark.parametrize(
    "change", [{"turn": 90.0}, {"mirrored": True}, {"mirrored": True, "turn": 90.0}]
)
def test_matches_turn_and_scale_as_their_map_does(change):
    plane, matrix = scene(1), np.rint(linear(**change))
    middle = np.full(2, (plane.shape[0] - 1) / 2)
    true = AffineMap(matrix, middle - matrix @ middle)
    places = np.stack(np.mgrid[: plane.shape[0], : plane.shape[1]], axis=-1).reshape(-1, 2)
    back = np.rint(true.inverse()(places)).astype(int)
    first, second = key_points(plane), key_points(plane[tuple(back.T)].reshape(plane.shape))
    mirrored = true.is_mirrored
    pairs = matched(first, second.mirrored() if mirrored else second)
    matches = Matches.of(first, second, pairs, mirrored)
    right = matches.where(matches.on_map(true))
    assert len(right) > 100
    factor = complex(matrix[1, 1], matrix[0, 1])  # where x comes to point
    assert np.mean(np.abs(right.twists - factor) < 0.5) > 0.9
    found = agreement(matches, Chance.of(first, second, mirrored))
    assert found.map.matrix == pytest.approx(matrix, abs=0.01)


def test_key_points_of_one_edge_count_once():
    # Twelve of them within a dozen pixels: fewer than the five that must agree are independent.
    along = np.column_stack([np.zeros(12), np.arange(12.0)]) + 40
    chance = Chance(0.001, np.ones(1, np.complex64))
    for step, seen in ((1.0, False), (10.0, True)):
        sources = along * step
        matches = Matches(sources, sources + 50, np.ones(12, np.complex64), False)
        assert (agreement(matches, chance) is not None) == seen


def test_a_map_that_most_key_points_turn_like_says_less():
    turned = np.exp(1j * np.linspace(0, 2 * np.pi, 360, endpoint=False)).astype(np.complex64)
    assert Chance(0.001, turned)(1) == pytest.approx(0.001 / 6, rel=0.1)
    assert Chance(0.001, np.ones(9, np.complex64))(1) == pytest.approx(0.001)


def test_a_map_is_fitted_and_inverted():
    places = np.random.default_rng(0).uniform(0, 99, (8, 2))
    for mirrored in (False, True):
        true = AffineMap(linear(25.0, 1.2, mirrored), np.array([3.0, -7.0]))
        found = fitted(places, true(places), mirrored)
        assert found.matrix == pytest.approx(true.matrix)
        assert found.inverse()(found(places)) == pytest.approx(places)
        assert (found.scale, found.turn) == pytest.approx((1.2, 25.0))


def test_the_number_of_false_alarms_bounds_what_chance_gives():
    # Of random matches, no more often than it says so many agree on a map through two of them.
    random, chance = np.random.default_rng(0), 0.01
    hits = [random.binomial(18, chance, 190).max() + 2 for _ in range(400)]
    for count in (4, 5):
        assert np.mean(np.array(hits) >= count) <= 10 ** log10_nfa(20, count, chance)


def test_panels_that_share_a_part_are_found_among_others():
    whole = scene(7, 256)
    panels = [(f"other {n}", scene(n)) for n in range(5)]
    panels += [("left", whole[:160, :160]), ("turned", np.rot90(whole[60:220, 60:220]))]
    found = compare_panels(panels)
    assert {(each.first, each.second) for each in found} == {("left", "turned")}
    assert found[0].place.log10_nfa < -10
    assert "turned by 90°" in found[0].place.words


def test_panels_that_share_a_faint_part_are_found():
    # What they do not share has seven times the contrast, and would take all key points.
    whole = scene(7, 256)
    whole = np.rint(128 + (whole - 128) * np.where(np.abs(np.arange(256) - 128) < 36, 0.15, 1))
    found = compare_panels([("left", whole[:160, :160]), ("right", whole[:160, 96:])])
    assert len(found) == 1
    assert "shifted by (0, -96)" in found[0].place.words


def test_panels_with_similar_objects_share_nothing():
    shape, other = (ndimage.gaussian_filter(scene(seed), 1.5) for seed in (1, 2))
    image, *_ = with_copy(shape, other, np.eye(2))
    random = np.random.default_rng(5)
    for noise, listed in ((6, 0), (1.5, 1)):
        panels = [np.rint(each + random.normal(0, noise, each.shape)) for each in (shape, image)]
        found = compare_panels([("one", panels[0]), ("two", panels[1])])
        assert len(found) == listed


def test_a_stack_is_no_panel():
    with pytest.raises(ValueError, match="'stack' has 4 planes"):
        compare_panels([("stack", Image.of(np.zeros((4, 64, 64), np.uint8), axes="zyx"))])
