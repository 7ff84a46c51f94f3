"""How long a new process takes: importing, and the first call of each component."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from statistics import median

from benchmarks import machine
from benchmarks.measure import Cost

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
component = getattr({"filter": nd.filters, "noise": nd.noise}[slot], name)()
options = {"noise_scale": 0.1} if slot == "noise" else {}
took = []
for _ in range(2):
    begun, worked = time.perf_counter(), time.process_time()
    component(image, **options)
    took.append((time.perf_counter() - begun, time.process_time() - worked))
print(json.dumps(took))
"""


# What they do is another's work.
NEED_PARAMETERS = ("Blend", "Custom", "Sum")

# The plainest one and those that take longest.
NOISES = ("Gaussian", "Poisson", "PoissonGaussian", "EMCCD")

_MODULES = {"filter": "filters", "noise": "noise"}


@dataclass(frozen=True)
class FirstCall:
    """What the first call of a component takes, and the second one in the same process.

    Attributes
    ----------
    name : str
    cold : Cost
        The kernels are compiled.
    warm : Cost
        A process before has left them in the cache.
    second : Cost
    """

    name: str
    cold: Cost
    warm: Cost
    second: Cost


def import_time(times: int = 5) -> float:
    """Return the median of the seconds that ``import napari_diffusion`` takes."""
    return median(float(_run(_IMPORT)) for _ in range(times))


def components(size: str) -> list[tuple[str, str]]:
    """Return (slot, name) of every filter that needs no parameter, and of some noises."""
    from napari_diffusion.loop import registry

    every = [
        (slot, cls.__name__)
        for slot in ("filter", "noise")
        for cls in registry.COMPONENTS[slot]
        if cls.__name__ not in NEED_PARAMETERS and (slot == "filter" or cls.__name__ in NOISES)
    ]
    return every[:1] if size == "tiny" else every


def first_call(slot: str, name: str, times: int = 2) -> FirstCall:
    """Time the first calls of a component, the cache of compiled kernels being empty at first."""
    with tempfile.TemporaryDirectory() as cache:
        runs = [
            [
                Cost(*took)
                for took in json.loads(_run(_FIRST_CALL, slot, name, NUMBA_CACHE_DIR=cache))
            ]
            for _ in range(1 + times)
        ]
    warm = [first for first, _ in runs[1:]]
    return FirstCall(
        f"{_MODULES[slot]}.{name}",
        runs[0][0],
        Cost(median(cost.wall for cost in warm), median(cost.cpu for cost in warm)),
        min((second for _, second in runs), key=lambda cost: cost.wall),
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
