"""The voxel size and the axes of a record, in words and units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.core.method_words import PIXEL, number
from napari_diffusion.core.units import FRAME, symbol, unit_name

if TYPE_CHECKING:
    from napari_diffusion.io.step_record import StepRecord

_ONE_BY_ONE = {"t": "frame", "z": "plane"}


def length_unit(record: StepRecord) -> tuple[str, float]:
    """Return the unit that a text gives lengths in, and how many of it a length of 1 is.

    Without a known unit lengths are given in pixels, those of the smallest spacing.
    """
    grid = record["grid"]
    unit = unit_name(grid.get("unit"))
    return (PIXEL, 1.0 / min(grid["spacing"])) if unit in (PIXEL, FRAME) else (symbol(unit), 1.0)


def grid_sentence(record: StepRecord) -> str:
    """Return along which axes the filters acted, the voxel size, and how channels were treated."""
    grid, size = record["grid"], _size(record)
    along = grid["along"]
    if "recipe" not in record:
        return f"{size[0].upper()}{size[1:]} ({along})."
    how = "in space and time" if "t" in along else f"in {len(along)}D"
    apart = [_ONE_BY_ONE[axis] for axis in "tz" if axis in grid["axes"] and axis not in along]
    one_by_one = f", {apart[-1]} by {apart[-1]}" if apart else ""
    return f"Filters acted {how} ({along}, {size}){one_by_one}{_channels(record)}."


def _size(record: StepRecord) -> str:
    """Return the voxel size, or how many pixels of the smallest spacing it has."""
    along, spacing = record["grid"]["along"], record["grid"]["spacing"]
    unit, per_length = length_unit(record)
    lengths = {axis: number(n * per_length) for axis, n in zip(along, spacing, strict=True)}
    if unit == PIXEL:
        if set(lengths.values()) == {"1"}:
            return "lengths in pixels"
        return f"relative spacing {':'.join(lengths.values())}, lengths in pixels of the smallest"
    space = [length for axis, length in lengths.items() if axis != "t"]
    what = "voxel" if len(space) > 2 else "pixel"
    said = f"{what} size {'×'.join(space)} {unit}" if space else ""
    frames = f"frames taken as {lengths['t']} {unit} apart" if "t" in lengths else ""
    return ", ".join(filter(None, (said, frames)))


def _channels(record: StepRecord) -> str:
    grid = record["grid"]
    if "c" not in grid["axes"] or (grid["rgb"] and grid["joint_channels"]):
        return ""
    return f", channels {'jointly' if grid['joint_channels'] else 'independently'}"
