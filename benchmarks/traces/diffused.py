"""Whole images, diffused or not, with a reference from the same source."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import napari_diffusion as nd
from benchmarks.study.cases import share
from benchmarks.traces.pictures import PNG, rng_of
from benchmarks.traces.reader import read
from benchmarks.traces.scores import auc_of, interval, shown
from benchmarks.traces.vetted import vetted
from benchmarks.traces.whole import TIMES, WHOLE, halves

# Mean AUCs over the changes are held to these.
TARGETS = {PNG: 0.90, "JPEG-85": 0.85}
UNTOUCHED = "untouched"


def measured(seeds: int) -> dict[str, Any]:
    """Return [saved as, photograph, change, time, from, to, said, refused] of all."""
    del seeds
    trace, rows = nd.forensics.Diffused(), []
    for kept in TARGETS:
        for name in vetted():
            first, second = halves(name)
            made = {UNTOUCHED: first}
            made |= {
                change: alone(first, rng_of(name, change)) for change, (_, alone) in WHOLE.items()
            }
            for change, values in made.items():
                seen = read(trace, values, kept, reference=second)
                rows.append(
                    [kept, name, change, *_time(seen.reading), _sees(seen.reading), seen.why]
                )
            print(kept, name, rows[-1], flush=True)
    return {"rows": rows}


def _time(reading: nd.forensics.Reading | None) -> tuple[float | None, ...]:
    """Return the diffusion time with its interval; None where there is none."""
    found = next((n for n in reading.numbers if "time" in n.name), None) if reading else None
    if found is None:
        return None, None, None
    return tuple(
        float(each) if math.isfinite(each) else None
        for each in (found.value, found.low, found.high)
    )


def _sees(reading: nd.forensics.Reading | None) -> bool:
    """Say whether the trace says that detail is missing."""
    return reading is not None and any("less fine detail than its" in r for r in reading.remarks)


def lines(values: dict[str, Any]) -> list[str]:
    """Return the section of the page."""
    rows = values["rows"]
    made = [
        "## Diffused, with a reference",
        "",
        "One half of a photograph is diffused as a whole and compared with the other half. The AUC "
        "is how often a diffused image has the larger time than an untouched one; a refused image "
        "has the time 0.",
        "",
        "| change | " + " | ".join(TARGETS) + " |",
        "|---|" + "--:|" * len(TARGETS),
    ]
    table = {kept: _aucs(rows, kept) for kept in TARGETS}
    made += [f"| {c} | {' | '.join(f'{table[k][c]:.2f}' for k in TARGETS)} |" for c in WHOLE]
    made.append("")
    for kept, target in TARGETS.items():
        mean = float(np.mean(list(table[kept].values())))
        untouched = [row for row in rows if row[0] == kept and row[2] == UNTOUCHED]
        false = sum(row[6] for row in untouched)
        made += [
            f"{kept}: mean **{mean:.2f}**, held to {target:.2f}; untouched that are said to "
            f"miss detail: {share(false, len(untouched))}, held to 2 of 13; refused "
            f"{sum(row[3] is None for row in rows if row[0] == kept)} of "
            f"{sum(row[0] == kept for row in rows)}.",
            "",
        ]
    return [*made, *_times(rows)]


def _aucs(rows: list[Any], kept: str) -> dict[str, float]:
    found = {
        change: [row[3] or 0.0 for row in rows if row[0] == kept and row[2] == change]
        for change in (UNTOUCHED, *WHOLE)
    }
    return {change: auc_of(found[change], found[UNTOUCHED]) for change in WHOLE}


def _times(rows: list[Any]) -> list[str]:
    made = [
        "Diffusion time of heat, PNG; held to: median within 20 %, interval covers ≥ 90 %, its "
        "upper end at most 2.5 × its lower (median):",
        "",
        "| true time | median | interval covers | upper / lower end, median |",
        "|--:|--:|--:|--:|",
    ]
    for time in TIMES:
        these = [
            r for r in rows if r[:1] == [PNG] and r[2] == f"heat {time:g}" and r[3] is not None
        ]
        if not these:
            continue
        median = interval([r[1] for r in these], [r[3] for r in these], median=True)
        ends = [r for r in these if r[4] is not None and r[5] is not None]
        covered = sum(r[4] <= time <= r[5] for r in ends)
        ratio = np.median([r[5] / max(r[4], 1e-9) for r in ends]) if ends else math.nan
        made.append(f"| {time:g} | {shown(median)} | {share(covered, len(these))} | {ratio:.1f} |")
    return [*made, ""]
