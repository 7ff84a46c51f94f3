"""Measure how long the window does not answer while the steps of a run arrive.

python -m benchmarks.stalls [CASE …]

Each case is run with the docks *Diffusion loop* and *Steps* open, and again as napari alone adds
the same layers; both in a process of their own. Ours may take 100 ms more at the longest. Counted
is the time that the thread of the window was busy, whatever else the machine does;
the time on the clock is shown too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import napari_diffusion as nd

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

#: Milliseconds that ours may take beyond napari's own.
ALLOWED = 100.0


@dataclass(frozen=True)
class Case:
    """An image, and how many steps become layers, or places in a stack."""

    shape: tuple[int, ...]
    steps: int


CASES = {
    "512": Case((512, 512), 30),
    "1024": Case((1024, 1024), 30),
    "1024-few": Case((1024, 1024), 10),
    "volume": Case((32, 256, 256), 10),
    "stack": Case((512, 512), 200),
}


class Ticker:
    """Notes the longest time between two turns of the event loop."""

    def __init__(self) -> None:
        from qtpy.QtCore import QTimer

        self.busy: list[float] = []
        self.clock: list[float] = []
        self._last = time.thread_time(), time.perf_counter()
        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)
        self._timer.start(0)

    def _tick(self) -> None:
        busy, clock = time.thread_time(), time.perf_counter()
        self.busy.append(busy - self._last[0])
        self.clock.append(clock - self._last[1])
        self._last = busy, clock

    def stop(self) -> dict[str, list[float]]:
        """Return the longest gaps in milliseconds, the longest first."""
        self._timer.stop()
        return {"busy": _longest(self.busy), "clock": _longest(self.clock)}


def _longest(gaps: list[float]) -> list[float]:
    return [round(1000 * gap) for gap in sorted(gaps, reverse=True)[:4]]


def _image(case: Case) -> NDArray[np.float32]:
    values = np.random.default_rng(0).random(case.shape, np.float32)
    return np.asarray(values, np.float32)


def _ours(viewer: Any, case: Case) -> tuple[Callable[[], None], Callable[[], bool]]:
    from napari_diffusion.widgets import DiffusionLoop, Steps

    loop = DiffusionLoop(viewer)
    viewer.window.add_dock_widget(loop, name="Diffusion loop")
    viewer.window.add_dock_widget(Steps(viewer), name="Steps")
    recipe = nd.Recipe(
        num_steps=case.steps, starting_noise_scale=0.01, diffusion_filter=nd.filters.Heat(time=0.1)
    )
    for _ in nd.steps(viewer.layers[0].data[..., :16, :16], recipe.replaced(num_steps=1)):
        pass

    def begin() -> None:
        loop.recipe.set_value(recipe)
        loop.run()

    return begin, lambda: not loop.runner.is_running


def _alone(viewer: Any, case: Case) -> tuple[Callable[[], None], Callable[[], bool]]:
    """Add as many layers as napari does, or let one grow, one change a turn of the event loop."""
    from qtpy.QtCore import QTimer

    source, made = viewer.layers[0], []
    stack = np.zeros((case.steps, *case.shape), np.float32) if case.steps > 30 else None

    def add() -> None:
        count = len(made)
        if stack is None:
            layer = viewer.add_image(np.array(source.data), contrast_limits=(0, 1), name=f"{count}")
            if made:
                made[-1].visible = False
        elif not made:
            layer = viewer.add_image(stack[:1], contrast_limits=(0, 1))
        else:
            layer = made[0]
            layer.data = stack[: count + 1]
            viewer.dims.set_point(0, count)
        made.append(layer)
        if len(made) < case.steps:
            QTimer.singleShot(10, add)

    return add, lambda: len(made) == case.steps


def measure(name: str, ours: bool) -> dict[str, Any]:
    """Return the longest gaps of a case, and how long it took."""
    import napari
    from qtpy.QtWidgets import QApplication

    case = CASES[name]
    viewer = napari.Viewer(show=True)
    viewer.add_image(_image(case), contrast_limits=(0, 1), name="image")
    begin, is_over = (_ours if ours else _alone)(viewer, case)
    application = QApplication.instance()
    assert application is not None
    for _ in range(20):
        application.processEvents()
        time.sleep(0.02)
    ticker, start = Ticker(), time.perf_counter()
    begin()
    while not is_over():
        application.processEvents()
    while not ticker.busy:
        application.processEvents()
    gaps, seconds = ticker.stop(), time.perf_counter() - start
    count = len(viewer.layers)
    viewer.close()
    return {**gaps, "seconds": round(seconds, 2), "layers": count}


def main(names: list[str]) -> int:
    """Measure each case twice, and say whether ours takes too long."""
    if names[:1] == ["--worker"]:
        print(json.dumps(measure(names[1], names[2] == "ours")))
        return 0
    failed = 0
    for name in names or list(CASES):
        found = {}
        for which in ("napari", "ours"):
            command = [sys.executable, "-m", "benchmarks.stalls", "--worker", name, which]
            done = subprocess.run(
                command, capture_output=True, text=True, env={**os.environ}, check=False
            )
            if done.returncode:
                print(done.stderr, file=sys.stderr)
                return 1
            found[which] = json.loads(done.stdout.strip().splitlines()[-1])
        beyond = found["ours"]["busy"][0] - found["napari"]["busy"][0]
        failed += beyond > ALLOWED
        print(f"{name}: {beyond:+.0f} ms beyond napari's own", flush=True)
        for which, each in found.items():
            print(f"    {which}: {each}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
