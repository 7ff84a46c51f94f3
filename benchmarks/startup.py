"""How long a new process takes: importing, and the first call of each member."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import Any

from benchmarks import machine

_IMPORT = """
import time
begun = time.perf_counter()
import napari_diffusion
print(time.perf_counter() - begun)
"""

_FIRST_CALL = """
import json, sys, time
import numpy as np
import napari_diffusion as nd
slot, name = sys.argv[1:]
image = np.random.default_rng(0).random((64, 64), dtype=np.float32)
member = getattr({"filter": nd.filters, "noise": nd.noise}[slot], name)()
options = {"noise_scale": 0.1} if slot == "noise" else {}
took = []
for _ in range(2):
    begun = time.perf_counter()
    member(image, **options)
    took.append(time.perf_counter() - begun)
print(json.dumps(took))
"""


_MODULES = {"filter": "filters", "noise": "noise"}


@dataclass(frozen=True)
class FirstCall:
    """Seconds that the first call of a member takes, and the second one in the same process.

    Attributes
    ----------
    name : str
    cold : float
        The kernels are compiled.
    warm : float
        A process before has left them in the cache.
    second : float
    """

    name: str
    cold: float
    warm: float
    second: float


def import_time(times: int = 5) -> float:
    """Return the median of the seconds that ``import napari_diffusion`` takes."""
    return statistics.median(float(_run(_IMPORT)) for _ in range(times))


def members(size: str) -> list[tuple[str, str]]:
    """Return (slot, name) of every filter and noise."""
    from napari_diffusion.catalog import MEMBERS

    every = [(slot, cls.__name__) for slot in ("filter", "noise") for cls in MEMBERS[slot]]
    return every[:1] if size == "tiny" else every


def first_call(slot: str, name: str, times: int = 3) -> FirstCall:
    """Time the first calls of a member, the cache of compiled kernels being empty at first."""
    with tempfile.TemporaryDirectory() as cache:
        runs: list[Any] = [
            json.loads(_run(_FIRST_CALL, slot, name, NUMBA_CACHE_DIR=cache))
            for _ in range(1 + times)
        ]
    warm = statistics.median(first for first, _ in runs[1:])
    return FirstCall(
        f"{_MODULES[slot]}.{name}", runs[0][0], warm, min(second for _, second in runs)
    )


def _run(code: str, *arguments: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**machine.environment(1), **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
