"""The benchmark of quality: what it counts, and that the page says what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks.quality import cases, peers
from benchmarks.quality.__main__ import PAGE

DOCS = Path(__file__).parents[2] / "docs" / "benchmarks"


def test_slow_ways_run_on_the_first_seed_and_differences_are_counted_there():
    truth = np.zeros((8, 8))
    both = [cases.Case("a", 0.1, truth, truth + 0.1), cases.Case("a", 0.1, truth, truth + 0.2)]
    ways = {
        "half": lambda noisy, truth, sigma: noisy / 2,
        "nothing": lambda noisy, truth, sigma: noisy,
    }
    found = cases.compared(iter(both), ways, frozenset({"nothing"}))
    assert found["decibels"]["nothing"] == [pytest.approx(20.0), None]
    assert found["decibels"]["half"] == [pytest.approx(26.02, abs=0.01), pytest.approx(20.0)]
    row = cases.table(found, ("half",))[-1]
    assert row.startswith("| nothing | 20.00 | **+6.02**, +6.02, +6.02, 100 % |")


def test_the_best_of_a_sweep_is_the_nearest_to_the_truth():
    truth = np.zeros((6, 6))
    tried = peers._sweep(truth + 1.0, (0.9, 0.99), lambda image, c, n: image * c**n)
    assert np.mean(peers._best(tried, truth)) == pytest.approx(0.9**48)


def test_the_page_says_what_was_measured():
    found = json.loads((DOCS / "quality.json").read_text("utf-8"))
    assert PAGE.page(found) == (DOCS / "quality.md").read_text("utf-8")
