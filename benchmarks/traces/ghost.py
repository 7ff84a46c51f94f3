"""Parts that were compressed once more than the rest, on the same block grid."""

from __future__ import annotations

from typing import Any

import napari_diffusion as nd
from benchmarks.traces.mapped import Row, measured_rows, table
from benchmarks.traces.pictures import PNG

_ON, _OFF = "JPEG-75 on the grid", "JPEG-75 off the grid"

ROWS = (
    Row("part JPEG-75 on the grid", _ON, PNG, nd.forensics.Ghost(), target=0.95),
    Row("part JPEG-75 on the grid", _ON, "JPEG-95", nd.forensics.Ghost(), target=0.95),
    Row("part JPEG-75 off the grid", _OFF, PNG, nd.forensics.Ghost()),
)


def measured(seeds: int) -> dict[str, Any]:
    """Return AUCs."""
    return {"rows": measured_rows(ROWS, seeds)}


def lines(values: dict[str, Any]) -> list[str]:
    """Return the section of the page."""
    return [
        "## Ghost",
        "",
        *table(ROWS, values["rows"]),
        "",
        "Off the grid nothing is claimed: there the block grid is read.",
        "",
    ]
