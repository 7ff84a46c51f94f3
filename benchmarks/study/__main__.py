"""Measures how well the studies predict, part by part, and writes the page.

python -m benchmarks.study [PART …] [--seeds N] [--output FILE]
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.part_pages import PartPage

PAGE = PartPage(
    package="benchmarks.study",
    parts=("survival", "null", "removed", "intervals", "spread"),
    head="""# How well the studies predict

`make bench-study` writes this page; `python -m benchmarks.study survival` measures one part again
and keeps the others. The images have the role *report* in `benchmarks/images`: no constant of the
studies was chosen on them. Intensities reach from 0 to 1; intervals in brackets are of 95 %.
""",
    output=Path("docs/benchmarks/study.md"),
    seeds=1,
)

if __name__ == "__main__":
    PAGE.main(__doc__)
