"""Regions whose JPEG blocks begin elsewhere."""

from __future__ import annotations

from typing import Any

import napari_diffusion as nd
from benchmarks.study.cases import share
from benchmarks.traces.mapped import Row, measured_rows, table, untouched
from benchmarks.traces.pictures import PNG, whole_picture
from benchmarks.traces.reader import read
from benchmarks.traces.vetted import POSITIVES, positives

ROWS = (
    Row("part JPEG-75 off the grid", "JPEG-75 off the grid", PNG, nd.forensics.BlockGrid(),
        target=0.97),
    Row("part JPEG-75 off the grid", "JPEG-75 off the grid", "JPEG-95", nd.forensics.BlockGrid()),
)  # fmt: skip


def measured(seeds: int) -> dict[str, Any]:
    """Return AUCs, alarms on untouched crops, and what is said of photographs with a history."""
    trace = nd.forensics.BlockGrid()
    known = {}
    for name in positives():
        reading = read(trace, whole_picture(name)).reading
        known[name] = "refused" if reading is None else " ".join(reading.remarks)
    return {
        "rows": measured_rows(ROWS, seeds),
        "untouched": {kept: untouched(trace, kept, _alarm) for kept in (PNG, "JPEG-85")},
        "known": known,
    }


def _alarm(reading: nd.forensics.Reading) -> bool:
    """Say whether a region is listed with at most one false alarm."""
    return any((place.log10_nfa or 0.0) <= 0 for place in reading.places)


def lines(values: dict[str, Any]) -> list[str]:
    """Return the section of the page."""
    made = ["## Block grid", "", *table(ROWS, values["rows"]), ""]
    for kept, rows in values["untouched"].items():
        raised = [row for row in rows if row[2]]
        named = f" ({', '.join(row[0] for row in raised)})" if raised else ""
        made.append(
            f"Untouched crops saved as {kept} with a region listed: "
            f"{share(len(raised), len(rows))}{named}; refused: "
            f"{sum(bool(row[3]) for row in rows)}. Held to: at most 1 in 24."
        )
        made.append("")
    made += ["Photographs in which something is known to be there:", ""]
    made += [f"- {name} ({POSITIVES[name]}): {said}" for name, said in values["known"].items()]
    return [*made, ""]
