"""The colours of maps: one palette for amounts, one for what may be below or above a middle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Viridis (Smith and van der Walt, CC0), and the red and blue of ColorBrewer (Brewer, Apache 2.0).
_AMOUNTS = "440154 482475 414487 355f8d 2a788e 21918c 22a884 44bf70 7ad151 bddf26 fde725"
_TWO_SIDES = "2166ac 4393c3 92c5de d1e5f0 f7f7f7 fddbc7 f4a582 d6604d b2182b"

#: Colours of a palette; one more entry stands for "no value".
COLOURS = 255


def palette(diverging: bool) -> NDArray[np.uint8]:
    """Return 255 colours in red, green and blue, from the lowest value to the highest."""
    anchors = (_TWO_SIDES if diverging else _AMOUNTS).split()
    known = np.array([[int(each[i : i + 2], 16) for i in (0, 2, 4)] for each in anchors])
    place, at = np.linspace(0, 1, COLOURS), np.linspace(0, 1, len(anchors))
    colours = [np.interp(place, at, known[:, k]) for k in range(3)]
    return np.rint(np.stack(colours, axis=1)).astype(np.uint8)


def stops(diverging: bool) -> tuple[tuple[int, str], ...]:
    """Return the colours of a colour bar: how far along in percent, and the colour."""
    anchors = (_TWO_SIDES if diverging else _AMOUNTS).split()
    return tuple((round(100 * k / (len(anchors) - 1)), f"#{c}") for k, c in enumerate(anchors))


def colour_at(share: float, diverging: bool = False) -> tuple[str, bool]:
    """Return the colour at 0 … 1 of a palette, and whether it is a dark one."""
    index = round(min(max(share, 0.0), 1.0) * (COLOURS - 1))
    red, green, blue = (int(each) for each in palette(diverging)[index])
    # The weights of the primaries in the perceived brightness (ITU-R BT.601).
    dark = 0.299 * red + 0.587 * green + 0.114 * blue < 140
    return f"#{red:02x}{green:02x}{blue:02x}", dark


def places(values: NDArray[np.float64], limits: tuple[float, float]) -> NDArray[np.uint8]:
    """Return the entry of the palette for each value; what is no number has the last one."""
    low, high = limits
    span = high - low if high > low else 1.0
    with np.errstate(invalid="ignore"):
        share = np.clip((values - low) / span, 0.0, 1.0)
    entries = np.where(np.isfinite(values), np.rint(share * (COLOURS - 1)), COLOURS)
    return entries.astype(np.uint8)
