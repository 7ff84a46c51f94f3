"""Every image that a benchmark uses, once; licences and sources are as the packages state them.

One photograph, however many files show it, has one role. What constants were chosen by, such as
those of `denoise`, is in *choose* for good.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from benchmarks.images.photograph import Part, Photograph

# Parts that begin elsewhere than in the middle, by name; of some photographs more than one.
PARTS = {
    "chelsea": Part("chelsea", (0, 100)),
    "coffee": Part("coffee", (100, 150)),
    "coffee, left": Part("coffee", (140, 0)),
    "rocket": Part("rocket", (100, 200)),
    "gravel": Part("gravel", (0, 0)),
    "page": Part("page", (0, 0)),
    "hubble_deep_field": Part("hubble_deep_field", (0, 0)),
    "colorwheel": Part("colorwheel", (50, 50)),
}


def _photograph(row: dict[str, Any]) -> Photograph:
    """Return a row of the table; the index of a plane is written as "... 12 0"."""
    plane = (Ellipsis if each == "..." else int(each) for each in row.pop("plane").split())
    return Photograph(**row, plane=tuple(plane))


def _table() -> tuple[Photograph, ...]:
    with Path(__file__).with_name("table.csv").open(encoding="utf-8", newline="") as rows:
        return tuple(_photograph(row) for row in csv.DictReader(rows))


PHOTOGRAPHS = _table()
