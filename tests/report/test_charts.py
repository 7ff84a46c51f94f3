"""Charts and heat maps have their values at the right places."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_diffusion.report.chart import HEIGHT, Line, chart, ticks
from napari_diffusion.report.heat_map import Limit, heat_map
from napari_diffusion.report.palette import COLOURS, colour_at, palette, places
from napari_diffusion.report.value_text import cell, number, shortened


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-3, 12, [0, 5, 10]),
        (1000, 1004.9, [1000, 1001, 1002, 1003, 1004]),
    ],
)
def test_ticks_are_round_numbers(low, high, wanted):
    np.testing.assert_allclose(ticks(low, high), wanted, atol=1e-9)


def test_points_stand_where_the_ticks_say():
    drawn = chart("t", "x", "y", [Line("a", "points", [0, 5, 10], [0, math.nan, 4])])
    (x0, y0), (x1, y1) = drawn.curves[0].points
    at = {tick.label: tick.at for tick in drawn.x_ticks}
    up = {tick.label: tick.at for tick in drawn.y_ticks}
    assert (x0, x1) == pytest.approx((at["0"], at["10"]))
    assert (y0, y1) == pytest.approx((up["0"], up["4"]))
    assert 0 < y1 < y0 < HEIGHT


@pytest.mark.parametrize("values", [[], [math.nan], [3.0], [0.0, 0.0], [1e-300, 2e-300]])
def test_a_chart_of_little_is_a_chart(values):
    drawn = chart("t", "x", "y", [Line("a", "line", values, values)])
    assert all(math.isfinite(tick.at) for tick in (*drawn.x_ticks, *drawn.y_ticks))


def test_a_heat_map_has_sizes_to_the_right_and_contrasts_upwards():
    limits = [
        Limit("found in 50 %", "line", [2.0, None], ["2", ">8"]),
        Limit("found in 95 %", "dashed", [math.sqrt(8), 0.5], ["2.83", "<1"]),
    ]
    drawn = heat_map("t", [1, 3], [1, 2, 4, 8], np.arange(8).reshape(2, 4) / 7, limits)
    by_label = {each.label: each for each in drawn.cells}
    assert by_label["0.00"].x == by_label["0.43"].x < by_label["0.57"].x
    assert by_label["0.43"].y < by_label["0.29"].y < by_label["0.00"].y
    rows = {tick.label: tick.at for tick in drawn.y_ticks}
    assert drawn.curves[0].points == ((drawn.x_ticks[0].at, rows["2"]),)
    ((_, height),) = drawn.curves[1].points
    assert height == pytest.approx((rows["2"] + rows["4"]) / 2)
    assert [each.label for each in drawn.outside] == ["50 %: >8, 95 %: <1"]


def test_a_cell_without_a_value_has_a_dash_and_no_colour():
    drawn = heat_map("t", [1], [1], [[math.nan]])
    assert (drawn.cells[0].label, drawn.cells[0].fill) == ("–", "none")


def test_colours_rise_with_the_values_and_leave_out_what_is_no_number():
    found = places(np.array([-9, 0, 0.5, 1, 9, np.nan, np.inf]), (0, 1))
    assert found.tolist() == [0, 0, 127, 254, 254, COLOURS, COLOURS]
    assert palette(True)[127].tolist() == [0xF7] * 3
    assert colour_at(0) == ("#440154", True)
    assert colour_at(7) == ("#fde725", False)


def test_numbers_have_four_digits_and_no_exponent_where_none_is_needed():
    assert [number(each) for each in (0.123456, -2.0, 12345.6, 1e9, math.nan, -math.inf)] == [
        "0.1235", "−2", "12346", "1e+09", "–", "−∞",
    ]  # fmt: skip
    assert [cell(each) for each in (np.int64(70000), True, None, "a\x1b[2Jb")] == [
        "70000", "True", "–", "a [2Jb",
    ]  # fmt: skip


def test_texts_of_strangers_end():
    assert len(shortened("x" * 10**6)) == 4000
    assert shortened("a" * 10, 5) == "aaaa…"
