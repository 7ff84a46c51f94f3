"""Whole images that were enlarged or stretched: how often something is said, and if untouched."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import napari_diffusion as nd
from benchmarks.study.cases import share
from benchmarks.traces.changes import CHANGES
from benchmarks.traces.pictures import PNG, picture, rng_of, whole_picture
from benchmarks.traces.reader import read
from benchmarks.traces.vetted import Crop, crops
from benchmarks.traces.whole import enlarged, stretched, upsampled

UNTOUCHED = "untouched"

_ORDERS = {"nearest neighbour": 0, "linear": 1, "cubic": 3}

_COMB = ("levels are missing", "levels are too frequent", "quantized in steps")

# What is done, by the trace that shows it, and the words of which one must be said.
Case = tuple[Callable[[Any], Any], tuple[str, ...]]
CASES: dict[str, dict[str, Case]] = {
    "Enlarged": {
        UNTOUCHED: (lambda values: values, ("have period",)),
        **{
            f"× {factor}, {name}": (
                functools.partial(enlarged, factor=factor, order=order),
                (f"have period {factor} ",),
            )
            for factor in (2, 3, 4)
            for name, order in _ORDERS.items()
        },
    },
    "UpsamplingPeaks": {
        UNTOUCHED: (lambda values: values, ("has a peak",)),
        "learned kernel": (upsampled, ("has a peak",)),
    },
    "Levels": {
        f"{UNTOUCHED}, a comb": (lambda values: values, _COMB),
        "contrast × 1.3, a comb": (stretched, _COMB),
        f"{UNTOUCHED}, a constant part": (lambda values: values, ("constant part",)),
        "a part in one grey, a constant part": (
            lambda values: CHANGES["erased"](values, rng_of("erased"))[0],
            ("constant part",),
        ),
    },
}


def first_crops() -> list[Crop]:
    """Return one crop of each photograph."""
    found = {crop.photograph: crop for crop in reversed(crops())}
    return list(found.values())


def measured(seeds: int) -> dict[str, Any]:
    """Return [trace, case, saved as, photograph, something said, refused] of all."""
    del seeds
    rows: list[list[Any]] = []
    for trace, cases in CASES.items():
        chosen: nd.forensics.Trace = _trace(trace)
        for case, (change, words) in cases.items():
            for kept in (PNG, "JPEG-85"):
                for crop in first_crops():
                    seen = read(chosen, change(picture(crop)), kept)
                    rows.append(
                        [trace, case, kept, crop.photograph, said(seen.reading, words), seen.why]
                    )
            print(trace, case, sum(row[4] for row in rows if row[1] == case), flush=True)
    moon = read(_trace("Enlarged"), whole_picture("moon")).reading
    return {"rows": rows, "moon": "refused" if moon is None else " ".join(moon.remarks)}


def _trace(name: str) -> Any:
    return next(cls for cls in nd.forensics.TRACES if cls.__name__ == name)()


def said(reading: nd.forensics.Reading | None, words: Sequence[str]) -> bool:
    """Say whether a remark has any of the words."""
    remarks = () if reading is None else reading.remarks
    return any(each in remark for remark in remarks for each in words)


def lines(values: dict[str, Any]) -> list[str]:
    """Return the section of the page."""
    made = [
        "## Enlarged, upsampled, stretched",
        "",
        "One crop of each photograph; how often it is said, with the right factor. In a JPEG, "
        "factors 2 and 4 are not tried: they divide its blocks. Some photographs do have constant "
        "parts, such as an empty background, and combs from a scanner or a conversion to 8 bits.",
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
