"""A slider that shows one step alone, quickly enough to scrub through them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

from napari_diffusion.widgets.steps.steps_tab import short_name

if TYPE_CHECKING:
    from napari_diffusion.widgets.results.step_run import StepRun


class StepSlider(QWidget):
    """Slider and name of the step that is shown."""

    #: The place in the run that was slid to.
    moved = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setToolTip("Show one step at a time; use the arrow keys to move step by step.")
        self.slider.setPageStep(1)
        self.number = QLabel()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.slider, 1)
        row.addWidget(self.number)
        self.slider.valueChanged.connect(self.moved.emit)

    def follow(self, run: StepRun | None, is_visible: bool) -> None:
        """Stand at the step that is shown."""
        self.setEnabled(run is not None and (len(run.steps) > 1 or not is_visible))
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, max(len(run.steps) - 1, 0) if run is not None else 0)
            self.slider.setValue(run.shown if run is not None else 0)
        if run is None:
            self.number.setText("")
        else:
            name = short_name(run.record) if is_visible else "hidden"
            self.number.setText(f"{name} · {run.shown + 1} of {len(run.steps)}")
