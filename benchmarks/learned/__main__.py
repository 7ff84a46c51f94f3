"""Measures what was learned, part by part, and writes the page.

python -m benchmarks.learned [PART …] [--seeds N] [--output FILE]
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.learned.restoration import SEEDS
from benchmarks.part_pages import PartPage

PAGE = PartPage(
    package="benchmarks.learned",
    parts=("restoration",),
    head="""# How well learned filters restore

`make bench-learned` writes this page; `python -m benchmarks.learned restoration` measures one part
again and keeps the others. The images have the role *report* in `benchmarks/images`: nothing was
learned or chosen on them. Intensities reach from 0 to 1.
""",
    output=Path("docs/benchmarks/learned.md"),
    seeds=SEEDS,
)

if __name__ == "__main__":
    PAGE.main(__doc__)
