"""The targets: how many times faster than which library, and what was reached."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from benchmarks.cases import ON_ONE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.cases import Result

COPY = "copy of the array"


@dataclass(frozen=True)
class Target:
    """One target.

    Attributes
    ----------
    title : str
    cases : tuple of str
        The cases that it is about.
    wanted : float
        How many times our cost that of the fastest library is at least; of `COPY` at most one by
        so many times.
    among : tuple of str
        How the names of the libraries begin; empty for all of them.
    only : str
        A part of the titles of the cases; empty for all of them.
    """

    title: str
    cases: tuple[str, ...]
    wanted: float
    among: tuple[str, ...] = ()
    only: str = ""

    def rows(self, results: Sequence[Result]) -> Iterator[Result]:
        """Return the result beside the fastest library for each title and number of threads."""
        mine = [r for r in results if r.case in self.cases and self.only in r.title]
        for _, each in groupby(mine, key=lambda r: (r.title, r.threads)):
            rivals = [r for r in each if self._counts(r)]
            if rivals:
                yield min(rivals, key=lambda r: r.duel.ratio("wall").median)

    def _counts(self, result: Result) -> bool:
        return result.theirs.startswith(self.among) if self.among else not result.own


PERONA_MALIK = ("perona-malik-rational", "perona-malik-exponential", "perona-malik-colour")
TENSORS = ("edge-enhancing", "coherence-enhancing")

TARGETS = (
    Target("Perona–Malik, rational", PERONA_MALIK[:1], 15),
    Target("Perona–Malik, exponential", PERONA_MALIK[1:], 10),
    Target("Heat to σ = 3 in space", ("heat",), 3, ("scipy", "DIPlib", "SimpleITK"), "³"),
    Target("Heat in a plane, beside OpenCV", ("heat",), 1, ("OpenCV",), "²"),
    Target("Heat in a plane, beside scipy", ("heat",), 5, ("scipy",), "²"),
    Target("Edge- and coherence-enhancing", TENSORS, 20),
    Target("Total variation, at the same energy or less", ("total-variation",), 5),
    Target("One sub-step beside a copy, in a plane", PERONA_MALIK[:1], 1 / 2, (COPY,), "²"),
    Target("One sub-step beside a copy, in space", PERONA_MALIK[:1], 1 / 2.5, (COPY,), "³"),
    Target("Learned diffusion", ("learned-diffusion",), 50, ("BM3D",)),
    Target("Two threads beside one", (*PERONA_MALIK, "heat", *TENSORS), 1.7, (ON_ONE,)),
)

# Nanoseconds per pixel and iteration on two threads in a plane and in space, the tensors included,
# that the C++ module of its authors took; no package for Python has it.
LBR = {"²": 75.0, "³": 200.0}
LBR_WANTED = 3.0


def page(results: Sequence[Result]) -> Iterator[str]:
    """Return a table for each target that something was measured of."""
    tables = [(target, list(target.rows(results))) for target in TARGETS]
    if not any(rows for _, rows in tables):
        return
    yield "\n## Targets\n"
    yield (
        "The fastest other library of each case. A ratio is its cost divided by ours: median and "
        "range.\n"
    )
    for target, rows in tables:
        if rows:
            yield f"\n### {target.title}: {target.wanted:g} × or more\n"
            yield "| case | threads | beside | × wall | × CPU | reached |"
            yield "|---|--:|---|---|---|---|"
            yield from (_row(each, target.wanted) for each in rows)
    yield from _lbr(results)


def _row(result: Result, wanted: float) -> str:
    wall, cpu = result.duel.ratio("wall"), result.duel.ratio("cpu")
    # Threads that share the work take no less of the processors' time.
    clock = wall if result.threads > 1 else cpu
    reached = "yes" if clock.median >= wanted else "no"
    ranges = " | ".join(f"{x.median:.3g} ({x.least:.3g}–{x.greatest:.3g})" for x in (wall, cpu))
    return f"| {result.title} | {result.threads} | {result.theirs} | {ranges} | {reached} |"


def _lbr(results: Sequence[Result]) -> Iterator[str]:
    best: dict[str, float] = {}
    for result in results:
        if result.case in TENSORS and result.threads == 2 and result.title[-1] in LBR:
            found = result.duel.best("ours", "wall")
            best[result.title] = min(found, best.get(result.title, found))
    if best:
        yield f"\n### Edge- and coherence-enhancing beside ITK's LBR: {LBR_WANTED:g} × or more\n"
        yield (
            "ITK's module for anisotropic diffusion by lattice basis reduction is in no package "
            "for Python and was not run here. Its costs are those of another measurement, in C++ "
            "on two threads: 75 ns per pixel and iteration in a plane, 200 in space.\n"
        )
        yield "| case | ns, two threads | × | reached |\n|---|--:|--:|---|"
        for title, seconds in best.items():
            ratio = LBR[title[-1]] / (1e9 * seconds)
            reached = "yes" if ratio >= LBR_WANTED else "no"
            yield f"| {title} | {1e9 * seconds:.3g} | {ratio:.3g} | {reached} |"
