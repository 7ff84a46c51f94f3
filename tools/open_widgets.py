"""Open every widget of the installed plugin in a napari window, and look for its plots.

It runs in an environment that has nothing of the project but the built package: see try_wheel.py.
"""

from __future__ import annotations

import logging
import sys
import time
import warnings

#: At least so many plots each widget has.
PLOTS = {"Diffusion loop": 1, "Steps": 1}

PLUGIN = "napari-diffusion"
SAMPLE = "microscopy"


class Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
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
    from napari.utils.notifications import notification_manager
    from npe2 import PluginManager
    from qtpy.QtWidgets import QApplication

    viewer = napari.Viewer()
    viewer.open_sample(PLUGIN, SAMPLE)
    faults = []
    contributed = PluginManager.instance().get_manifest(PLUGIN).contributions
    names = [widget.display_name for widget in contributed.widgets or ()]
    for name in names:
        begin = time.perf_counter()
        _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, name)
        QApplication.processEvents()
        plots = count_plots(getattr(widget, "native", widget))
        print(f"{name}: opened in {time.perf_counter() - begin:.1f} s, {plots} plots", flush=True)
        if plots < PLOTS.get(name, 0):
            faults.append(f"{name} has {plots} plots, not {PLOTS[name]}")
    faults += [f"{name} is not in the manifest" for name in PLOTS if name not in names]
    run_until_idle(viewer)
    faults += [str(each) for each in notification_manager.records]
    viewer.close()
    return faults


def count_plots(native: object) -> int:
    """Return how many plots a widget has."""
    import pyqtgraph

    return len(native.findChildren(pyqtgraph.PlotWidget))  # type: ignore[attr-defined]


def run_until_idle(viewer: object, seconds: float = 1.0) -> None:
    """Let the window draw, and let its timers run."""
    from qtpy.QtWidgets import QApplication

    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.01)


if __name__ == "__main__":
    sys.exit(main())
