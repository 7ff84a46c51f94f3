"""Parts that were compressed once more than the rest, on the same block grid."""

from __future__ import annotations

from typing import Any

import napari_diffusion as nd
from benchmarks.study.cases import share
from benchmarks.traces.changes import OF_NO_JPEG
from benchmarks.traces.mapped import Row, measured_rows, table, untouched
from benchmarks.traces.pictures import PNG

_ON, _OFF = "JPEG-75 on the grid", "JPEG-75 off the grid"

ROWS = (
    Row("part JPEG-75 on the grid", _ON, PNG, nd.forensics.Ghost(), target=0.95),
    Row("part JPEG-75 on the grid", _ON, "JPEG-95", nd.forensics.Ghost(), target=0.95),
    Row("part JPEG-75 off the grid", _OFF, PNG, nd.forensics.Ghost()),
)


def measured(seeds: int) -> dict[str, Any]:
    """Return AUCs, and the untouched crops of which a region is named."""
    trace = nd.forensics.Ghost()
    alarms = {kept: untouched(trace, kept, _named) for kept in (PNG, "JPEG-85")}
    return {"rows": measured_rows(ROWS, seeds), "untouched": alarms}


def _named(reading: nd.forensics.Reading) -> bool:
    return reading.remarks[0].startswith("A region")


def lines(values: dict[str, Any]) -> list[str]:
    """Return the section of the page."""
    made = [
        "## Ghost",
        "",
        *table(ROWS, values["rows"]),
        "",
        OF_NO_JPEG,
        "",
        "Off the grid nothing is claimed: there the block grid is read.",
        "",
    ]
    for kept, rows in values.get("untouched", {}).items():
        raised = [row[0] for row in rows if row[2]]
        named = f" ({', '.join(raised)})" if raised else ""
        made += [
            f"Untouched crops saved as {kept} of which a region is named: "
            f"{share(len(raised), len(rows))}{named}.",
            "",
        ]
    return made
