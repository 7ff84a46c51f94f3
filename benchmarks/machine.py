"""The machine, and how many threads everything on it may use."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# What each library reads when it is loaded: ours, OpenMP's, BLAS's, ITK's, VTK's.
_THREAD_VARIABLES = (
    "NAPARI_DIFFUSION_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
    "VTK_SMP_MAX_THREADS",
)

_OURS = ("napari-diffusion", "numpy", "numba", "scipy")


def environment(threads: int) -> dict[str, str]:
    """Return the environment of a process in which no library uses more threads than that."""
    wanted = dict.fromkeys(_THREAD_VARIABLES, str(threads))
    # A thread that spins while it waits would be counted as work.
    return {**os.environ, **wanted, "OMP_WAIT_POLICY": "PASSIVE"}


def pin(threads: int) -> bool:
    """Keep this process on so many processors, whatever its libraries do; say whether it could."""
    if not hasattr(os, "sched_setaffinity"):
        return False
    mine = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, set(mine[-threads:]))
    return len(mine) >= threads


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load() -> float | None:
    """Return how many tasks the machine was busy with during the last minute."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def describe() -> dict[str, str]:
    """Return the processor, the system and the versions, by name."""
    found = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "processor": f"{_model()}, compiled for {_target()}",
        "processors": str(processors()),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": sys.version.split()[0],
    }
    return {**found, **{name: _version(name) for name in _OURS}}


def _model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _target() -> str:
    from llvmlite.binding import get_host_cpu_name

    return str(get_host_cpu_name())


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"
