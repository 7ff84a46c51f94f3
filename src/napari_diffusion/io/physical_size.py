"""Pixel sizes, places and frame intervals from what files say of them.

What cannot be understood is unknown: it is warned of, and never becomes a number.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

from napari_diffusion.core.units import FRAME, METRES, PIXEL, SECONDS, factor, symbol, unit_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    #: A number as a file has it, and the unit as it is written there.
    Quantity = tuple[object, str]

# Beyond these the squares that filters compute with leave the range of numbers.
_LEAST, _MOST = 1e-100, 1e100


def pixel_sizes(name: str, found: Mapping[str, Quantity]) -> tuple[dict[str, float], str]:
    """Return the pixel size of each axis that has one, and their unit.

    Parameters
    ----------
    name : str
        Of the file, for warnings.
    found : mapping
        What the file says of z, y and x: a value, a number or text, and its unit, "" for pixels.
        None and empty text say nothing.

    Returns
    -------
    lengths : dict
        Greater than 0, in the unit of the first axis with a unit of length.
    unit : str
        Full name; "pixel" if there is none.
    """
    lengths: dict[str, float] = {}
    units: dict[str, str] = {}
    for axis, (value, unit) in found.items():
        length = _length(name, f"pixel size along {axis}", value)
        if length is not None:
            lengths[axis], units[axis] = length, unit_name(unit)
    return _in_one_unit(name, lengths, units)


def frame_interval(name: str, value: object, unit: str) -> tuple[dict[str, float], str]:
    """Return ``{"t": interval}`` and the unit of time; an empty dict if the interval is unknown."""
    interval = _length(name, "frame interval", value)
    if interval is None:
        return {}, FRAME
    time_unit = unit_name(unit)
    if time_unit == PIXEL:
        return {"t": interval}, FRAME
    if time_unit not in SECONDS and time_unit != FRAME:
        warn(name, f"has a frame interval in an unknown unit, {unit!r}: it is not used.")
        return {}, FRAME
    return {"t": interval}, time_unit


def places(
    name: str,
    found: Mapping[str, Quantity],
    lengths: Mapping[str, float],
    unit: str,
    time_unit: str = FRAME,
) -> dict[str, float]:
    """Return where the first pixel lies along each axis, in the units of the pixel sizes.

    Places of axes without a pixel size count pixels, whose size is 1.
    """
    kept: dict[str, float] = {}
    for axis, (value, given) in found.items():
        place = _number(value)
        if place is None or not abs(place) <= _MOST:
            if value not in (None, ""):
                warn(name, f"has no usable position along {axis} (got {value!r}): 0 is used.")
            continue
        wanted = time_unit if axis == "t" else unit
        try:
            place *= factor(_called(given, axis, wanted), wanted)
        except ValueError:
            if place:
                warn(name, f"has a position along {axis} in {given!r}, not in {wanted}: 0 is used.")
            continue
        kept[axis] = place
    return kept if any(kept.values()) else {}


def warn(name: str, text: str) -> None:
    """Warn of what a file says; `text` is the rest of a sentence that begins with its name."""
    warnings.warn(f"{name} {text}", stacklevel=2)


def _called(given: str, axis: str, wanted: str) -> str:
    called = unit_name(given)
    return FRAME if axis == "t" and called == PIXEL and wanted == FRAME else called


def _length(name: str, what: str, value: object) -> float | None:
    """Return a length greater than 0; None, with a warning, for what is none."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    length = _number(value)
    if length is None or not _LEAST <= abs(length) <= _MOST:
        warn(name, f"has no usable {what} (got {value!r}): it is unknown.")
        return None
    if length < 0:
        warn(name, f"has a negative {what} ({value}): {-length:g} is used.")
    return abs(length)


def _number(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _in_one_unit(
    name: str, lengths: dict[str, float], units: dict[str, str]
) -> tuple[dict[str, float], str]:
    """Return the lengths in one unit; axes that cannot be converted to it are left out."""
    known = [unit for unit in units.values() if unit in METRES]
    others = [unit for unit in units.values() if unit != PIXEL]
    wanted = next(iter(known or others), PIXEL)
    kept: dict[str, float] = {}
    for axis, length in lengths.items():
        try:
            kept[axis] = length * factor(units[axis], wanted)
        except ValueError:
            warn(
                name,
                f"has a pixel size along {axis} in {symbol(units[axis])}, beside others in "
                f"{symbol(wanted)}: it is unknown along {axis}.",
            )
    return kept, wanted
