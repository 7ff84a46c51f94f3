"""What a trace has read, in lines of text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_diffusion.widgets.plots.plot import short

if TYPE_CHECKING:
    from napari_diffusion.forensics import Number, Reading


def details_words(reading: Reading) -> str:
    """Return the remarks after the first, the numbers, and what the file says, a line for each."""
    facts = (f"{name}: {text}" for name, text in reading.facts)
    return "\n".join([*reading.remarks[1:], *map(_number_words, reading.numbers), *facts])


def _number_words(number: Number) -> str:
    words = f"{number.name}: {short(number.value)}" if math.isfinite(number.value) else ""
    if not words:
        return f"{number.name}: no value"
    if math.isfinite(number.low) and math.isfinite(number.high):
        words += f" (95 %: {short(number.low)} to {short(number.high)})"
    return f"{words}; {number.words}" if number.words else words
