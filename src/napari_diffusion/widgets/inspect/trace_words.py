"""What a trace assumes and what else looks the same, in view as long as it is selected."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_diffusion.widgets.plots.plot import short

if TYPE_CHECKING:
    from napari_diffusion.forensics import Number, Reading, Trace

_NULLS = {
    "a-contrario": "Compared with chance: NFA is the number of such findings that chance gives.",
    "reference": "Compared with the reference.",
    "same image": "Compared with the rest of the same image: ranks, not chances.",
    "none": "Compared with nothing: it is shown as it is.",
}


def limits_words(trace: Trace) -> str:
    """Return what a trace assumes, what else looks the same, and what it is compared with."""
    found = [f"Assumes: {trace.assumes}"] if trace.assumes else []
    if trace.misleads:
        found.append("This also happens with: " + " ".join(trace.misleads))
    return "\n".join([*found, _NULLS[trace.null]])


def findings_words(reading: Reading) -> str:
    """Return the remarks of a reading, and its numbers."""
    return "\n".join([*reading.remarks, *map(_number_words, reading.numbers)])


def facts_words(reading: Reading) -> str:
    """Return what the file says, a line for each fact."""
    return "\n".join(f"{name}: {text}" for name, text in reading.facts)


def _number_words(number: Number) -> str:
    words = f"{number.name}: {short(number.value)}" if math.isfinite(number.value) else ""
    if not words:
        return f"{number.name}: no value"
    if math.isfinite(number.low) and math.isfinite(number.high):
        words += f" (95 %: {short(number.low)} to {short(number.high)})"
    return f"{words}; {number.words}" if number.words else words
