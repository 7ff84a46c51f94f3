"""Parts that stand twice in a picture, turned, mirrored, scaled or with another contrast."""

from __future__ import annotations

from typing import Any

import napari_diffusion as nd
from benchmarks.traces.copied import FOUND, copies_table, measured_copies
from benchmarks.traces.moved import COPIES
from benchmarks.traces.pictures import PNG

ROWS = (
    *((name, PNG) for name in COPIES),
    *((name, "JPEG-85") for name in ("moved", "mirrored", "turned 15°")),
)


def measured(seeds: int) -> dict[str, Any]:
    """Return F1 of all copies, and alarms."""
    return measured_copies(nd.forensics.Copies(), ROWS, seeds)


def lines(values: dict[str, Any]) -> list[str]:
    """Return the section of the page."""
    return [
        "## Copies within an image",
        "",
        "A part of 3 % of the middle of a photograph, at most 512², is copied elsewhere; its edge "
        f"is feathered. Found: F1 ≥ {FOUND:g}, of both outlines with the changed pixels. Held "
        "to: PNG ≥ 80 % found with F1 ≥ .85, JPEG-85 ≥ 50 % found.",
        "",
        *copies_table(ROWS, values),
    ]
