"""A face put into a photograph, against the strength of the loop that follows."""

from __future__ import annotations

from typing import Any

import numpy as np

import napari_diffusion as nd
from benchmarks.traces import faces
from benchmarks.traces.pictures import PNG, jpeg, picture
from benchmarks.traces.reader import read
from benchmarks.traces.regions import blended
from benchmarks.traces.scores import auc, interval, shown
from benchmarks.traces.vetted import Crop, crops

# Where the loop runs, the quality of the host before, and how the result is saved.
SETTINGS = (("face", None, PNG), ("whole", None, PNG), ("whole", 75, "JPEG-90"))
HOSTS = 8

# Decibels of a result in which nothing changed.
_SAME = 99.0


def _traces() -> dict[str, nd.forensics.Trace]:
    """Return the traces with maps; those of noise are read on both sides."""
    return {
        "local noise": nd.forensics.LocalNoise(),
        "block grid": nd.forensics.BlockGrid(),
        "ghost": nd.forensics.Ghost(),
        "double quantisation": nd.forensics.DoubleQuantisation(),
    }


def hosts() -> list[Crop]:
    """Return the first crops of photographs, without those that give a face."""
    first = {crop.photograph: crop for crop in reversed(crops())}
    return [first[name] for name in sorted(first) if name not in faces.FACES][:HOSTS]


def measured(seeds: int) -> dict[str, Any]:
    """Return [setting, host, strength, spliced, decibels kept, {trace: AUC}] of all."""
    del seeds
    rows = []
    for host in hosts():
        for face in faces.FACES:
            for k, (where, before, kept) in enumerate(SETTINGS):
                made, mask = faces.spliced(host, face, before)
                plain = picture(host) if before is None else jpeg(picture(host), before)
                for strength in faces.STRENGTHS:
                    for start, spliced in ((made, True), (plain, False)):
                        result = faces.looped(start, strength)
                        if where == "face":
                            result = blended(start, result, mask)
                        seen = _seen(result, mask, kept)
                        rows.append([k, host.name, strength, spliced, _kept(result, start), seen])
            print(host.name, face, rows[-1], flush=True)
    return {"rows": rows}


def _kept(result: Any, start: Any) -> float:
    error = float(np.mean((np.rint(result) - start) ** 2))
    return _SAME if error == 0 else float(10 * np.log10(255**2 / error))


def _seen(result: Any, mask: Any, kept: str) -> dict[str, float]:
    """Return the AUC of each trace; ½ where it refuses the image."""
    found = {}
    for name, trace in _traces().items():
        reading = read(trace, result, kept).reading
        if reading is None:
            found[name] = 0.5
            continue
        values = np.nan_to_num(np.squeeze(reading.maps[0].values))
        one = auc(mask, values)
        found[name] = max(one, 1 - one) if name == "local noise" else one
    return found


def lines(values: dict[str, Any]) -> list[str]:
    """Return the section of the page."""
    rows = values["rows"]
    names = list(rows[0][5])
    made = [
        "## A spliced face against the strength of the loop",
        "",
        f"{len({row[1] for row in rows})} hosts, two faces, feathered, brightness and contrast "
        "matched. Strength: starting noise in grey levels; the time is a quarter of it, 10 steps "
        "of Perona–Malik, then a little heat. *Best* is the largest of the AUCs of an image; "
        "*nothing spliced* is the same for the same place in the host after the same loop: what "
        "the best of several maps gives by chance. *Kept* is the PSNR to the image before.",
    ]
    for k, (where, before, kept) in enumerate(SETTINGS):
        history = "" if before is None else f"; the host was JPEG-{before}"
        made += [
            "",
            f"### The loop on the {'face' if where == 'face' else 'whole image'}, {kept}{history}",
            "",
            f"| strength | {' | '.join(names)} | best | nothing spliced: best | kept (dB) |",
            f"|--:|{'--:|' * (len(names) + 3)}",
        ]
        for strength in faces.STRENGTHS:
            these = [row for row in rows if row[0] == k and row[2] == strength]
            made.append(f"| {strength} | {' | '.join(_cells(these, names))} |")
    return [*made, "", "The loop trades traces of the splice for traces of the loop.", ""]


def _cells(rows: list[Any], names: list[str]) -> list[str]:
    spliced, plain = ([row for row in rows if row[3] is each] for each in (True, False))
    groups = [row[1] for row in spliced]
    cells = [shown(interval(groups, [row[5][name] for row in spliced])) for name in names]
    for these in (spliced, plain):
        cells.append(shown(interval(groups, [max(row[5].values()) for row in these])))
    return [*cells, f"{np.median([row[4] for row in spliced]):.1f}"]
