"""Axes by their names, and where those say nothing by their position."""

from __future__ import annotations

import pytest

from napari_diffusion.core.axis_names import axis_letters, letter_of


@pytest.mark.parametrize(
    ("name", "letter"),
    [
        ("Z [um]", "z"),
        ("z (µm)", "z"),
        ("time / s", "t"),
        ("Time", "t"),
        (" Channel ", "c"),
        ("lat", "y"),
        ("Longitude", "x"),
        ("row", "y"),
        ("x-axis", "x"),
        ("axis_y", "y"),
        ("dim_z", "z"),
        ("step", "?"),
        ("position", "?"),
        ("dim_0", None),
        ("axis -1", None),
        ("-2", None),
        ("foo", None),
        ("", None),
    ],
)
def test_a_name_means_a_letter(name, letter):
    assert letter_of(name) == letter


@pytest.mark.parametrize(
    ("names", "usual", "letters"),
    [
        (("dim_0", "dim_1"), "yx", "yx"),
        (("dim_0", "dim_1", "dim_2"), "zyx", "zyx"),
        (("lat", "lon"), "yx", "yx"),
        (("time", "lat", "lon"), "zyx", "tyx"),
        (("Z [um]", "Y [um]", "X [um]"), "zyx", "zyx"),
        (("foo", "y", "x"), "zyx", "zyx"),
        (("step", "y", "x"), "zyx", "?yx"),
        (("y", "y", "x"), "zyx", "?yx"),
        (("x", "foo"), "yx", "xy"),
        (("foo", "y", "x", "bar"), "tzyx", "tyxz"),
        (("0", "1", "z"), "zyx", "xyz"),
        (("0", "c", "1", "2"), "tzyx", "tcyx"),
        (("0", "1", "2", "3", "4", "5"), "tczyx", "?tczyx"),
        (("position", "t", "y", "x"), "tzyx", "?tyx"),
    ],
)
def test_the_rest_goes_by_position(names, usual, letters):
    assert axis_letters(names, usual) == letters
