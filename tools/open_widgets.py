"""Open every widget of the installed plugin in a napari window, look for its plots, and denoise.

It runs in an environment that has nothing of the project but the built package: see try_wheel.py.
"""

from __future__ import annotations

import logging
import sys
import time
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import napari
    from qtpy.QtWidgets import QWidget

#: At least so many plots each widget has.
PLOTS = {"Diffusion loop": 1, "Steps": 1}

PLUGIN = "napari-diffusion"
SAMPLE = "microscopy"
COMMAND = "napari-diffusion.denoise_selected"

#: Warns of what a virtual screen cannot tell, such as its size.
SCREEN = "vispy"

#: Seconds for a denoised layer to appear: nothing is compiled yet.
PATIENCE = 600.0


class Kept(logging.Handler):
    """Keeps what is logged, but for warnings on the screen."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != SCREEN or record.levelno >= logging.ERROR:
            self.lines.append(f"{record.levelname} {record.name}: {record.getMessage()}")


def main() -> int:
    """Return 0 where every widget opens with its plots and nothing is complained of."""
    kept = Kept()
    logging.getLogger().addHandler(kept)
    logging.captureWarnings(True)
    warnings.simplefilter("default")
    # napari's own models, and those of npe2
    warnings.filterwarnings("ignore", category=DeprecationWarning, module="(pydantic|npe2|napari)")
    faults = open_all()
    for fault in (*faults, *kept.lines):
        print(fault, file=sys.stderr)
    return 1 if faults or kept.lines else 0


def open_all() -> list[str]:
    """Open the widgets; return what is wrong."""
    import napari
    from napari.utils.notifications import NotificationSeverity, notification_manager
    from npe2 import PluginManager

    viewer = napari.Viewer()
    viewer.open_sample(PLUGIN, SAMPLE)
    faults = []
    contributed = PluginManager.instance().get_manifest(PLUGIN).contributions
    names = [widget.display_name for widget in contributed.widgets or ()]
    for name in names:
        begin = time.perf_counter()
        _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, name)
        unfold(getattr(widget, "native", widget))
        plots = count_plots(getattr(widget, "native", widget))
        print(f"{name}: opened in {time.perf_counter() - begin:.1f} s, {plots} plots", flush=True)
        if plots < PLOTS.get(name, 0):
            faults.append(f"{name} has {plots} plots, not {PLOTS[name]}")
    faults += [f"{name} is not in the manifest" for name in PLOTS if name not in names]
    faults += denoise(viewer)
    handle_events(1.0)
    for each in notification_manager.records:
        if each.severity not in (NotificationSeverity.INFO, NotificationSeverity.DEBUG):
            faults.append(f"{each.severity}: {each.message}")
    viewer.close()
    return faults


def unfold(widget: QWidget) -> None:
    """Click every fold, also those within: plots are made when they are first seen."""
    from qtpy.QtWidgets import QAbstractButton, QApplication

    clicked: list[QAbstractButton] = []
    for _ in range(3):
        folds = [each for each in widget.findChildren(QAbstractButton)
                 if each.property("role") == "fold" and each.isEnabled()]  # fmt: skip
        for fold in folds:
            if fold not in clicked:
                fold.click()
                clicked.append(fold)
        QApplication.processEvents()


def denoise(viewer: napari.Viewer) -> list[str]:
    """Denoise the sample by the command of the menus; return what is wrong."""
    from napari._app_model import get_app_model

    viewer.layers.selection.active = viewer.layers[0]
    before, begin = len(viewer.layers), time.perf_counter()
    get_app_model().commands.execute_command(COMMAND)
    while len(viewer.layers) == before:
        if time.perf_counter() - begin > PATIENCE:
            return [f"{COMMAND} made no layer in {PATIENCE:g} s"]
        handle_events(0.1)
    print(f"{COMMAND}: {time.perf_counter() - begin:.1f} s", flush=True)
    return []


def count_plots(native: QWidget) -> int:
    """Return how many plots a widget has."""
    import pyqtgraph

    return len(native.findChildren(pyqtgraph.PlotWidget))


def handle_events(seconds: float) -> None:
    """Let the window draw, and let its timers run."""
    from qtpy.QtWidgets import QApplication

    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.01)


if __name__ == "__main__":
    sys.exit(main())
