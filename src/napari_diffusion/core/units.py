"""Units of length and time: full names, symbols and sizes."""

from __future__ import annotations

from fractions import Fraction

PIXEL = "pixel"
FRAME = "frame"

#: Full name, symbol in OME-XML, size in metres.
_LENGTHS = (
    ("picometer", "pm", 1e-12),
    ("angstrom", "Å", 1e-10),
    ("nanometer", "nm", 1e-9),
    ("micrometer", "µm", 1e-6),
    ("millimeter", "mm", 1e-3),
    ("centimeter", "cm", 1e-2),
    ("inch", "in", 0.0254),
    ("decimeter", "dm", 1e-1),
    ("meter", "m", 1.0),
    ("kilometer", "km", 1e3),
)

#: Full name, symbol in OME-XML, length in seconds.
_TIMES = (
    ("nanosecond", "ns", 1e-9),
    ("microsecond", "µs", 1e-6),
    ("millisecond", "ms", 1e-3),
    ("second", "s", 1.0),
    ("minute", "min", 60.0),
    ("hour", "h", 3600.0),
    ("day", "d", 86400.0),
)

METRES = {name: size for name, _, size in _LENGTHS}
SECONDS = {name: size for name, _, size in _TIMES}
SYMBOLS = {name: symbol for name, symbol, _ in (*_LENGTHS, *_TIMES)}

_OTHER_NAMES = {
    "micron": "micrometer",
    "microns": "micrometer",
    "um": "micrometer",
    "us": "microsecond",
    "sec": "second",
    "minutes": "minute",
    "hours": "hour",
    "inches": "inch",
    "pixels": PIXEL,
    "px": PIXEL,
    "": PIXEL,
}
_NAMES = {symbol: name for name, symbol in SYMBOLS.items()} | _OTHER_NAMES


def unit_name(text: str | None) -> str:
    """Return the full name of a unit as files write it, such as "µm", "um" or "micron".

    Unknown units are returned unchanged.
    """
    # ImageJ escapes the sign, and the sign itself is either the micro sign or the Greek letter.
    word = (text or "").strip().replace("\\u00B5", "µ").replace("μ", "µ")
    if word in _NAMES:
        return _NAMES[word]
    singular = word.lower().removesuffix("s").replace("metre", "meter")
    return singular if singular in SYMBOLS else _NAMES.get(word.lower(), word)


def symbol(unit: str) -> str:
    """Return the symbol of a unit by its full name, such as "µm"; unknown ones are unchanged."""
    return "px" if unit == PIXEL else SYMBOLS.get(unit, unit)


def factor(unit: str, wanted: str) -> float:
    """Return how many of `wanted` one `unit` is.

    Raises
    ------
    ValueError
        If they are not two known lengths, or two known times.
    """
    if unit == wanted:
        return 1.0
    for sizes in (METRES, SECONDS):
        if unit in sizes and wanted in sizes:
            # A quotient of binary fractions would be 999.9999999999999 nm for 1 µm.
            return float(Fraction(repr(sizes[unit])) / Fraction(repr(sizes[wanted])))
    raise ValueError(
        f"{unit!r} cannot be converted to {wanted!r}: both must be known lengths, or known times."
    )


def in_one_unit(lengths: dict[str, float], units: dict[str, str]) -> dict[str, float]:
    """Return lengths, each with a unit of its own, in the unit of the first of them."""
    wanted = next(iter(units.values()), PIXEL)
    return {axis: length * factor(units[axis], wanted) for axis, length in lengths.items()}
