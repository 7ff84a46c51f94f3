"""Panels that overlap, in a folder of a hundred."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

import napari_diffusion as nd
from benchmarks.study.cases import share
from benchmarks.traces.moved import (
    LEAST_STRUCTURE,
    OVERLAP,
    PANEL,
    PANEL_CHANGES,
    is_placed_again,
    panels,
)
from benchmarks.traces.pictures import PNG, saved
from benchmarks.traces.unrelated import COUNT, unrelated
from benchmarks.traces.vetted import vetted

KEPT = (PNG, "JPEG-85")

# The number of false alarms that is allowed in a folder, shared by all of its pairs.
ALLOWED = 0.01


def measured(seeds: int) -> dict[str, Any]:
    """Return [photograph, change, saved as, found, log10 NFA], and the pairs of the folder."""
    del seeds
    pairs, rows = COUNT * (COUNT - 1) // 2, []
    for name in vetted():
        for change in PANEL_CHANGES:
            for kept in KEPT:
                both = [saved(each, kept).astype(np.uint8) for each in panels(name, change)]
                found = nd.forensics.compare_panels(
                    [("first", both[0]), ("second", both[1])], false_alarms=ALLOWED / pairs
                )
                nfa = found[0].place.log10_nfa if found else None
                rows.append([name, change, kept, bool(found), nfa])
        print(rows[-1], sum(row[3] for row in rows), len(rows), flush=True)
    again = [name for name in vetted() if is_placed_again(name)]
    return {"rows": rows, "again": again, "folder": {kept: _folder(kept) for kept in KEPT}}


def _folder(kept: str) -> dict[str, Any]:
    """Return the pairs that are listed among unrelated panels, and what comparing them took."""
    names, found = unrelated()
    images = [(n, saved(p, kept).astype(np.uint8)) for n, p in zip(names, found, strict=True)]
    began, used = time.perf_counter(), time.process_time()
    shared = nd.forensics.compare_panels(images, false_alarms=ALLOWED)
    listed = sorted({(each.first, each.second) for each in shared})
    print(kept, len(images), listed, time.perf_counter() - began, flush=True)
    return {
        "panels": len(images),
        "listed": [[*pair] for pair in listed],
        "seconds": time.perf_counter() - began,
        "cores": time.process_time() - used,
        "load": os.getloadavg()[0],
    }


def lines(values: dict[str, Any]) -> list[str]:
    """Return the section of the page."""
    rows = values["rows"]
    made = [
        "## Panels that overlap",
        "",
        f"Two panels of {PANEL}² or less, of which {100 * OVERLAP:.0f} % are the same; the second "
        f"is changed. Compared as in a folder of {COUNT}: {ALLOWED} false alarms are allowed in "
        f"all pairs together.{_placed_again(values)} Held to: ≥ 95 % found.",
        "",
        "| change | " + " | ".join(KEPT) + " |",
        "|---|" + "--:|" * len(KEPT),
    ]
    for change in (*PANEL_CHANGES, "**all**"):
        cells = []
        for kept in KEPT:
            these = [r[3] for r in rows if r[2] == kept and change in (r[1], "**all**")]
            cells.append(share(sum(these), len(these)))
        made.append(f"| {change} | {' | '.join(cells)} |")
    missed = sorted({row[0] for row in rows if not row[3]})
    made += ["", f"Some are missed of: {', '.join(missed) or 'none'}.", ""]
    for kept, folder in values["folder"].items():
        listed = "; ".join(" and ".join(pair) for pair in folder["listed"])
        made += [
            f"{folder['panels']} unrelated panels, {kept}: {len(folder['listed'])} pairs listed "
            f"(held to at most 1){': ' + listed if listed else ''}; {folder['seconds']:.0f} s on "
            f"the clock, {folder['cores']:.0f} s of the cores (held to 180 s on 2 cores), shared "
            f"with {folder['load']:.0f} programs.",
            "",
        ]
    return made


def _placed_again(values: dict[str, Any]) -> str:
    if "again" not in values:
        return ""
    return (
        " Where the untouched overlap shows nothing (details 1 to 4 pixels wide with a spread "
        f"below {LEAST_STRUCTURE:g} of 256 levels, as in empty sky), the panels are placed "
        "again at random, a rule added after such overlaps were missed as JPEG: "
        f"{', '.join(values['again']) or 'none'}."
    )
