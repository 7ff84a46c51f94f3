"""Parts that stand twice in a picture, by their outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.study.cases import share
from benchmarks.traces.mapped import untouched
from benchmarks.traces.moved import COPIES, LEAST_STRUCTURE, structure_of_part
from benchmarks.traces.pictures import PNG, picture, rng_of, whole_picture
from benchmarks.traces.reader import read
from benchmarks.traces.scores import f1, interval, outlined, shown
from benchmarks.traces.vetted import LARGE, large_crops

if TYPE_CHECKING:
    import napari_diffusion as nd

# A copy is found from this F1 on.
FOUND = 0.5

# Photographs in which something stands twice.
_CLONED = ("grass", "gravel")

# A copy by its name, and how it is saved.
Rows = tuple[tuple[str, str], ...]


def measured_copies(trace: nd.forensics.Trace, rows: Rows, seeds: int) -> dict[str, Any]:
    """Return F1 of all copies, alarms on untouched crops, and what is said of cloned textures."""
    found = []
    for k, (name, kept) in enumerate(rows):
        for crop in large_crops():
            for seed in range(seeds):
                made, mask = COPIES[name](picture(crop, LARGE), rng_of(crop.name, name, seed))
                seen = read(trace, made, kept)
                structure = structure_of_part(picture(crop, LARGE), rng_of(crop.name, name, seed))
                found.append([k, crop.photograph, _scored(seen.reading, mask), seen.why, structure])
        print(name, kept, np.median([row[2] for row in found if row[0] == k]), flush=True)
    alarms = {
        kept: untouched(trace, kept, lambda reading: bool(reading.places), large=True)
        for kept in (PNG, "JPEG-85")
    }
    cloned = {name: _said(read(trace, whole_picture(name)).reading) for name in _CLONED}
    return {"rows": found, "untouched": alarms, "cloned": cloned}


def _scored(reading: nd.forensics.Reading | None, mask: Any) -> float:
    """Return F1 of both places of all pairs."""
    if reading is None:
        return 0.0
    polygons = [each.outline for each in reading.places]
    polygons += [each.partner for each in reading.places if each.partner is not None]
    return f1(outlined(polygons, mask.shape), mask)


def _said(reading: nd.forensics.Reading | None) -> str:
    if reading is None:
        return "refused."
    return f"{len(reading.places)} pairs. {reading.remarks[0]}"


def copies_table(rows: Rows, values: dict[str, Any]) -> list[str]:
    """Return the lines of a table, and what follows it."""
    made = [
        "| copy | saved as | found | median F1 | median F1 of those found |",
        "|---|---|--:|--:|--:|",
    ]
    for k, (name, kept) in enumerate(rows):
        these = [row for row in values["rows"] if row[0] == k]
        made.append(f"| {name} | {kept} | {' | '.join(_cells(these))} |")
    for kept in dict.fromkeys(row[1] for row in rows):
        these = [row for row in values["rows"] if rows[row[0]][1] == kept]
        made.append(f"| **all** | {kept} | {' | '.join(_cells(these))} |")
        showing = [row for row in these if row[4] >= LEAST_STRUCTURE]
        made.append(f"| **all that show something** | {kept} | {' | '.join(_cells(showing))} |")
    made += [
        "",
        "A part shows something where its details 1 to 4 pixels wide have a spread of "
        f"{LEAST_STRUCTURE:g} of 256 levels: of empty sky a copy shows noise alone.",
        "",
    ]
    for kept, crops_ in values["untouched"].items():
        raised = [row[0] for row in crops_ if row[2]]
        named = f" ({', '.join(raised)})" if raised else ""
        made += [
            f"Untouched images with a pair, {kept}: {share(len(raised), len(crops_))}{named}.",
            "",
        ]
    made += ["Textures with cloned regions:", ""]
    return [*made, *(f"- {name}: {said}" for name, said in values["cloned"].items()), ""]


def _cells(rows: list[Any]) -> list[str]:
    good = [row for row in rows if row[2] >= FOUND]
    values = [
        shown(interval([r[1] for r in these], [r[2] for r in these], median=True)) if these else "–"
        for these in (rows, good)
    ]
    return [share(len(good), len(rows)), *values]
