"""Parts whose noise differs: smoothed, sampled anew, with noise added, filled in."""

from __future__ import annotations

from typing import Any

import napari_diffusion as nd
from benchmarks.traces.changes import SMOOTHERS
from benchmarks.traces.mapped import Row, measured_rows, table
from benchmarks.traces.pictures import PNG
from benchmarks.traces.scores import interval, shown

# Means over the smoothers are held to these, and the share of refused images.
TARGETS = {PNG: 0.82, "JPEG-85": 0.72}
MOST_REFUSED = 0.15

_RESAMPLED = {PNG: 0.90, "JPEG-85": 0.78}


def _rows() -> tuple[Row, ...]:
    trace = nd.forensics.LocalNoise()
    found = []
    for kept in TARGETS:
        found += [Row(name, f"smoothed: {name}", kept, trace, "less") for name in SMOOTHERS]
        found.append(Row("resampled × 1.3", "resampled × 1.3", kept, trace, "less",
                         target=_RESAMPLED[kept]))  # fmt: skip
        found += [Row(name, name, kept, trace, "less") for name in ("resampled × 1.1", "turned 7°")]
        found.append(Row("noise of 2", "noise 2", kept, trace, "more"))
        found.append(Row("in-painted, with noise", "in-painted, with noise", kept, trace, "more"))
    return tuple(found)


ROWS = _rows()


def measured(seeds: int) -> dict[str, Any]:
    """Return AUCs."""
    return {"rows": measured_rows(ROWS, seeds)}


def lines(values: dict[str, Any]) -> list[str]:
    """Return the section of the page."""
    made = ["## Local noise", "", *table(ROWS, values["rows"]), ""]
    for kept, target in TARGETS.items():
        wanted = [k for k, row in enumerate(ROWS) if row.kept == kept and row.title in SMOOTHERS]
        these = [each for each in values["rows"] if each[0] in wanted]
        mean = interval([each[1] for each in these], [each[2] for each in these])
        refused = sum(bool(each[3]) for each in these) / len(these)
        made += [
            f"Mean of the {len(wanted)} smoothers, {kept}: **{shown(mean)}**, held to {target:.2f}"
            f"; refused {100 * refused:.0f} %, held to {100 * MOST_REFUSED:.0f} %.",
            "",
        ]
    return made
