"""A face put into a photograph, against the strength of the loop that follows."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

import napari_diffusion as nd
from benchmarks.traces import faces
from benchmarks.traces.mapped import Row
from benchmarks.traces.pictures import PNG, jpeg
from benchmarks.traces.reader import read
from benchmarks.traces.regions import blended
from benchmarks.traces.scores import auc_interval, interval, shown
from benchmarks.traces.vetted import HISTORY, vetted
from benchmarks.traces.whole import halves

if TYPE_CHECKING:
    from collections.abc import Iterator

# Where the loop runs, the quality of the host before, and how the result is saved.
SETTINGS = (("face", 90, PNG), ("whole image", 90, PNG), ("whole image", 75, "JPEG-90"))

# So many hosts, with room for a face and values as they were recorded.
_MOST, _LEAST, _SCALED = 8, 256, "bits brought to 8"

# Decibels of a result in which nothing changed.
_SAME = 99.0

# What would show the splice; local noise counts with the better of both signs.
NOISE, GRID, QUANTISED = "local noise", "block grid", "double quantisation"
MAPS = {
    NOISE: (nd.forensics.LocalNoise(), "less", 1),
    GRID: (nd.forensics.BlockGrid(), "blocks at the usual", -1),
    "blocks elsewhere": (nd.forensics.BlockGrid(), "blocks begin elsewhere", 1),
    "ghost": (nd.forensics.Ghost(), "", 1),
    QUANTISED: (nd.forensics.DoubleQuantisation(), "", 1),
}


def hosts() -> tuple[str, ...]:
    """Return the first photographs with room for a face in a half, without those that give one."""
    names = (name for name in vetted() if name not in faces.FACES and _SCALED not in HISTORY[name])
    return tuple(name for name in names if min(halves(name)[0].shape) >= _LEAST)[:_MOST]


def measured(seeds: int) -> dict[str, Any]:
    """Return [setting, host, strength, spliced, decibels kept, time, {map: AUC}] of all."""
    del seeds
    rows = []
    for host in hosts():
        for k in range(len(SETTINGS)):
            rows += [[k, host, *row] for row in _rows(host, k)]
            print(rows[-1], flush=True)
    return {"rows": rows}


def _rows(host: str, setting: int) -> Iterator[list[Any]]:
    """Yield [strength, spliced, …] with and without each face."""
    where, before, kept = SETTINGS[setting]
    plain, other = (jpeg(half, before) for half in halves(host))
    for strength in faces.STRENGTHS:
        for face in faces.FACES:
            made, mask = faces.inserted(plain, face, host)
            # The loop itself is looked for where it ran.
            ran = _box(mask) if where == "face" else (slice(None), slice(None))
            for start, spliced in ((made, True), (plain, False)):
                result = faces.looped(start, strength)
                if where == "face":
                    result = blended(start, result, mask)
                yield [strength, spliced, _kept(result[ran], start[ran]),
                       _time(result[ran], other, kept), _seen(result, mask, kept)]  # fmt: skip


def _box(mask: Any) -> tuple[slice, ...]:
    return tuple(slice(int(each.min()), int(each.max()) + 1) for each in np.nonzero(mask))


def _kept(result: Any, start: Any) -> float:
    error = float(np.mean((np.rint(result) - start) ** 2))
    return _SAME if error == 0 else float(10 * np.log10(255**2 / error))


def _time(result: Any, other: Any, kept: str) -> float:
    """Return how far the diffusion time is from none; 0 where there is nothing to read."""
    reading = read(nd.forensics.Diffused(), result, kept, reference=other).reading
    time = reading.numbers[0].value if reading and reading.numbers else 0.0
    return abs(time) if math.isfinite(time) else 0.0


def _seen(result: Any, mask: Any, kept: str) -> dict[str, float]:
    """Return the AUC of each map; ½ where its trace refuses the image."""
    readings, found = _readings(result.tobytes(), result.shape, kept), {}
    for name, (trace, begins, sign) in MAPS.items():
        reading, row = readings[trace], Row(name, "", kept, trace, begins, sign)
        one = 0.5 if reading is None else row.scored(reading, mask)
        found[name] = max(one, 1 - one) if name == NOISE else one
    return found


@functools.lru_cache(maxsize=4)
def _readings(values: bytes, shape: tuple[int, ...], kept: str) -> dict[nd.forensics.Trace, Any]:
    """Read a picture once, though two faces are compared with it."""
    picture = np.frombuffer(values).reshape(shape)
    traces = dict.fromkeys(trace for trace, _, _ in MAPS.values())
    return {trace: read(trace, picture, kept).reading for trace in traces}


def lines(values: dict[str, Any]) -> list[str]:
    """Return the section of the page."""
    rows = values["rows"]
    made = [
        "## A spliced face against the strength of the loop",
        "",
        f"{len({row[1] for row in rows})} hosts, each a half of a photograph, and "
        f"{len(faces.FACES)} faces, feathered, brightness and contrast matched. Strength: starting "
        "noise in grey levels; the time is a quarter of it, in 10 steps of Perona–Malik, then a "
        "little heat. *Block grid*: the usual blocks are missing. *Best of all*: the largest AUC "
        "of an image, of blocks elsewhere and ghosts as well. *No face*: the same place in the "
        "host after the same loop, that is, what the best of several maps gives by chance and, "
        "where the loop ran on the face alone, what the loop itself shows.",
        "",
        "*The loop itself*: how often the trace *Diffused*, with the other half of the photograph "
        "as the reference, has the larger time (of either sign) after the loop than before. "
        "*Kept*: PSNR to the image before the loop, where it ran, median.",
    ]
    for k, (where, before, kept) in enumerate(SETTINGS):
        names = [NOISE, GRID, *([QUANTISED] if kept != PNG else [])]
        made += [
            "",
            f"### The loop on the {where}; the host was JPEG-{before}, the result is {kept}",
            "",
            f"| strength | | {' | '.join(names)} | best of all | the loop itself | kept (dB) |",
            f"|--:|---|{'--:|' * (len(names) + 3)}",
        ]
        for strength in faces.STRENGTHS:
            for spliced in (True, False):
                cells = _cells([r for r in rows if r[0] == k and r[3] is spliced], strength, names)
                first = f"{strength} | face" if spliced else " | no face"
                made.append(f"| {first} | {' | '.join(cells)} |")
    return [*made, "", *_closing(rows), ""]


def _cells(rows: list[Any], strength: int, names: list[str]) -> list[str]:
    these = [row for row in rows if row[2] == strength]
    groups = [row[1] for row in these]
    found = [interval(groups, [row[6][name] for row in these]) for name in names]
    found.append(interval(groups, _best(these)))
    found.append(_itself(rows, strength))
    kept = [row[4] for row in these]
    decibels = "all" if min(kept) == _SAME else f"{np.median(kept):.1f}"
    return [*(shown(each) for each in found), decibels]


def _best(rows: list[Any]) -> list[float]:
    return [max(row[6].values()) for row in rows]


def _itself(rows: list[Any], strength: int) -> Any:
    """Return how well the loop itself is seen, with its interval."""
    before, after = ([row for row in rows if row[2] == s] for s in (0, strength))
    return auc_interval(
        [row[1] for row in after], [row[5] for row in after], [row[5] for row in before]
    )


def _closing(rows: list[Any]) -> list[str]:
    """Return what the tables say together, as far as they say it."""
    last, traded = faces.STRENGTHS[-1], True
    made = [
        f"### What is left at strength {last}",
        "",
        "| the loop on | saved as | best of all: change by the loop | with minus without a face | "
        "the loop itself, least at any strength |",
        "|---|---|--:|--:|--:|",
    ]
    for k, (where, _, kept) in enumerate(SETTINGS):
        here = [row for row in rows if row[0] == k]
        face, plain = ([row for row in here if row[3] is spliced] for spliced in (True, False))
        at_last, at_first = ([row for row in face if row[2] == s] for s in (last, 0))
        gained = _difference(at_last, at_first)
        left = _difference(at_last, [row for row in plain if row[2] == last])
        itself = min((_itself(face, s) for s in faces.STRENGTHS if s), key=lambda each: each[1])
        traded &= where == "face" or (gained[2] < 0 and itself[1] > 0.5)
        made.append(f"| {where} | {kept} | {shown(gained)} | {shown(left)} | {shown(itself)} |")
    words = "The loop trades traces of the splice for traces of the loop."
    held = (
        f"As far as {len({row[1] for row in rows})} photographs show, for the loop on the whole "
        f"image and with a reference: {words[0].lower()}{words[1:]}"
    )
    return [*made, "", held if traded else f"These figures do not show that: {words}"]


def _difference(first: list[Any], second: list[Any]) -> Any:
    """Return how much higher the best of all is in the first, image by image."""
    return interval([row[1] for row in first], list(np.subtract(_best(first), _best(second))))
