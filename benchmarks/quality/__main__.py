"""Measures the parts that are asked for, and writes the page with all that were ever measured.

python -m benchmarks.quality [PART …] [--seeds N] [--output FILE]
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import platform
import time
from pathlib import Path
from typing import Any

import napari_diffusion as nd

PARTS = tuple(
    name
    for name in ("grey", "colour", "poisson", "volume", "noise", "time")
    if importlib.util.find_spec(f"benchmarks.quality.{name}")
)

_HEAD = """# Quality of denoising

`make bench-quality` writes this page; `python -m benchmarks.quality grey` measures one part again
and keeps the others. The images ship with scikit-image and were held out when the denoiser was
designed. Differences are the denoiser's decibels minus those of the other method,
`−10 log₁₀ mean (u − truth)²` for a range of 1: the mean over all cases with its 95 % interval
(bootstrap over images), the median, and the worst case. BM3D and BM4D are not free for commercial
use and not part of any extra: where they were not installed, their rows are missing.
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.quality", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all without any")
    parser.add_argument("--seeds", type=int, default=2, help="noisy images of every case")
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks/quality.md"))
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    kept = options.output.with_suffix(".json")
    found: dict[str, Any] = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    for name in options.parts or PARTS:
        began = time.perf_counter()
        values = _part(name).measured(options.seeds)
        found[name] = {
            "values": values,
            "seeds": options.seeds,
            "version": nd.__version__,
            "python": platform.python_version(),
            "minutes": (time.perf_counter() - began) / 60,
        }
        kept.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
        options.output.write_text(page(found), "utf-8")
    print(options.output.read_text("utf-8"))


def page(found: dict[str, Any]) -> str:
    """Return the page with every part that was measured."""
    sections = [_HEAD]
    for name in PARTS:
        if name in found:
            part = found[name]
            sections.append("\n".join(_part(name).lines(part["values"])))
            sections.append(
                f"*Measured with version {part['version']} in {part['minutes']:.0f} minutes.*\n"
            )
    return "\n".join(sections)


def _part(name: str) -> Any:
    return importlib.import_module(f"benchmarks.quality.{name}")


if __name__ == "__main__":
    main()
