"""The benchmark of the studies: what it counts, and that the page says what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks.study import cases, removed, spread, survival
from benchmarks.study.__main__ import PAGE

DOCS = Path(__file__).parents[2] / "docs" / "benchmarks"


@pytest.fixture(scope="module")
def measured():
    return json.loads((DOCS / "study.json").read_text("utf-8"))


def test_the_page_says_what_was_measured(measured):
    assert PAGE.page(measured) == (DOCS / "study.md").read_text("utf-8")


def test_every_image_is_for_reporting(measured):
    from benchmarks import images

    report = {each.name for each in images.photographs("report")}
    assert set(cases.NAMES) <= report
    for part in ("intervals", "spread"):
        assert {row[0] for row in measured[part]["values"]["rows"]} <= report


def test_half_is_found_between_the_contrasts_that_were_tried():
    shares = [0.0, 0.0, 0.25, 0.75, 1.0]
    contrasts = [1.0, 2.0, 4.0, 9.0, 16.0]
    assert survival.limit(shares, contrasts) == pytest.approx(6.0)
    assert survival.limit([0.0, 0.0, 0.1, 0.2, 0.4], contrasts) is None
    assert survival.limit([0.6, 0.7, 0.8, 0.9, 1.0], contrasts) is None


def test_spots_of_the_benchmark_keep_apart_and_inside():
    groups = list(survival.dealt((384, 384)))
    dealt = [pair for spots in groups for pair in zip(spots.sizes, spots.contrasts, strict=True)]
    counts = {pair: dealt.count(pair) for pair in set(dealt)}
    assert len(counts) == len(survival.SIZES) * len(survival.CONTRASTS)
    assert set(counts.values()) == {survival.COUNT}
    for spots in groups:
        apart = np.linalg.norm(spots.places[:, None] - spots.places[None], axis=-1)
        assert apart[apart > 0].min() > 2 * (4 * max(survival.SIZES) + 2)
        assert spots.places.min() > 0
        assert spots.places.max() < 384


def test_a_projection_leaves_the_scenes_as_they_are():
    for seed, kind in enumerate(removed.KINDS):
        scene = removed.scene(kind, seed)
        assert np.abs(removed.projected(scene) - scene).max() < 1e-12


def test_a_case_holds_if_the_law_the_spread_and_the_coverage_do():
    # Estimated ratio, the law of 1, 2, 4 and 8 images, spread to error, coverage.
    good = [0.5, 1.0, 1.0, 1.0, 1.14, 1.0, 0.9]
    assert spread.holds(good)
    for at, wrong in ((1, 0.8), (4, 1.2), (5, 1.2), (5, 0.8), (6, 0.8), (6, 0.96)):
        assert not spread.holds([*good[:at], wrong, *good[at + 1 :]])


def test_the_section_of_the_spread_counts_what_was_called():
    good = [0.9, 1.0, 1.0, 1.0, 1.0, 1.0, 0.9]
    rows = [
        ["one", 0.1, "posterior", *good],
        ["two", 0.1, "posterior", *good[:-1], 0.5],
        ["three", 0.1, "not tested", *good],
        ["four", 0.1, "sensitivity", *good[:-1], 0.5],
    ]
    text = "\n".join(spread.lines({"rows": rows, "weights": "sha256:0123456789"}))
    assert "2 of 4" in text
    assert "1 of 2" in text
    assert "Not tested: 1, of which 1 would have held" in text
    assert "| two | 0.1 | 0.90 | 1.00 | 1.00 | 1.00 | 50.0 % | **no** |" in text
    assert "three" not in text
