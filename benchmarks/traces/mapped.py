"""Maps of traces, scored on pixels of changed crops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.traces.changes import changed
from benchmarks.traces.pictures import picture
from benchmarks.traces.reader import read
from benchmarks.traces.scores import auc, interval, shown
from benchmarks.traces.vetted import LARGE, SIDE, crops, large_crops

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import napari_diffusion as nd


@dataclass(frozen=True)
class Row:
    """A change, how it is saved, and the map that shows it.

    Attributes
    ----------
    title : str
    change : str
        Its name in CHANGES.
    kept : str
    trace : Trace
    map_name : str
        How the name of the map begins; empty for the first.
    sign : int
        -1 where the changed part has the smaller values, 0 for both sides.
    target : float or None
        What the mean AUC is held to.
    """

    title: str
    change: str
    kept: str
    trace: nd.forensics.Trace
    map_name: str = ""
    sign: int = 1
    target: float | None = None

    def scored(self, reading: nd.forensics.Reading, mask: Any) -> float:
        """Return the AUC of the map; ½ where nothing is seen that would be one."""
        if not reading.maps:
            return 0.5
        found = next(m for m in reading.maps if m.name.startswith(self.map_name))
        values = np.nan_to_num(np.squeeze(found.values), nan=0.0)
        return auc(mask, self.sign * values if self.sign else np.abs(values))


def measured_rows(rows: Sequence[Row], seeds: int) -> list[Any]:
    """Return [row, crop, AUC, refused, seconds, megapixels] of all; a refused image counts ½."""
    found = []
    for k, row in enumerate(rows):
        for crop in crops():
            for seed in range(seeds):
                made, mask = changed(crop, row.change, seed)
                seen = read(row.trace, made, row.kept)
                value = 0.5 if seen.reading is None else row.scored(seen.reading, mask)
                found.append([k, crop.photograph, value, seen.why, seen.seconds, seen.megapixels])
        print(row.title, row.kept, np.mean([each[2] for each in found if each[0] == k]), flush=True)
    return found


def table(rows: Sequence[Row], found: Sequence[Any]) -> list[str]:
    """Return the lines of a table."""
    made = [
        "| change | saved as | read by | mean AUC | held to | median | least | refused |",
        "|---|---|---|--:|--:|--:|--:|--:|",
    ]
    for k, row in enumerate(rows):
        these = [each for each in found if each[0] == k]
        values = [each[2] for each in these]
        mean = interval([each[1] for each in these], values)
        held = "–" if row.target is None else f"{row.target:.2f}{_met(mean[0], row.target)}"
        refused = sum(bool(each[3]) for each in these)
        made.append(
            f"| {row.title} | {row.kept} | {type(row.trace).__name__} | {shown(mean)} | {held} | "
            f"{np.median(values):.2f} | {min(values):.2f} | {refused} of {len(these)} |"
        )
    return made


def _met(value: float, target: float) -> str:
    return "" if value >= target else ", missed"


def untouched(
    trace: nd.forensics.Trace,
    kept: str,
    alarm: Callable[[nd.forensics.Reading], bool],
    *,
    large: bool = False,
) -> list[Any]:
    """Return [crop, photograph, alarm, refused] of every crop, or large one, as it is."""
    found = []
    for crop in large_crops() if large else crops():
        seen = read(trace, picture(crop, LARGE if large else SIDE), kept)
        raised = seen.reading is not None and alarm(seen.reading)
        found.append([crop.name, crop.photograph, bool(raised), seen.why])
    return found
