"""Whole images that were enlarged or stretched: how often something is said, and if untouched."""

from __future__ import annotations

from typing import Any

import napari_diffusion as nd
from benchmarks.study.cases import share
from benchmarks.traces.changes import CHANGES
from benchmarks.traces.pictures import PNG, picture, rng_of, whole_picture
from benchmarks.traces.reader import read
from benchmarks.traces.vetted import Crop, crops
from benchmarks.traces.whole import enlarged, stretched, upsampled

NOTHING = ("Nothing that this method can see", "There is nothing to read")
UNTOUCHED = "untouched"

_ORDERS = {"nearest neighbour": 0, "linear": 1, "cubic": 3}

# What is done, by the trace that shows it.
CASES: dict[str, dict[str, Any]] = {
    "Enlarged": {
        UNTOUCHED: lambda values: values,
        **{
            f"× {factor}, {name}": lambda values, f=factor, o=order: enlarged(values, f, o)
            for factor in (2, 3, 4)
            for name, order in _ORDERS.items()
        },
    },
    "UpsamplingPeaks": {UNTOUCHED: lambda values: values, "learned kernel": upsampled},
    "Levels": {
        UNTOUCHED: lambda values: values,
        "contrast × 1.3": stretched,
        "a part in one grey": lambda values: CHANGES["erased"](values, rng_of("erased"))[0],
    },
}


def first_crops() -> list[Crop]:
    """Return one crop of each photograph."""
    found = {crop.photograph: crop for crop in reversed(crops())}
    return list(found.values())


def measured(seeds: int) -> dict[str, Any]:
    """Return [trace, case, saved as, photograph, something said, refused] of all."""
    del seeds
    rows = []
    for trace, cases in CASES.items():
        chosen: nd.forensics.Trace = _trace(trace)
        for case, change in cases.items():
            for kept in (PNG, "JPEG-85"):
                for crop in first_crops():
                    seen = read(chosen, change(picture(crop)), kept)
                    rows.append([trace, case, kept, crop.photograph, said(seen.reading), seen.why])
            print(trace, case, sum(row[4] for row in rows if row[1] == case), flush=True)
    moon = read(_trace("Enlarged"), whole_picture("moon")).reading
    return {"rows": rows, "moon": "refused" if moon is None else " ".join(moon.remarks)}


def _trace(name: str) -> Any:
    return next(cls for cls in nd.forensics.TRACES if cls.__name__ == name)()


def said(reading: nd.forensics.Reading | None) -> bool:
    """Say whether a trace sees something."""
    return reading is not None and not reading.remarks[0].startswith(NOTHING)


def lines(values: dict[str, Any]) -> list[str]:
    """Return the section of the page."""
    made = [
        "## Enlarged, upsampled, stretched",
        "",
        "One crop of each photograph; how often something is said.",
        "",
        "| trace | done | PNG | JPEG-85 |",
        "|---|---|--:|--:|",
    ]
    for trace, cases in CASES.items():
        for case in cases:
            cells = []
            for kept in (PNG, "JPEG-85"):
                these = [row for row in values["rows"] if row[:3] == [trace, case, kept]]
                cells.append(share(sum(row[4] for row in these), len(these)))
            made.append(f"| {trace} | {case} | {' | '.join(cells)} |")
    return [*made, "", f"The moon, which was enlarged by 2: {values['moon']}", ""]
