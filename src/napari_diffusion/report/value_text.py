"""Numbers and texts as a page shows them."""

from __future__ import annotations

import math
import numbers

from napari_diffusion.core.readable_name import readable_text

# Texts of records come from anyone, and are as long as somebody wanted.
_LONGEST_TEXT = 4000


def cell(value: object, most: int = 200) -> str:
    """Return a value as a table shows it; a dash for what is no number."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return "–" if value is None else shortened(str(value), most)
    if isinstance(value, numbers.Integral):
        return str(int(value)).replace("-", "\N{MINUS SIGN}")
    return number(float(value))


def number(value: float) -> str:
    """Return a number with four digits."""
    if math.isnan(value):
        return "–"
    said = f"{value:.0f}" if 1e4 <= abs(value) < 1e7 else f"{value:.4g}"
    return said.replace("-", "\N{MINUS SIGN}").replace("inf", "∞")


def shortened(given: str, most: int = _LONGEST_TEXT) -> str:
    """Return a text that a page can hold: no control characters, and not longer than `most`."""
    said = readable_text(given[: most + 1])
    return said if len(said) <= most else f"{said[: most - 1]}…"
