"""What was measured, by trace, as the package shows it beside every reading.

python -m benchmarks.traces.package_table
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.study.cases import share_interval
from benchmarks.traces import (
    compression,
    copies,
    diffused,
    enlarged,
    exact_copies,
    ghost,
    grid,
    moving,
    noise,
    whole,
)
from benchmarks.traces.changes import SMOOTHERS
from benchmarks.traces.copied import FOUND
from benchmarks.traces.scores import DRAWN, auc_of, interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from benchmarks.traces.mapped import Row

# The values of the page, and where the package keeps what it shows of them.
VALUES = Path("docs/benchmarks/traces.json")
TABLE = Path("src/napari_diffusion/forensics/measured.json")

# A figure: what it is of, how the images were saved, its value and its interval.
Figure = dict[str, Any]

# What is seen in untouched images, and in changed ones.
Figures = tuple[list[Figure], list[Figure]]

_AUC = "Mean AUC of pixels"

# Of the codings of a video.
_SHOWN_QUALITIES = (None, 23)


def write_table() -> None:
    """Write the table of the package from the values of the page."""
    TABLE.write_text(text_of(json.loads(VALUES.read_text("utf-8"))), "utf-8")


def text_of(found: dict[str, Any]) -> str:
    """Return the table as the package keeps it."""
    return json.dumps(table_of(found), indent=1, ensure_ascii=False) + "\n"


def table_of(found: dict[str, Any]) -> dict[str, Any]:
    """Return {trace: {"untouched": figures, "changed": figures}} of parts that were measured."""
    made: dict[str, dict[str, list[Figure]]] = {}
    for part, trace, figures in _PARTS:
        if part in found:
            both = figures(found[part]["values"])
            for kind, some in zip(("untouched", "changed"), both, strict=True):
                kept = made.setdefault(trace, {}).setdefault(kind, [])
                kept += [_rounded(each) | {"version": found[part]["version"]} for each in some]
    return made


def _rounded(figure: Figure) -> Figure:
    """Return a figure without the digits that another version of SciPy gives otherwise."""
    return {k: round(v, 3) if isinstance(v, float) else v for k, v in figure.items()}


def _counted(what: str, saved: str, said: Iterable[Any], photographs: Iterable[str]) -> Figure:
    """Return how often something is so, of all; the interval is of the share."""
    flags = [bool(each) for each in said]
    low, high = share_interval(sum(flags), len(flags))
    return {"what": what, "saved": saved, "found": sum(flags), "of": len(flags),
            "photographs": len(set(photographs)), "low": low, "high": high}  # fmt: skip


def _averaged(
    what: str, saved: str, photographs: Sequence[str], values: Sequence[float], median: bool = False
) -> Figure:
    value, low, high = interval(photographs, values, median=median)
    return {"what": what, "saved": saved, "value": value, "photographs": len(set(photographs)),
            "low": low, "high": high}  # fmt: skip


def _alarms(what: str, rows_of: dict[str, Any]) -> list[Figure]:
    """Return figures of rows [crop, photograph, alarm, …] by how they are saved."""
    return [
        _counted(what, kept, [row[2] for row in rows], [row[1] for row in rows])
        for kept, rows in rows_of.items()
    ]


def _aucs(rows: Sequence[Row], found: Sequence[Any], groups: dict[str, set[str]]) -> list[Figure]:
    """Return the mean AUC of rows by a title for several of them, and by how they are saved."""
    made = []
    for title, titles in groups.items():
        for kept in dict.fromkeys(row.kept for row in rows if row.title in titles):
            wanted = {k for k, row in enumerate(rows) if row.title in titles and row.kept == kept}
            these = [each for each in found if each[0] in wanted]
            what = f"{_AUC}, {title}"
            made.append(_averaged(what, kept, [r[1] for r in these], [r[2] for r in these]))
    return made


def _each(rows: Sequence[Row]) -> dict[str, set[str]]:
    return {row.title: {row.title} for row in rows}


def _grid(values: dict[str, Any]) -> Figures:
    alarms = _alarms("Crops with a region listed", values["untouched"])
    return alarms, _aucs(grid.ROWS, values["rows"], _each(grid.ROWS))


def _ghost(values: dict[str, Any]) -> Figures:
    alarms = _alarms("Crops with a region named", values.get("untouched", {}))
    return alarms, _aucs(ghost.ROWS, values["rows"], _each(ghost.ROWS))


def _double(values: dict[str, Any]) -> Figures:
    kept = {"JPEG-85": values["untouched"]}
    alarms = _alarms("Crops with an earlier quantisation (some ship as JPEG)", kept)
    return alarms, _aucs(compression.ROWS, values["rows"], _each(compression.ROWS))


def _noise(values: dict[str, Any]) -> Figures:
    usual = [
        _averaged(f"{words} noise anywhere in a crop, median (spreads)", kept,
                  [row[1] for row in rows], [row[k] for row in rows], median=True)
        for k, words in ((2, "Least"), (3, "Most"))
        for kept, rows in values.get("untouched", {}).items()
    ]  # fmt: skip
    groups = {"part smoothed": set(SMOOTHERS), "part resampled × 1.3": {"resampled × 1.3"}}
    return usual, _aucs(noise.ROWS, values["rows"], groups)


def _copies(rows: Sequence[tuple[str, str]]) -> Callable[[dict[str, Any]], Figures]:
    def figures(values: dict[str, Any]) -> Figures:
        seen = []
        for kept in dict.fromkeys(saved for _, saved in rows):
            these = [row for row in values["rows"] if rows[row[0]][1] == kept]
            flags = [row[2] >= FOUND for row in these]
            seen.append(_counted("Copies found", kept, flags, [row[1] for row in these]))
        return _alarms("Images with a pair listed", values["untouched"]), seen

    return figures


def _panels(values: dict[str, Any]) -> Figures:
    alarms, seen = [], []
    for kept, folder in values["folder"].items():
        count = folder["panels"]
        flags = np.arange(count * (count - 1) // 2) < len(folder["listed"])
        alarms.append(_counted("Pairs listed among unrelated panels", kept, flags, ()))
        these = [row for row in values["rows"] if row[2] == kept]
        what = "Overlapping panels found"
        seen.append(_counted(what, kept, [r[3] for r in these], [r[0] for r in these]))
    return alarms, seen


def _said(trace: str, *groups: str) -> Callable[[dict[str, Any]], Figures]:
    """Take the changes whose names begin with one of the groups together."""

    def figures(values: dict[str, Any]) -> Figures:
        rows = [row for row in values["rows"] if row[0] == trace]
        cases = dict.fromkeys(row[1] for row in rows if row[1].startswith(enlarged.UNTOUCHED))
        untouched = [(_untouched_words(case), case) for case in cases]
        return _groups(rows, untouched), _groups(rows, [(f"Crops seen, {g}", g) for g in groups])

    return figures


def _untouched_words(case: str) -> str:
    thing = case.removeprefix(enlarged.UNTOUCHED).strip(", ")
    return f"Crops said to have {thing}" if thing else "Crops of which something is said"


def _groups(rows: Sequence[Any], groups: Iterable[tuple[str, str]]) -> list[Figure]:
    """Return how often something is said of the cases whose names begin alike."""
    made = []
    for what, begins in groups:
        for kept in dict.fromkeys(row[2] for row in rows):
            these = [row for row in rows if row[1].startswith(begins) and row[2] == kept]
            made.append(_counted(what, kept, [r[4] for r in these], [r[3] for r in these]))
    return made


def _diffused(values: dict[str, Any]) -> Figures:
    alarms, seen = [], []
    for kept in diffused.TARGETS:
        rows = [row for row in values["rows"] if row[0] == kept]
        these = [row for row in rows if row[2] == diffused.UNTOUCHED]
        names = [row[1] for row in these]
        flags = [row[6] for row in these]
        alarms.append(_counted("Images that are said to miss detail", kept, flags, names))
        times = {(row[1], row[2]): row[3] or 0.0 for row in rows}
        seen.append({"what": "AUC of images, mean over filters", "saved": kept,
                     **_over_changes(times, names), "photographs": len(names)})  # fmt: skip
    return alarms, seen


def _over_changes(times: dict[tuple[str, str], float], names: Sequence[str]) -> Figure:
    """Return the mean AUC over the changes; photographs are drawn anew for its interval."""
    rng = np.random.default_rng(0)

    def mean(drawn: Sequence[str]) -> float:
        found = {c: [times[name, c] for name in drawn] for c in (diffused.UNTOUCHED, *whole.WHOLE)}
        untouched = found.pop(diffused.UNTOUCHED)
        return float(np.mean([auc_of(each, untouched) for each in found.values()]))

    drawn = [mean(rng.choice(names, len(names))) for _ in range(DRAWN // 4)]
    low, high = map(float, np.quantile(drawn, (0.025, 0.975)))
    return {"value": mean(names), "low": low, "high": high}


def _frames(values: dict[str, Any]) -> Figures:
    usual, seen = [], []
    for quality in _SHOWN_QUALITIES:
        rows = [row for row in values["rows"] if row[1] == quality]
        kept = "single images" if quality is None else f"H.264, crf {quality}"
        names = [row[0] for row in rows]
        shares = [100 * row[4] / (moving.COUNT - 1) for row in rows]
        what = "Percentage of steps that are called still"
        usual.append(_averaged(what, kept, names, shares))
        what = f"Still steps found of {moving.FROZEN[1]}"
        seen.append(_averaged(what, kept, names, [row[2] for row in rows]))
    return usual, seen


_PARTS: tuple[tuple[str, str, Callable[[dict[str, Any]], Figures]], ...] = (
    ("grid", "BlockGrid", _grid),
    ("copies", "Copies", _copies(copies.ROWS)),
    ("panels", "Copies", _panels),
    ("diffused", "Diffused", _diffused),
    ("compression", "DoubleQuantisation", _double),
    ("enlarged", "Enlarged", _said("Enlarged", "× 2", "× 3", "× 4")),
    ("exact_copies", "ExactCopies", _copies(exact_copies.ROWS)),
    ("frames", "Frames", _frames),
    ("ghost", "Ghost", _ghost),
    ("enlarged", "Levels", _said("Levels", "contrast × 1.3", "a part in one grey")),
    ("noise", "LocalNoise", _noise),
    ("enlarged", "UpsamplingPeaks", _said("UpsamplingPeaks", "learned kernel")),
)

if __name__ == "__main__":
    write_table()
