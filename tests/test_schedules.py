"""The schedules' formulas, as their docstrings have them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_diffusion.schedules import Constant, Cosine, Geometric, Linear

RATIOS = np.arange(11) / 10

FORMULAS = [
    (Constant(), np.ones(11)),
    (Linear(end=0.2), 1 + (0.2 - 1) * RATIOS),
    (Linear(end=3.0), 1 + (3.0 - 1) * RATIOS),
    (Linear(), 1 - RATIOS),
    (Geometric(end=0.01), 0.01**RATIOS),
    (Geometric(end=5.0), 5.0**RATIOS),
    (Geometric(end=1e-300), 1e-300**RATIOS),
    (Cosine(end=0.2), 0.2 + 0.8 * (1 + np.cos(math.pi * RATIOS)) / 2),
    (Cosine(), (1 + np.cos(math.pi * RATIOS)) / 2),
]


@pytest.mark.parametrize(("schedule", "expected"), FORMULAS, ids=lambda v: repr(v)[:20])
def test_formula(schedule, expected):
    for start in (1.0, 0.37, 1e-20, 1e20):
        np.testing.assert_allclose(schedule(start, 11), start * expected, rtol=1e-13, atol=0)


def test_geometric_has_the_same_factor_between_any_two_steps():
    table = Geometric(end=0.1)(2.0, 7)
    np.testing.assert_allclose(table[1:] / table[:-1], 0.1 ** (1 / 6), rtol=1e-14)


def test_those_that_may_end_at_0_do():
    for schedule in (Linear(end=0.0), Cosine(end=0.0)):
        table = schedule(1.0, 9)
        assert table[-1] == 0.0
        assert (table[:-1] > 0).all()


def test_a_single_step_uses_the_start():
    for schedule, _ in FORMULAS:
        np.testing.assert_array_equal(schedule(0.3, 1), [0.3])


def test_past_the_last_step_the_scale_stays():
    for schedule, _ in FORMULAS:
        last = schedule(0.3, 5)[-1]
        assert schedule.next_scale(last, 4, 5) == last
        assert schedule.next_scale(last, 40, 5) == last


def test_what_a_filter_removed_does_not_matter():
    assert Linear().next_scale(0.5, 2, 9, removed=3.0) == Linear().next_scale(0.5, 2, 9)


@pytest.mark.parametrize("end", [-0.1, math.nan, math.inf, 2e6])
@pytest.mark.parametrize("cls", [Linear, Geometric, Cosine])
def test_ends_that_are_refused(cls, end):
    with pytest.raises(ValueError, match=rf"{cls.__name__}: end must be .*\(got "):
        cls(end=end)


def test_geometric_never_reaches_0():
    with pytest.raises(ValueError, match=r"greater than 0.*\(got 0\.0\)"):
        Geometric(end=0.0)


def test_at_least_one_step():
    with pytest.raises(ValueError, match=r"num_steps must be at least 1 \(got 0\)"):
        Constant()(1.0, 0)
