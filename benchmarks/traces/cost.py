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
from benchmarks.traces.vetted import SIDE

# The pictures, and how they are saved: all traces can be read from a JPEG file. A crop, as in the
# other parts, tells what is spent whatever the size.
NAMES, KEPT = ("hubble_deep_field", "particle_flow"), "JPEG-95"

# Frames of a sequence, of a megapixel in all.
_FRAMES = 16


def measured(seeds: int) -> dict[str, Any]:
    """Return seconds per megapixel of all traces: on the clock, and of both cores together."""
    large = [saved(whole_picture(name), KEPT).astype(np.uint8) for name in NAMES]
    pictures = [large[0][:SIDE, :SIDE], *large]
    rows = []
    for cls in nd.forensics.TRACES:
        # The first compiles.
        _cost(cls(), pictures[0])
        costs = [min(_cost(cls(), values) for _ in range(seeds)) for values in pictures]
        rows.append([cls.__name__, [each[:2] for each in costs], costs[-1][2]])
        print(*rows[-1], flush=True)
    shapes = [values.shape for values in pictures]
    return {"rows": rows, "load": os.getloadavg()[0], "shapes": shapes}


def _cost(trace: nd.forensics.Trace, values: Any) -> tuple[float, float, str]:
    """Return seconds per megapixel on the clock and of all cores, and why nothing was read."""
    options: dict[str, Any] = {}
    if "frames" in trace.needs:
        side = values.shape[0] // 4
        values = np.lib.stride_tricks.sliding_window_view(values, (side, side))[::side, ::side]
        values, options = values.reshape(-1, side, side)[:_FRAMES], {"axes": "tyx"}
    elif "second image" in trace.needs or trace.null == "reference":
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
    sizes = [f"{height} × {width}" for height, width in values["shapes"]]
    made = [
        "## Cost",
        "",
        f"Seconds per megapixel, on images of {', '.join(sizes)}; held to 3 on 2 cores. When it "
        f"was measured {values['load']:.0f} programs shared these cores: the time on the clock is "
        "that of a busy machine, the time of the cores is what was used.",
        "",
        "| trace | " + " | ".join(f"{size}: clock | cores" for size in sizes) + " | |",
        "|---|" + 2 * len(sizes) * "--:|" + "---|",
    ]
    for name, costs, why in values["rows"]:
        cells = " | ".join(f"{seconds:.2f}" for pair in costs for seconds in pair)
        made.append(f"| {name} | {cells} | {why} |")
    return [*made, ""]
