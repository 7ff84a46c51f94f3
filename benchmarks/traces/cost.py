"""What reading a trace costs."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import napari_diffusion as nd
from benchmarks.traces.pictures import saved, whole_picture
from benchmarks.traces.reader import written

# The picture, and how it is saved: all traces can be read from a JPEG file.
NAME, KEPT = "hubble_deep_field", "JPEG-95"

# Frames of a sequence, of a megapixel in all.
_FRAMES = 16


def measured(seeds: int) -> dict[str, Any]:
    """Return seconds per megapixel of all traces: on the clock, and of both cores together."""
    values = saved(whole_picture(NAME), KEPT).astype(np.uint8)
    rows = []
    for cls in nd.forensics.TRACES:
        costs = [_cost(cls(), values) for _ in range(seeds + 1)]
        # The first compiles.
        best = min(costs[1:])
        rows.append([cls.__name__, *best])
        print(*rows[-1], flush=True)
    return {"rows": rows, "load": os.getloadavg()[0], "megapixels": values.size / 1e6}


def _cost(trace: nd.forensics.Trace, values: Any) -> tuple[float, float, str]:
    """Return seconds per megapixel on the clock and of all cores, and why nothing was read."""
    options: dict[str, Any] = {}
    if "frames" in trace.needs:
        side = values.shape[0] // 4
        values = np.lib.stride_tricks.sliding_window_view(values, (side, side))[::side, ::side]
        values, options = values.reshape(-1, side, side)[:_FRAMES], {"axes": "tyx"}
    if "second image" in trace.needs:
        half = values.shape[-1] // 2
        values, options["reference"] = values[..., :half], values[..., half:]
    with tempfile.TemporaryDirectory() as folder:
        plane = values if values.ndim == 2 else values[0]
        file = written(plane, KEPT, Path(folder))
        began, used = time.perf_counter(), time.process_time()
        try:
            why = ""
            trace(values, file=file, **options)
        except ValueError as error:
            why = str(error)
        wall, used = time.perf_counter() - began, time.process_time() - used
    return wall / (values.size / 1e6), used / (values.size / 1e6), why


def lines(values: dict[str, Any]) -> list[str]:
    """Return the section of the page."""
    made = [
        "## Cost",
        "",
        f"Seconds per megapixel, on an image of {values['megapixels']:.2f} megapixels; held to 3 "
        f"on 2 cores. When it was measured {values['load']:.0f} programs shared these cores: the "
        "time on the clock is that of a busy machine, the time of the cores is what was used.",
        "",
        "| trace | s on the clock | s of the cores | |",
        "|---|--:|--:|---|",
    ]
    made += [
        f"| {name} | {wall:.2f} | {used:.2f} | {why} |" for name, wall, used, why in values["rows"]
    ]
    return [*made, ""]
