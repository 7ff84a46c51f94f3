"""The loop on a sample image in the real window, as a user would run it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from napari_diffusion.widgets.run.preferences import PLUGIN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import napari

    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.widgets.loop.diffusion_loop import DiffusionLoop

SIZE = (1280, 800)

# A first run compiles the kernels, and a machine may be slow at that.
_PATIENCE = 300.0


def demo(output: Path, recipe: Recipe, stay: bool = False, sample: str = "face") -> None:
    """Open the window, run a recipe on a sample image, and take images of it.

    Leaves ``window-half-way.png`` and ``window.png`` in `output`.

    Parameters
    ----------
    output : Path
        Folder for the images; made where it is not there.
    recipe : Recipe
        Filled into the dock's form.
    stay : bool
        Leave the window open until it is closed by hand.
    sample : str
        The name of the sample.

    Raises
    ------
    TimeoutError
        If the run does not end.
    """
    import napari

    output.mkdir(parents=True, exist_ok=True)
    viewer = napari.Viewer()
    viewer.window.resize(*SIZE)
    viewer.open_sample(PLUGIN, sample)
    dock, loop = viewer.window.add_plugin_dock_widget(PLUGIN, "Diffusion loop")
    dock.raise_()
    settle(0.5)
    viewer.reset_view()
    loop.value = recipe
    if loop.source.holes.visible:
        loop.source.holes.native.click()
    run(viewer, loop, output)
    if stay:
        napari.run()
    else:
        viewer.close()


def run(viewer: napari.Viewer, loop: DiffusionLoop, output: Path) -> None:
    """Press Run, and take images half-way and at the end, one step shown alone."""
    total = loop.value.total_steps
    before = len(viewer.layers)
    loop.controls.run.native.click()
    wait(lambda: len(viewer.layers) - before > total // 2 or not loop.runner.is_running)
    photograph(viewer, output / "window-half-way.png")
    wait(lambda: not loop.runner.is_running)
    settle(0.5)
    photograph(viewer, output / "window.png")


def photograph(viewer: napari.Viewer, path: Path) -> None:
    """Write an image of the whole window."""
    settle(0.2)
    viewer.window.screenshot(str(path), flash=False, canvas_only=False)


def settle(seconds: float) -> None:
    """Let the window handle its events for a while."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        _application().processEvents()
        time.sleep(0.005)


def wait(until: Callable[[], bool]) -> None:
    """Let the window handle its events until something has come true."""
    end = time.monotonic() + _PATIENCE
    while not until():
        if time.monotonic() > end:
            raise TimeoutError(f"The run did not end within {_PATIENCE:.0f} seconds.")
        settle(0.02)


def _application() -> Any:
    from qtpy.QtWidgets import QApplication

    return QApplication.instance()
