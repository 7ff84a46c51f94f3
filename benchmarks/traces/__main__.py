"""Measures how well traces are read, part by part; writes the page, and the table of the package.

python -m benchmarks.traces [PART …] [--seeds N] [--output FILE]
"""

from __future__ import annotations

from benchmarks.part_pages import PartPage
from benchmarks.traces.package_table import VALUES, write_table

PAGE = PartPage(
    package="benchmarks.traces",
    parts=(
        "panels",
        "exact_copies",
        "copies",
        "compression",
        "grid",
        "ghost",
        "noise",
        "enlarged",
        "diffused",
        "frames",
        "curve",
        "cost",
    ),
    head="""# How well traces are read

`make bench-traces` writes this page; `python -m benchmarks.traces copies` measures one part again
and keeps the others. Genuine photographs are changed in places that are known. They have the role
*report* in `benchmarks/images`: no constant was chosen on them; `benchmarks/traces/vetted.py` says
which are left out and why, and what is known of the history of the others. Crops of 288² at most,
grey, saved as PNG or as JPEG of the quality that is named. Intervals in brackets are of 95 %: of
means and medians by bootstrap over photographs, with all the crops of each; of counts by Clopper
and Pearson. An AUC is that of pixels: how often a pixel of the changed part has the larger value.
""",
    output=VALUES.with_suffix(".md"),
    seeds=1,
)

if __name__ == "__main__":
    if PAGE.main(__doc__) == PAGE.output:
        write_table()
