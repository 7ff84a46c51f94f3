"""What a run in passes takes, in words: what `run --plan` prints."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_diffusion.io.memory import written_bytes

if TYPE_CHECKING:
    from napari_diffusion.runs.passes.pass_plan import PassPlan
    from napari_diffusion.runs.run_input import RunInput


def plan_text(plan: PassPlan, read: RunInput, room: int, free: int) -> str:
    """Return lines on the passes and tiles of a run, and on what they take.

    Parameters
    ----------
    plan : PassPlan
        The plan.
    read : RunInput
        The source.
    room, free : int
        Bytes of disk that the run takes, and that there are.
    """
    tiling, passes = plan.tiling, len(plan.passes)
    steps = len({each.step for each in plan.passes})
    pixels = math.prod(read.source.image.shape) * read.computing_type.itemsize
    moved = pixels * passes * (plan.redundancy + 1)
    axes = read.options["axes"] or ""
    shown = [tiling.tile["tczyx".index(axis)] for axis in axes]
    lines = {
        "image": f"{' × '.join(map(str, read.source.image.shape))} ({axes}), "
        f"{written_bytes(pixels)} as computed",
        "passes": f"{passes} for {steps} steps",
        "tiles": f"{tiling.count} of {' × '.join(map(str, shown))}, {plan.at_once} at once",
        "redundancy": f"{plan.redundancy:.2f} pixels are filtered for each of the image",
        "memory": f"{written_bytes(plan.at_once * plan.tile_bytes)} for the tiles",
        "disk": f"{written_bytes(room)} needed, {written_bytes(free)} free",
        "transfers": f"{written_bytes(moved)} read and written",
        "time": f"about {_duration(plan.seconds)} on this machine",
    }
    return "\n".join(f"{name:<11} {text}" for name, text in lines.items())


def _duration(seconds: float) -> str:
    """Return a time as people say it."""
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.2g} {unit}"
    return f"{max(seconds, 1):.0f} s"
