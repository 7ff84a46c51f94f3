"""A measured number in words: no digit that was not measured."""

from __future__ import annotations

import math


def measured_text(value: float, error: float) -> str:
    """Return a number with the digits that its standard error leaves, empty where it leaves none.

    Examples
    --------
    >>> from napari_diffusion.estimate.measured_text import measured_text
    >>> measured_text(2.2034, 0.04), measured_text(2.2034, 0.6), measured_text(0.4, 0.5)
    ('2.20', '2.2', '')
    """
    if not value:
        return "0"
    if not error:
        return f"{value:.3g}"
    if error >= abs(value):
        return ""
    first = math.floor(math.log10(abs(value)))
    places = min(-math.floor(math.log10(error)), 3 - first)
    if not -4 <= first < 6:
        return f"{value:.{first + places + 1}g}"
    return f"{round(value, places):.{max(places, 0)}f}"
