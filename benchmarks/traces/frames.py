"""Frames that stand still or come again, after coding as a video."""

from __future__ import annotations

from typing import Any

import numpy as np

import napari_diffusion as nd
from benchmarks.traces import moving
from benchmarks.traces.scores import interval, shown
from benchmarks.traces.vetted import crops

# Below this ratio, that of the trace, a step stands still.
STILL = nd.forensics.Frames().ratio


def measured(seeds: int) -> dict[str, Any]:
    """Return a row for each sequence and coding: still steps found, false ones, ratios."""
    rows = []
    for name in dict.fromkeys(crop.photograph for crop in crops()):
        for seed in range(seeds):
            if not moving.has_room(name):
                continue
            frames = moving.panned(name, seed)
            for quality in moving.CODED:
                rows.append([name, quality, *_row(frames, quality)])
                print(*rows[-1], flush=True)
    return {"rows": rows, "ultrasound": _ratios(moving.ultrasound())[1]}


def _row(frames: Any, quality: int | None) -> list[float]:
    first, length = moving.FROZEN
    held = np.zeros(len(frames) - 1, bool)
    held[first : first + length] = True
    still, _ = _ratios(moving.coded(moving.frozen(frames), quality))
    _, again = _ratios(moving.coded(moving.repeated(frames), quality))
    alone, least = _ratios(moving.coded(frames, quality))
    found, false = (int(np.sum((still < STILL) & part)) for part in (held, ~held))
    return [found, false, int(np.sum(alone < STILL)), again, least]


def _ratios(frames: Any) -> tuple[Any, float]:
    """Return how still each step is, and the least distance of two runs against the usual."""
    reading = nd.forensics.Frames()(frames.astype(np.uint8), axes="tyx")
    still = next(c for c in reading.curves if c.name == "from each frame to the next")
    # Where coding left hardly any step with a change, no two runs are apart: nothing returns.
    return np.array(still.y), next((n.value for n in reading.numbers if "two runs" in n.name), 1.0)


def lines(values: dict[str, Any]) -> list[str]:
    """Return the section of the page."""
    rows = values["rows"]
    names = dict.fromkeys(row[0] for row in rows)
    made = [
        "## Frames",
        "",
        f"A camera led by hand over {len(names)} photographs, where they hold most of 8 places "
        f"drawn at random, {moving.COUNT} frames of "
        f"{moving.SIDE}² with noise of {moving.SIGMA:g}; {moving.FROZEN[1]} steps stand still, or "
        f"{moving.REPEATED[1]} frames come again. Coded as H.264 by x264 with the rate factor crf. "
        f"Held to: 7 of {moving.FROZEN[1]} steps found, and a ratio below 0.5 up to crf 23. Still: "
        f"a ratio below {STILL:g}. Others called still are all steps but those, of "
        f"{moving.COUNT - 1} a sequence.",
        "",
        f"| coded | still steps found, of {moving.FROZEN[1]} | others called still | steps called "
        "still, untouched | run that came again: ratio below 0.5, largest | ratio, untouched: "
        "least |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for quality in dict.fromkeys(row[1] for row in rows):
        these = [row for row in rows if row[1] == quality]
        found = interval([row[0] for row in these], [row[2] for row in these])
        made.append(
            f"| {'without loss' if quality is None else f'crf {quality}'} | {shown(found)}, at "
            f"least {min(row[2] for row in these)} | {sum(row[3] for row in these)} | "
            f"{sum(row[4] for row in these)} | {sum(row[5] < STILL for row in these)} of "
            f"{len(these)}, {max(row[5] for row in these):.2f} | "
            f"{min(row[6] for row in these):.2f} |"
        )
    return [
        *made,
        "",
        f"A beating heart under ultrasound (30 frames, nothing done to it) has a least ratio of "
        f"{values['ultrasound']:.2f}: its motion is periodic.",
        "",
    ]
