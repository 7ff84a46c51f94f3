"""Every unit of length and time has its size."""

from __future__ import annotations

import pytest

from napari_diffusion.core.units import FRAME, METRES, PIXEL, SECONDS, SYMBOLS, factor, unit_name

#: How many of it are in one metre.
PER_METRE = {
    "picometer": 10**12,
    "angstrom": 10**10,
    "nanometer": 10**9,
    "micrometer": 10**6,
    "millimeter": 1000,
    "centimeter": 100,
    "inch": 1 / 0.0254,
    "decimeter": 10,
    "meter": 1,
    "kilometer": 0.001,
}

#: How many of it are in one day.
PER_DAY = {
    "nanosecond": 86_400 * 10**9,
    "microsecond": 86_400 * 10**6,
    "millisecond": 86_400 * 1000,
    "second": 86_400,
    "minute": 1440,
    "hour": 24,
    "day": 1,
}

SHORT = {
    "pm": "picometer",
    "Å": "angstrom",
    "nm": "nanometer",
    "µm": "micrometer",
    "mm": "millimeter",
    "cm": "centimeter",
    "in": "inch",
    "dm": "decimeter",
    "m": "meter",
    "km": "kilometer",
    "ns": "nanosecond",
    "µs": "microsecond",
    "ms": "millisecond",
    "s": "second",
    "min": "minute",
    "h": "hour",
    "d": "day",
}


def test_no_unit_is_left_out():
    assert set(METRES) == set(PER_METRE)
    assert set(SECONDS) == set(PER_DAY)
    assert {symbol: name for name, symbol in SYMBOLS.items()} == SHORT


@pytest.mark.parametrize("unit", PER_METRE)
def test_lengths(unit):
    assert factor("meter", unit) == pytest.approx(PER_METRE[unit], rel=1e-12)
    assert factor(unit, "meter") == pytest.approx(1 / PER_METRE[unit], rel=1e-12)


@pytest.mark.parametrize("unit", PER_DAY)
def test_times(unit):
    assert factor("day", unit) == pytest.approx(PER_DAY[unit], rel=1e-12)
    assert factor(unit, "day") == pytest.approx(1 / PER_DAY[unit], rel=1e-12)


@pytest.mark.parametrize(("symbol", "name"), SHORT.items())
def test_symbols_and_names_are_read(symbol, name):
    assert unit_name(symbol) == unit_name(name) == unit_name(f"{name}s") == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("um", "micrometer"),
        ("μm", "micrometer"),  # the Greek letter
        ("\\u00B5m", "micrometer"),
        ("micron", "micrometer"),
        ("Microns", "micrometer"),
        ("micrometre", "micrometer"),
        ("us", "microsecond"),
        ("sec", "second"),
        ("minutes", "minute"),
        ("hours", "hour"),
        ("inches", "inch"),
        ("px", PIXEL),
        ("pixels", PIXEL),
        ("", PIXEL),
        (None, PIXEL),
        ("furlong", "furlong"),
    ],
)
def test_other_names(text, name):
    assert unit_name(text) == name


@pytest.mark.parametrize("pair", [("meter", "second"), ("meter", PIXEL), (FRAME, "second")])
def test_what_cannot_be_converted_is_refused(pair):
    with pytest.raises(ValueError, match="cannot be converted"):
        factor(*pair)
