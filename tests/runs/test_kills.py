"""A run that is killed goes on where it was, and ends with the same bits."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="kills a process by a signal"),
]

PROGRAM = Path(__file__).with_name("killed_runs.py")

#: A group, a folder of files, and one file.
OUTPUTS = ("run.ome.zarr", "steps", "run.ome.tif")


def killed_at(folder, output, *events):
    """Return what became of runs that were killed at these events, and then gone on with."""
    words = [sys.executable, str(PROGRAM), str(folder), output, *map(str, events)]
    found = subprocess.run(words, capture_output=True, text=True, timeout=3000, check=False)
    assert found.returncode == 0, found.stderr[-3000:]
    return [json.loads(line) for line in found.stdout.splitlines()]


def check_kills(folder, output, count, seed):
    """Kill a run at events that lie all over it."""
    (unbroken,) = killed_at(folder, output, "count")
    total = unbroken["events"]
    draw = random.Random(seed)
    events = [draw.randint(total * i // count + 1, total * (i + 1) // count) for i in range(count)]
    killed = 0
    for found in killed_at(folder, output, *events):
        if found["ended"]:  # what follows from threads differs a little from run to run
            continue
        killed += 1
        assert found["hashes"].keys() == unbroken["hashes"].keys(), found
        assert found["hashes"] == unbroken["hashes"], found
        assert found["left"] == [], found
        if found["there"] is not None:
            assert found["skipped"] == found["there"], found
            assert found["made"] + found["skipped"] <= found["total"], found
    assert killed >= count - 1


@pytest.mark.parametrize(("output", "count"), list(zip(OUTPUTS, (4, 3, 3), strict=True)))
def test_killed_runs_go_on(output, count, tmp_path):
    check_kills(tmp_path, output, count, seed=1)


@pytest.mark.long
@pytest.mark.parametrize(("output", "count"), list(zip(OUTPUTS, (100, 50, 50), strict=True)))
def test_runs_killed_anywhere_go_on(output, count, tmp_path):
    check_kills(tmp_path, output, count, seed=2)
