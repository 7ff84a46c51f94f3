"""Parts that were compressed more or less often than the rest, on the same block grid."""

from __future__ import annotations

from typing import Any

import napari_diffusion as nd
from benchmarks.study.cases import share
from benchmarks.traces.changes import OF_NO_JPEG, changed
from benchmarks.traces.mapped import Row, measured_rows, table, untouched
from benchmarks.traces.reader import read
from benchmarks.traces.vetted import crops

_DOUBLE = nd.forensics.DoubleQuantisation()
_NEVER = "never JPEG in JPEG-75"

ROWS = (
    Row("part never JPEG, rest JPEG-75 before", _NEVER, "JPEG-95", _DOUBLE, target=0.98),
    Row("part never JPEG, rest JPEG-75 before", _NEVER, "JPEG-85", _DOUBLE, target=0.98),
)

# Saved with the same steps twice: nothing can be seen, and that is said.
EQUAL = "JPEG-75"


def measured(seeds: int) -> dict[str, Any]:
    """Return AUCs, and what is seen in crops that were compressed once, at two qualities."""
    return {
        "rows": measured_rows(ROWS, seeds),
        "untouched": untouched(_DOUBLE, "JPEG-85", _seen),
        "equal": _equal(),
    }


def _equal() -> list[bool]:
    """Say for each crop whether anything is seen after the same quantisation twice."""
    seen = [read(_DOUBLE, changed(crop, _NEVER)[0], EQUAL).reading for crop in crops()]
    return [each is not None and _seen(each) for each in seen]


def _seen(reading: nd.forensics.Reading) -> bool:
    return bool(reading.maps)


def lines(values: dict[str, Any]) -> list[str]:
    """Return the section of the page."""
    alarms = [row[0] for row in values["untouched"] if row[2]]
    return [
        "## Double quantisation",
        "",
        *table(ROWS, values["rows"]),
        "",
        OF_NO_JPEG,
        "",
        f"Compressed twice at {EQUAL}: an earlier quantisation is seen in "
        f"{share(sum(values['equal']), len(values['equal']))}; elsewhere it says that it cannot be "
        "seen.",
        "",
        "Untouched crops saved once as JPEG-85 in which an earlier quantisation is seen: "
        f"{share(len(alarms), len(values['untouched']))}{': ' if alarms else ''}"
        f"{', '.join(alarms)}. Those that ship as JPEG were quantised before.",
        "",
    ]
