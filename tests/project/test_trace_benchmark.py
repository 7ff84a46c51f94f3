"""The benchmark of traces: its test cases are what they are called, and its page is measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks import images
from benchmarks.traces import (
    changes,
    curve,
    faces,
    mapped,
    moved,
    moving,
    pictures,
    reader,
    scores,
    unrelated,
    vetted,
    whole,
)
from benchmarks.traces.__main__ import PAGE
from PIL import Image
from scipy import ndimage

import napari_diffusion as nd

DOCS = Path(__file__).parents[2] / "docs" / "benchmarks"

CROP = vetted.Crop("chelsea", (8, 96))

# Changes of everything but the mask, or of a place that belongs to it.
OUTSIDE = {"never JPEG in JPEG-75"}


def test_every_photograph_to_report_is_vetted_or_left_out_with_a_reason():
    report = {each.name for each in images.photographs("report")}
    assert set(vetted.HISTORY) | set(vetted.EXCLUDED) == report
    assert not set(vetted.HISTORY) & set(vetted.EXCLUDED)
    assert all(why.endswith(".") for why in vetted.EXCLUDED.values())
    assert {"grass", "gravel"} <= set(vetted.EXCLUDED)
    assert {"grass", "gravel", "moon", "immunohistochemistry", "coins"} <= set(vetted.POSITIVES)


def test_crops_keep_the_grid_and_do_not_overlap():
    found = vetted.crops()
    assert len({crop.name for crop in found}) == len(found)
    for crop in found:
        assert crop.start[0] % 8 == crop.start[1] % 8 == 0
        image = pictures.picture(crop, 64)
        assert image.shape == (64, 64)
        assert (image == np.rint(image)).all()
    for a in found:
        for b in found:
            if a is not b and a.photograph == b.photograph:
                apart = np.abs(np.subtract(a.start, b.start))
                assert apart.max() >= vetted.SIDE


@pytest.mark.parametrize("name", changes.CHANGES)
def test_a_change_is_where_its_mask_is(name):
    crop = pictures.picture(CROP, 128)
    changed, mask = changes.CHANGES[name](crop, pictures.rng_of(name))
    assert 0.01 < mask.mean() < 0.1
    different = changed != crop
    near = ndimage.binary_dilation(mask, iterations=4)
    if name in OUTSIDE:
        core = ndimage.binary_erosion(mask, iterations=4)
        assert not different[core].any()
        assert different[~near].mean() > 0.5
    else:
        assert not different[~near].any()
        assert different[mask].mean() > 0.5
    again, _ = changes.CHANGES[name](crop, pictures.rng_of(name))
    np.testing.assert_array_equal(again, changed)


@pytest.mark.parametrize("name", moved.COPIES)
def test_a_copy_stands_in_both_places(name):
    copy, crop = moved.COPIES[name], pictures.picture(CROP, 160)
    changed, mask = copy(crop, pictures.rng_of(name))
    parts, count = ndimage.label(mask)
    assert count == 2
    assert not (changed != crop)[~ndimage.binary_dilation(mask, iterations=3)].any()
    shares = [(changed != crop)[parts == k].mean() for k in (1, 2)]
    assert min(shares) == 0
    assert max(shares) > 0.8
    if copy.exact:
        areas = [ndimage.binary_erosion(parts == k, iterations=4) for k in (1, 2)]
        values = [np.sort(changed[area]) for area in areas]
        np.testing.assert_array_equal(*values)


def test_copies_are_what_they_are_called():
    """By the values of a picture whose grey says where a pixel was."""
    ramp = np.arange(160.0)[:, None] + np.zeros((160, 160))
    changed, mask = moved.Copy(mirrored=True)(ramp, pictures.rng_of(0))
    there = ndimage.binary_erosion(mask & (changed != ramp), iterations=4)
    assert (np.diff(changed, axis=0)[there[1:]] == 1).all()
    changed, mask = moved.Copy(scale=2.0)(ramp, pictures.rng_of(0))
    there = ndimage.binary_erosion(mask & (changed != ramp), iterations=4)
    assert np.median(np.diff(changed, axis=0)[there[1:]]) == pytest.approx(0.5)


def test_a_fifth_of_two_panels_is_the_same():
    first, second = moved.panels("coffee", "moved")
    assert first.shape == second.shape == (256, 256)
    shift = int(0.8 * 256)
    np.testing.assert_array_equal(first[:, shift:], second[:, :-shift])
    _, turned = moved.panels("coffee", "turned 90°")
    assert any((np.rot90(turned, k) == second).all() for k in (1, 3))
    _, mirrored = moved.panels("coffee", "mirrored")
    np.testing.assert_array_equal(mirrored[:, ::-1], second)
    assert moved.panels("coffee", "× .75")[1].shape == (192, 192)


def test_frames_stand_still_and_come_again():
    frames = moving.panned("coffee")
    assert (np.abs(np.diff(frames, axis=0)).mean((1, 2)) > 1).all()
    still = np.abs(np.diff(moving.frozen(frames), axis=0)).max((1, 2)) == 0
    np.testing.assert_array_equal(np.flatnonzero(still), np.arange(30, 38))
    again = moving.repeated(frames)
    np.testing.assert_array_equal(again[52:64], frames[12:24])
    np.testing.assert_array_equal(np.delete(again, range(52, 64), 0),
                                  np.delete(frames, range(52, 64), 0))  # fmt: skip


def test_a_face_is_where_its_mask_is_and_the_loop_smooths():
    host, _ = whole.halves("coffee")
    made, mask = faces.inserted(host, "astronaut", "coffee")
    different = made != host
    assert not different[~ndimage.binary_dilation(mask, iterations=7)].any()
    assert different[mask].mean() > 0.9
    assert faces.looped(made, 0) is made
    smoothed = faces.looped(made, 8)
    assert np.std(np.diff(smoothed)) < np.std(np.diff(made))


def test_the_curve_says_no_more_than_it_shows():
    """The last line needs a splice that fades and a loop that is seen, photograph by photograph."""

    def row(setting, host, strength, spliced, loop_is_seen):
        best = 0.9 - 0.02 * strength if spliced else 0.6
        time = float(loop_is_seen and strength > 0) + 0.01 * len(host)
        return [setting, host, strength, spliced, 30.0, time, dict.fromkeys(curve.MAPS, best)]

    for seen in (True, False):
        rows = [
            row(k, host, strength, spliced, seen)
            for k in range(len(curve.SETTINGS))
            for host in ("a", "bb", "ccc")
            for strength in faces.STRENGTHS
            for spliced in (True, False)
        ]
        last = curve.lines({"rows": rows})[-2]
        assert last.startswith("As far as 3 photographs show") == seen
        assert last.endswith("he loop trades traces of the splice for traces of the loop.")


def test_the_area_under_the_curve():
    mask = np.zeros((40, 40), bool)
    mask[:20] = True
    assert scores.auc(mask, mask) == 1
    assert scores.auc(mask, ~mask) == 0
    assert scores.auc(mask, np.zeros(mask.shape)) == 0.5
    assert scores.auc_of([1, 3], [2, 2]) == 0.5
    assert scores.f1(mask, mask) == 1
    assert scores.f1(~mask, mask) == 0


def test_intervals_are_of_photographs_not_of_crops():
    """A hundred crops of two photographs are two."""
    groups = ["a"] * 50 + ["b"] * 50
    values = [0.0] * 50 + [1.0] * 50
    assert scores.interval(groups, values) == (0.5, 0.0, 1.0)


def test_intervals_of_an_area_under_the_curve_keep_pairs_together():
    """Both values of a photograph are drawn, so that no draw mixes them with another's."""
    groups, without = ["a", "b", "c"], [1.0, 10.0, 100.0]
    value, low, high = scores.auc_interval(groups, [2.0, 20.0, 200.0], without)
    assert value == pytest.approx(6 / 9)
    assert (low, high) == (pytest.approx(6 / 9), 1.0)
    assert scores.auc_interval(groups, without, without)[1:] == (0.5, 0.5)


def test_outlines_are_filled():
    square = np.array([(1, 1), (1, 6), (5, 6), (5, 1)])
    found = scores.outlined([square], (10, 10))
    assert found[2:5, 2:6].all()
    assert not found[7:].any()


def test_the_parts_of_a_source_are_two():
    for name in vetted.vetted():
        first, second = whole.halves(name)
        assert first.shape == second.shape
        assert min(first.shape) >= 120
        assert not np.array_equal(first, second)
    picture = pictures.whole_picture("coffee")
    first, second = whole.halves("coffee")
    np.testing.assert_array_equal(np.hstack([first, second]), picture[56:344, 8:584])


def test_enlarged_pictures_are_in_place():
    """Their means over squares are the smaller picture's, so that nothing is shifted."""
    ramp = np.arange(96.0)[:, None] + 2 * np.arange(96.0)
    for order in (0, 1, 3):
        large = whole.enlarged(ramp, 3, order)
        np.testing.assert_allclose(large[12:-12, 12:-12], ramp[12:-12, 12:-12], atol=3.01)
        assert (large - ramp)[12:-12, 12:-12].mean() == pytest.approx(0, abs=1e-6)
    assert len(np.unique(whole.enlarged(ramp, 3, 0)[:3, :3])) == 1
    assert whole.upsampled(ramp).shape == ramp.shape
    assert np.std(whole.stretched(ramp)) == pytest.approx(1.3 * np.std(ramp))


def test_the_page_says_what_was_measured():
    found = json.loads((DOCS / "traces.json").read_text("utf-8"))
    assert PAGE.page(found) == (DOCS / "traces.md").read_text("utf-8")


def test_a_refused_image_counts_as_chance():
    """A file of one grey has nothing to read; maps are then none, or their AUC is ½."""
    row = mapped.Row("nothing", "noise 2", pictures.PNG, nd.forensics.LocalNoise(), "more")
    seen = reader.read(row.trace, np.full((160, 160), 100.0))
    assert seen.reading is None
    assert "cannot be read" in seen.why


def test_a_map_is_scored_by_its_name_and_sign():
    mask = np.zeros((20, 30), bool)
    mask[5:15, 5:15] = True
    trace = nd.forensics.LocalNoise()
    named = {"less noise": -1.0 * mask, "more noise": 1.0 * mask}
    maps = tuple(nd.forensics.TraceMap(n, values, "", (-1, 1)) for n, values in named.items())
    reading = nd.forensics.Reading(trace, maps=maps)

    def scored(name="", sign=1):
        return mapped.Row("", "", pictures.PNG, trace, name, sign).scored(reading, mask)

    assert scored("more") == 1
    assert scored("less") == scored() == 0
    assert scored("less", -1) == scored("less", 0) == 1
    nothing = nd.forensics.Reading(trace)
    assert mapped.Row("", "", pictures.PNG, trace).scored(nothing, mask) == 0.5


def test_what_is_read_is_what_the_file_holds(tmp_path):
    crop = pictures.picture(CROP, 64)
    for kept in (pictures.PNG, "JPEG-85"):
        file = reader.written(crop, kept, tmp_path)
        np.testing.assert_array_equal(np.asarray(Image.open(file)), pictures.saved(crop, kept))


def test_unrelated_panels_are_parts_that_do_not_overlap():
    names, panels = unrelated.unrelated()
    assert len(set(names)) == len(names) == len(panels) <= unrelated.COUNT
    assert {panel.shape for panel in panels} == {(moved.PANEL, moved.PANEL)}
    used = {name.rpartition(" ")[0] for name in names}
    assert not used & {"grass", "gravel", "moon", "motorcycle_right"}
