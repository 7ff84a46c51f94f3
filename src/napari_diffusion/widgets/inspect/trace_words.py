"""What a trace has read, in lines of text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_diffusion.widgets.plots.plot import short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_diffusion.forensics import Number, Place, Reading, Trace

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

# From this power on downwards a number is written as a power of ten.
_SMALL = -3.0

_OPEN = "Open the image with File ▸ Open, or drop its file in the window."
_TIME = "If these are frames, choose “time” as the first axis."


def details_words(reading: Reading) -> str:
    """Return the remarks after the first, the numbers, and what the file says, a line for each."""
    facts = (f"{name}: {text}" for name, text in reading.facts)
    return "\n".join([*reading.remarks[1:], *map(_number_words, reading.numbers), *facts])


def place_words(place: Place) -> str:
    """Return what a place is: what is there, and the number of false alarms."""
    if place.log10_nfa is None:
        return place.words
    return "; ".join([*[place.words] * bool(place.words), alarms_words(place.log10_nfa)])


def places_words(places: Sequence[Place]) -> str:
    """Return a line for each place, with the number that it has in the image."""
    lines = []
    for number, place in enumerate(places, 1):
        where = f"plane {', '.join(map(str, place.plane))}" if place.plane else ""
        lines.append(f"{number}  {'; '.join(filter(None, (where, place_words(place))))}".rstrip())
    return "\n".join(lines)


def alarms_words(log10_nfa: float) -> str:
    """Return a number of false alarms in words, from its logarithm."""
    if log10_nfa > _SMALL:
        return f"false alarms: {10**log10_nfa:.2g}"
    return f"false alarms: 10{str(math.ceil(log10_nfa)).translate(_RAISED)}"


def cure_words(trace: Trace, why_not: str, has_file: bool, letters: str) -> str:
    """Return why a trace cannot be read, with what can be done about it in the window."""
    if why_not and "file" in trace.needs and not has_file:
        return f"{why_not} {_OPEN}"
    if why_not and "frames" in trace.needs and "t" not in letters and "z" in letters:
        return f"{why_not} {_TIME}"
    return why_not


def _number_words(number: Number) -> str:
    words = f"{number.name}: {short(number.value)}" if math.isfinite(number.value) else ""
    if not words:
        return f"{number.name}: no value"
    if math.isfinite(number.low) and math.isfinite(number.high):
        words += f" (95 %: {short(number.low)} to {short(number.high)})"
    return f"{words}; {number.words}" if number.words else words
