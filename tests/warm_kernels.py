"""Compiles the kernels before a suite that several processes share begins.

Each process takes the next component that none has taken. What two components have in common is
compiled by one of them, and the other waits: so one goes through the list from its end.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numba

import napari_diffusion

TESTS = Path(__file__).parent
# Rows of the frozen results that call all kernels; the others call the same ones again.
PARTS = ("filter", "noise", "domain", "metric", "estimate")


def key():
    """Return what the compiled kernels depend on, and where they are."""
    total = hashlib.sha256(f"{numba.__version__} {numba.config.CACHE_DIR}".encode())
    for file in sorted(Path(napari_diffusion.__file__).parent.rglob("*.py")):
        total.update(file.read_bytes())
    return total.hexdigest()


def compile_all(processes):
    """Compile in so many processes, and wait for them."""
    with tempfile.TemporaryDirectory() as taken:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(TESTS)])}
        command = [sys.executable, __file__, taken]
        running = [
            subprocess.Popen([*command, str(turn)], env=environment, stdout=subprocess.DEVNULL)
            for turn in range(processes)
        ]
        for process in running:
            process.wait()


def take_turns(taken, turn):
    """Make the rows of each component that no other process has taken."""
    from frozen_results import made, rows

    components = {}
    for name, make in rows().items():
        if name.startswith(PARTS):
            components.setdefault(name.partition("(")[0].replace("/", " "), []).append(make)
    for name in list(components)[:: -1 if turn % 2 else 1]:
        try:
            (taken / name).touch(exist_ok=False)
        except FileExistsError:
            continue
        for make in components[name]:
            # What is wrong is for the tests to say.
            with contextlib.suppress(Exception):
                made(make)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    take_turns(Path(sys.argv[1]), int(sys.argv[2]))
