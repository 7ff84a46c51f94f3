"""Measure the speed beside other libraries and write the report.

python -m benchmarks [--quick] [--case NAME …] [--threads N …] [--output FOLDER]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import (
    blur,
    learned_diffusion,
    machine,
    memory,
    noise,
    out_of_core,
    peers,
    perona_malik,
    photons,
    report,
    startup,
    tensor,
    total_variation,
    whole_step,
)
from benchmarks.cases import Builder, Case, Result, Setting, failed, measured

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import IO

CASES: dict[str, Builder] = {
    "perona-malik-rational": perona_malik.rational,
    "perona-malik-exponential": perona_malik.exponential,
    "perona-malik-colour": perona_malik.colour,
    "perona-malik-smoothed": perona_malik.smoothed,
    "noise-gaussian": noise.gaussian,
    "whole-step": whole_step.step,
    "heat": blur.heat,
    "noise-poisson": photons.poisson,
    "noise-others": photons.others,
    "total-variation": total_variation.flow,
    "edge-enhancing": tensor.edges,
    "coherence-enhancing": tensor.coherence,
    "learned-diffusion": learned_diffusion.denoising,
    "passes": out_of_core.passes,
}
STARTUP, MEMORY = "startup", "memory"
EXTRAS = (STARTUP, MEMORY)

# The page of the documentation is not overwritten by a part of it.
PAGES, PARTS = "docs/benchmarks", "benchmarks/results"


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.worker:
        _work(options)
        return 0
    folder = Path(options.output or _folder(options))
    found = report.Report(
        [], [], [], None, machine.describe(), peers.versions(), options.size, machine.load()
    )
    # The page is written as it grows, so that nothing is lost of a run that is stopped.
    for threads in options.threads:
        found.results.extend(_in_a_process(options, threads))
        report.write(folder, found)
    written = report.write(folder, _with_extras(found, options))
    print(f"\nwritten: {', '.join(map(str, written))}")
    return 0


def _with_extras(found: report.Report, options: argparse.Namespace) -> report.Report:
    """Measure memory and first calls, where they are asked for."""
    peaks = _peaks(options.size) if MEMORY in options.case and memory.can_measure() else []
    if STARTUP not in options.case:
        return dataclasses.replace(found, peaks=peaks)
    imported, calls = startup.import_time(), []
    for slot, name in startup.components(options.size):
        try:
            calls.append(startup.first_call(slot, name, times=1))
        except (subprocess.SubprocessError, ValueError) as error:
            failed(name, error)
            continue
        print(report.first_call_line(calls[-1]), flush=True)
    return dataclasses.replace(found, peaks=peaks, first_calls=calls, import_time=imported)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description="Measure the speed beside other libraries."
    )
    parser.add_argument(
        "--quick",
        dest="size",
        action="store_const",
        const="quick",
        default="full",
        help="fewer rounds and no volume of 256³",
    )
    parser.add_argument(
        "--tiny",
        dest="size",
        action="store_const",
        const="tiny",
        help="images of a few pixels: whether it runs, not how fast",
    )
    every = [*CASES, *EXTRAS]
    parser.add_argument(
        "--case",
        nargs="+",
        choices=every,
        default=every,
        metavar="NAME",
        help=f"any of {', '.join(every)}; all of them otherwise",
    )
    available = machine.processors()
    parser.add_argument(
        "--threads",
        nargs="+",
        type=_threads,
        metavar="N",
        default=[n for n in (1, 2) if n <= available],
        help="numbers of threads, one report each (default: 1 2)",
    )
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        help=f"where the page, its image and the numbers go ({PAGES}; what is quick or a part "
        f"goes to {PARTS})",
    )
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser


def _folder(options: argparse.Namespace) -> str:
    whole = options.size == "full" and set(options.case) == {*CASES, *EXTRAS}
    return PAGES if whole else PARTS


def _peaks(size: str) -> list[memory.Peak]:
    """Measure the memory of some components on a volume of the largest size."""
    samples = {"full": 256, "quick": 128, "tiny": 16}[size]
    peaks = []
    for slot, name in memory.components(size):
        try:
            peaks.append(memory.peak(slot, name, samples))
        except (subprocess.SubprocessError, ValueError) as error:
            failed(name, error)
            continue
        print(report.peak_line(peaks[-1]), flush=True)
    return peaks


def _threads(text: str) -> int:
    available = machine.processors()
    if not text.isdecimal() or not 1 <= int(text) <= available:
        raise argparse.ArgumentTypeError(
            f"threads are counted from 1 to the {available} processors here (got {text!r})"
        )
    return int(text)


def _in_a_process(options: argparse.Namespace, threads: int) -> list[Result]:
    """Measure on so many threads in a process of its own: libraries fix them when loaded."""
    cases = [name for name in options.case if name in CASES]
    size = [] if options.size == "full" else [f"--{options.size}"]
    command = [sys.executable, "-m", "benchmarks", *size, "--threads", str(threads)]
    results: list[Result] = []
    while cases:
        with tempfile.TemporaryDirectory() as folder:
            lines = Path(folder) / "results"
            subprocess.run(
                [*command, "--worker", str(lines), "--case", *cases],
                env=machine.environment(threads),
                check=False,
            )
            written = lines.read_text().splitlines() if lines.exists() else []
        found = [json.loads(line) for line in written]
        results += [Result.from_dict(each) for each in found if isinstance(each, dict)]
        # A library that takes the process with it takes one case with it, not those after it.
        cases = cases[1 + sum(isinstance(each, str) for each in found) :]
    return results


def _work(options: argparse.Namespace) -> None:
    """Measure, and leave every result as a line of JSON, and the name of a case after its own."""
    (threads,) = options.threads
    machine.pin(threads)
    setting = Setting(options.size, threads)
    with open(options.worker, "w", encoding="utf-8") as lines:
        for name in options.case:
            try:
                _work_on(CASES[name](setting), setting, lines)
            except Exception as error:
                failed(name, error)
            print(json.dumps(name), file=lines, flush=True)


def _work_on(cases: Iterator[Case], setting: Setting, lines: IO[str]) -> None:
    for case in cases:
        print(f"\n{case.title}, {report.threads_text(setting.threads)}", flush=True)
        for result in measured(case, setting):
            print(report.line(result), flush=True)
            print(json.dumps(result.as_dict()), file=lines, flush=True)


if __name__ == "__main__":
    sys.exit(main())
