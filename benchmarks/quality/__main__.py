"""Measures the parts that are asked for, and writes the page with all that were ever measured.

python -m benchmarks.quality [PART …] [--seeds N] [--output FILE]
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from benchmarks.part_pages import PartPage

PAGE = PartPage(
    package="benchmarks.quality",
    parts=tuple(
        name
        for name in ("grey", "colour", "poisson", "volume", "video", "diffusions", "noise", "time")
        if importlib.util.find_spec(f"benchmarks.quality.{name}")
    ),
    head="""# Quality of denoising

`make bench-quality` writes this page; `python -m benchmarks.quality grey` measures one part again
and keeps the others. The images ship with many packages (`benchmarks/images/table.csv`) and were
held out when the denoiser was designed and when its weights were learned. Differences are the
denoiser's decibels minus those of the other method, `−10 log₁₀ mean (u − truth)²` for a range of 1:
the mean over all cases with its 95 % interval (bootstrap over images), the median, the worst case,
and in how many cases it is above 0. BM3D and BM4D are not free for commercial use and not part of
any extra: where they were not installed, their rows are missing.
""",
    output=Path("docs/benchmarks/quality.md"),
    seeds=1,
)

if __name__ == "__main__":
    PAGE.main(__doc__)
