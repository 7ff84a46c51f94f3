"""What the attributes of an OME-Zarr say of an image; anybody can have written them."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, TypeAlias

from napari_diffusion.core.axis_names import FURTHER, axis_letters
from napari_diffusion.core.grid import CANONICAL
from napari_diffusion.io.file_image import Channel, NotReadable
from napari_diffusion.io.physical_size import frame_interval, pixel_sizes, places, warn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: Attributes of a zarr node, as its JSON has them.
Attributes: TypeAlias = dict[str, Any]

# Types of axes that have one letter whatever they are called.
_TYPES = ("time", "channel")

_VERSION = re.compile(r"(\d+)\.(\d+)")
_NEWEST = (0, 5)

_COLOUR = re.compile(r"#?([0-9A-Fa-f]{6})")


def dictionary(found: object) -> Attributes:
    """Return an entry that should be a JSON object; anything else is an empty one."""
    return found if isinstance(found, dict) else {}


def entries(found: object) -> list[Any]:
    """Return an entry that should be a JSON array; anything else is an empty one."""
    return found if isinstance(found, list) else []


def check_version(path: Path, metadata: Attributes, multiscale: Attributes) -> None:
    """Refuse versions that describe axes in another way."""
    version = str(multiscale.get("version", metadata.get("version", "")))
    match = _VERSION.match(version)
    if match and (int(match[1][:4]), int(match[2][:4])) > _NEWEST:
        raise NotReadable(
            f"{str(path)!r} is OME-Zarr {version}: versions up to 0.5 are supported, so save it "
            "as 0.5."
        )


def axis_entries(multiscale: Attributes, path: Path, ndim: int) -> list[Attributes]:
    """Return what is said of each axis; nothing if the axes are not named."""
    found = entries(multiscale.get("axes"))
    # Versions 0.1 and 0.2 name no axes: there are always five.
    found = found or (list(CANONICAL) if ndim == len(CANONICAL) else [])
    if found and len(found) != ndim:
        raise NotReadable(f"{str(path)!r} names {len(found)} axes, and its image has {ndim}.")
    # In 0.3 an axis is its name alone.
    return [{"name": axis} if isinstance(axis, str) else dictionary(axis) for axis in found]


def letters(axes: Sequence[Attributes], path: Path) -> str:
    """Return one letter of "tczyx" per axis; refuse axes that are none of these."""
    names = [str(e["type"] if e.get("type") in _TYPES else e.get("name", "")) for e in axes]
    found = axis_letters(names, CANONICAL)
    for letter, axis in zip(found, axes, strict=True):
        if letter == FURTHER:
            raise NotReadable(
                f"{str(path)!r} has an axis {axis.get('name')!r}: only t, c, z, y and x are "
                "supported."
            )
    return found


def transformed(name: str, ndim: int, *holders: Attributes) -> tuple[list[float], list[float]]:
    """Return scale and translation: those of the level, then those of all levels."""
    scale, moved = [1.0] * ndim, [0.0] * ndim
    for holder in holders:
        for each in map(dictionary, entries(holder.get("coordinateTransformations"))):
            kind = each.get("type")
            if kind == "identity":
                continue
            found = entries(each.get(kind)) if kind in ("scale", "translation") else []
            if len(found) != ndim:
                warn(
                    name, f"has a transformation that is not supported ({kind!r}): it is not used."
                )
                continue
            numbers = [_number(value) for value in found]
            if kind == "scale":
                scale = [a * b for a, b in zip(scale, numbers, strict=True)]
                # A place is known even where the scale is not.
                known = [n if math.isfinite(n) else 1.0 for n in numbers]
                moved = [a * b for a, b in zip(moved, known, strict=True)]
            else:
                moved = [a + b for a, b in zip(moved, numbers, strict=True)]
    return scale, moved


def placed(
    name: str, axes: str, described: Sequence[Attributes], scale: list[float], moved: list[float]
) -> Attributes:
    """Return lengths, place and units, as fields of a Source."""
    units = [str(each.get("unit") or "") for each in described]
    # A scale of 1 without a unit says nothing.
    said = {
        axis: (size, unit)
        for axis, size, unit in zip(axes, scale, units, strict=True)
        if unit or size != 1
    }
    lengths, unit = pixel_sizes(name, {axis: said[axis] for axis in said if axis in "zyx"})
    interval, time_unit = frame_interval(name, *said.get("t", (None, "")))
    lengths |= interval
    starts = {
        axis: (start, unit)
        for axis, start, unit in zip(axes, moved, units, strict=True)
        if axis != "c" and start
    }
    place = places(name, starts, lengths, unit, time_unit)
    return {"lengths": lengths, "place": place, "unit": unit, "time_unit": time_unit}


def channels(name: str, omero: object, count: int) -> tuple[Channel, ...]:
    """Return the channels that the metadata describe; none if there are not `count` of them."""
    found = entries(dictionary(omero).get("channels"))
    if not found:
        return ()
    if len(found) != count:
        warn(name, f"describes {len(found)} channels, and has {count}: their names are not used.")
        return ()
    return tuple(_channel(dictionary(each)) for each in found)


def _channel(found: Attributes) -> Channel:
    label, colour = found.get("label"), _COLOUR.fullmatch(str(found.get("color")))
    window = dictionary(found.get("window"))
    low, high = _number(window.get("start")), _number(window.get("end"))
    return Channel(
        name=label if isinstance(label, str) else "",
        colour=colour[1].upper() if colour else "",
        limits=(low, high) if math.isfinite(high - low) and low < high else None,
    )


def _number(value: object) -> float:
    """Return a number of JSON; NaN for anything else."""
    try:
        return float(value) if isinstance(value, (int, float)) else math.nan
    except OverflowError:
        return math.inf
