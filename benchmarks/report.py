"""The report: a page of tables, an image, and the numbers themselves."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from benchmarks import plot, targets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.cases import Result
    from benchmarks.measure import Spread
    from benchmarks.memory import Peak
    from benchmarks.startup import FirstCall

_HOW = """\
`make bench` writes this page. Each comparison runs two calls in turn, A B A B …, after one warm-
up of each. A ratio is *their* cost divided by *ours*, taken between neighbouring calls; the
tables give its median and range. *Wall* is elapsed time; *CPU* is the processor time of the
process, which other programs disturb less. Costs in ns are the best of all rounds. Every library
runs with the number of threads in the heading, restricted to as many processors; a single-
threaded library is omitted from the tables for more threads, where our own call on one thread
stands instead. A library that fails is omitted, and the terminal reports it.
Images are float32. Converting to and from a library's own image type is not counted; for this
package the whole call counts, from the given array to a new one, except in rows in *italics*,
which are parts of that call or a limit of the machine.
"""


@dataclass(frozen=True)
class Report:
    """All there is to say."""

    results: list[Result]
    first_calls: list[FirstCall]
    peaks: list[Peak]
    import_time: float | None
    machine: dict[str, str]
    peers: dict[str, str]
    size: str
    load: float | None


def write(folder: Path, report: Report) -> list[Path]:
    """Write index.md, speed.png and results.json into a folder and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    page, image, numbers = (folder / name for name in ("index.md", "speed.png", "results.json"))
    shown = [r for r in report.results if r.threads == 1 and not r.own]
    if shown:
        plot.draw(image, shown, _machine_line(report))
    page.write_text("\n".join(_page(report, bool(shown))) + "\n", encoding="utf-8")
    values = {
        "machine": report.machine,
        "load": report.load,
        "peers": report.peers,
        "import_time": report.import_time,
        "first_calls": [asdict(each) for each in report.first_calls],
        "memory": [asdict(each) for each in report.peaks],
        "results": [result.as_dict() for result in report.results],
    }
    numbers.write_text(json.dumps(values) + "\n", encoding="utf-8")
    return [page, *([image] if shown else []), numbers]


def line(result: Result) -> str:
    """Return a result as a line for the terminal."""
    wall, cpu = result.duel.ratio("wall"), result.duel.ratio("cpu")
    return (
        f"  {result.theirs:52.52} {_ns(result, 'ours'):>7} | {_ns(result, 'theirs'):>7} ns   "
        f"wall {_ratio(wall)}   CPU {_ratio(cpu)}  {result.note}"
    )


def first_call_line(call: FirstCall) -> str:
    cold, warm = call.cold, call.warm
    return (
        f"  {call.name:24} compiling {cold.wall:5.2f} s (CPU {cold.cpu:.2f})   "
        f"cached {warm.wall:5.2f} s (CPU {warm.cpu:.2f})"
    )


def peak_line(peak: Peak) -> str:
    return f"  {peak.name:24} at {peak.size}³: {peak.times:.2f} times the image, beside it"


def threads_text(threads: int) -> str:
    return "1 thread" if threads == 1 else f"{threads} threads"


def _page(report: Report, has_image: bool) -> Iterator[str]:
    yield "# Benchmarks\n"
    yield _HOW
    yield from _machine(report)
    if has_image:
        yield "\n![How many times faster, by case and library](speed.png)"
    yield from targets.page(report.results)
    for threads, results in groupby(report.results, key=lambda r: r.threads):
        yield f"\n## {threads_text(threads).capitalize()}"
        for (title, unit, ours), rows in groupby(results, key=lambda r: (r.title, r.unit, r.ours)):
            yield from _table(title, unit, ours, list(rows))
    if report.peaks:
        yield from _memory(report)
    if report.first_calls:
        yield from _startup(report)


def _machine_line(report: Report) -> str:
    names = ("processor", "date")
    return ", ".join(report.machine[name] for name in names)


def _machine(report: Report) -> Iterator[str]:
    if report.size != "full":
        yield f"**A {report.size} run: fewer rounds, smaller images.**\n"
    if (report.load or 0.0) > 1:
        yield "**Other programs were at work too: trust the medians, and CPU more than wall.**\n"
    yield "| | |\n|---|---|"
    for name, value in report.machine.items():
        yield f"| {name} | {value} |"
    if report.load is not None:
        yield f"| load before the run | {report.load:.1f} |"
    here = {name: version for name, version in report.peers.items() if version != "missing"}
    missing = [name for name in report.peers if name not in here]
    yield f"| compared with | {', '.join(f'{name} {here[name]}' for name in here)} |"
    yield f"| missing | {', '.join(missing) or 'none'} |"


def _table(title: str, unit: str, ours: str, rows: list[Result]) -> Iterator[str]:
    yield f"\n### {title}\n"
    yield f"Ours: `{ours.split(' (')[0]}`{_note_of(ours)}. Costs in ns per {unit}.\n"
    yield "| beside | ours | theirs | × wall (range) | × CPU (range) | |\n|---|--:|--:|---|---|---|"
    for row in rows:
        name = f"*{row.theirs}*" if row.own else row.theirs
        wall, cpu = row.duel.ratio("wall"), row.duel.ratio("cpu")
        yield (
            f"| {name} | {_ns(row, 'ours')} | {_ns(row, 'theirs')} | {_ratio(wall)} "
            f"| {_ratio(cpu)} | {row.note} |"
        )


def _note_of(ours: str) -> str:
    _, _, note = ours.partition(" (")
    return f" ({note}" if note else ""


def _memory(report: Report) -> Iterator[str]:
    yield f"\n## Memory at {report.peaks[0].size}³\n"
    yield (
        "Peak memory of a call beyond the image, its result included, on one thread. Targets: "
        "2 for scalar flows, 12 for tensor flows.\n"
    )
    yield "| default parameters | times the image |\n|---|--:|"
    for peak in report.peaks:
        yield f"| {peak.name} | {peak.times:.2f} |"


def _startup(report: Report) -> Iterator[str]:
    yield "\n## The first call in a new process\n"
    yield (
        f"`import napari_diffusion` takes {1e3 * (report.import_time or 0):.0f} ms. A filter is "
        "compiled at its first call; later processes find it in the cache. Targets: 3 s and "
        "0.5 s.\n"
    )
    yield "| 64² | compiling, s (CPU) | cached, s (CPU) | second call, ms |\n|---|--:|--:|--:|"
    for call in report.first_calls:
        cold, warm = (f"{cost.wall:.2f} ({cost.cpu:.2f})" for cost in (call.cold, call.warm))
        yield f"| {call.name} | {cold} | {warm} | {1e3 * call.second.wall:.2f} |"


def _ns(result: Result, side: str) -> str:
    """The least CPU time of a side, which is the wall's on one thread and an idle machine."""
    clock = "cpu" if result.threads == 1 else "wall"
    return f"{1e9 * result.duel.best(side, clock):.3g}"


def _ratio(spread: Spread) -> str:
    return f"{spread.median:.3g} ({spread.least:.3g}–{spread.greatest:.3g})"
