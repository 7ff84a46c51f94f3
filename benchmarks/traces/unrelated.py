"""Panels that have nothing in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks import images
from benchmarks.traces.moved import PANEL
from benchmarks.traces.pictures import rounded, whole_picture
from benchmarks.traces.vetted import EXCLUDED, HISTORY

COUNT = 100

# Most panels of one photograph, and the least spread of grey levels: an empty one shows nothing.
_MOST, _SPREAD = 20, 4.0

# Files that show the same scene as another, and photographs in which something stands twice.
_LEFT_OUT = {"motorcycle_right", "moon", "horse", *EXCLUDED}


def unrelated() -> tuple[list[str], list[Any]]:
    """Return names and panels: parts of photographs that do not overlap, those to report first.

    Where those that are installed do not give a hundred, photographs of other roles follow.
    """
    order = [*HISTORY, *(each.name for each in images.PHOTOGRAPHS if each.name not in HISTORY)]
    names, found = [], []
    for name in order:
        if name in _LEFT_OUT or not images.is_here(name):
            continue
        whole = whole_picture(name)
        tiles = [
            (y, x)
            for y in range(0, whole.shape[0] - PANEL + 1, PANEL)
            for x in range(0, whole.shape[1] - PANEL + 1, PANEL)
        ]
        for y, x in tiles[:_MOST]:
            panel = whole[y : y + PANEL, x : x + PANEL]
            if np.std(panel) >= _SPREAD:
                names.append(f"{name} {y},{x}")
                found.append(rounded(panel))
    return names[:COUNT], found[:COUNT]
