"""Parts whose noise differs: smoothed, sampled anew, with noise added, filled in."""

from __future__ import annotations

from typing import Any

import napari_diffusion as nd
from benchmarks.traces.changes import SMOOTHERS
from benchmarks.traces.mapped import Row, measured_rows, table
from benchmarks.traces.pictures import PNG, picture
from benchmarks.traces.reader import read
from benchmarks.traces.scores import interval, shown
from benchmarks.traces.vetted import crops

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
    """Return AUCs, and how far untouched crops differ from the fit."""
    usual = {kept: _usual(kept) for kept in TARGETS}
    return {"rows": measured_rows(ROWS, seeds), "untouched": usual}


def _usual(kept: str) -> list[Any]:
    """Return [crop, photograph, least, most noise in spreads] of all that are not refused."""
    found = []
    for crop in crops():
        reading = read(nd.forensics.LocalNoise(), picture(crop), kept).reading
        if reading is not None:
            least, most = (number.value for number in reading.numbers[:2])
            found.append([crop.name, crop.photograph, least, most])
    return found


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
    for kept, crops_ in values.get("untouched", {}).items():
        least, most = (
            interval([row[1] for row in crops_], [row[k] for row in crops_], median=True)
            for k in (2, 3)
        )
        made += [
            f"Untouched crops, {kept}: the place with the least noise differs by {shown(least)} "
            f"spreads from the fit, that with the most by {shown(most)} (medians of "
            f"{len(crops_)}).",
            "",
        ]
    return made
