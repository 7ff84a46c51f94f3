"""A slider that shows one step alone, quickly enough to scrub through them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QSignalBlocker, Qt, QTimer
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

from napari_diffusion.widgets.layers.layer_locks import show_alone
from napari_diffusion.widgets.layers.step_records import is_stack

if TYPE_CHECKING:
    import napari

    from napari_diffusion.widgets.results.run_finder import RunFinder
    from napari_diffusion.widgets.results.step_run import StepRun

# When the slider has rested so long, in milliseconds, the step's layer is selected: that takes
# napari longer than to show it.
_SETTLE_MS = 300


class StepSlider(QWidget):
    """Slider and number of the step that is shown.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers are shown and hidden.
    finder : RunFinder
        Follows the slider where it is ahead of the selection.
    """

    #: Another step is shown.
    moved = Signal(object)

    def __init__(self, viewer: napari.Viewer, finder: RunFinder) -> None:
        super().__init__()
        self._viewer = viewer
        self._finder = finder
        self._run: StepRun | None = None
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setToolTip("Show one step at a time; use the arrow keys to move step by step.")
        self.number = QLabel()
        self._settle_timer = QTimer(self)
        self._settle_timer.setSingleShot(True)
        self._settle_timer.setInterval(_SETTLE_MS)
        self._settle_timer.timeout.connect(self.settle)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.slider, 1)
        row.addWidget(self.number)
        self.slider.valueChanged.connect(self.show_step)

    def follow(self, run: StepRun | None) -> None:
        """Stand at the step that is shown."""
        self._run = run
        self.setEnabled(run is not None and len(run.steps) > 1)
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, max(len(run.steps) - 1, 0) if run is not None else 0)
            self.slider.setValue(run.shown if run is not None else 0)
        if run is None:
            self.number.setText("")
            return
        name = "final" if run.record["is_final"] else f"step {run.record['step']:02}"
        self.number.setText(f"{name} · {run.shown + 1} of {len(run.steps)}")

    def show_step(self, place: int) -> None:
        """Show one step alone: its layer, or its place in the stack."""
        run = self._run
        if run is None or not 0 <= place < len(run.steps):
            return
        step = run.steps[place]
        if is_stack(step.layer):
            axis = self._viewer.dims.ndim - step.layer.ndim
            scale, start = step.layer.scale[0], step.layer.translate[0]
            self._viewer.dims.set_point(axis, start + scale * step.place)
            return
        show_alone(step.layer, run.layers())
        self._settle_timer.start()
        self.moved.emit(self._finder.show(place))

    def settle(self) -> None:
        """Select the layer of the step that is shown."""
        self._settle_timer.stop()
        run = self._run
        self._finder.arrive()
        if run is None or is_stack(run.step.layer):
            return
        if run.step.layer in self._viewer.layers:
            self._viewer.layers.selection.active = run.step.layer
