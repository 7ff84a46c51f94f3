"""What can be done from a step: use its recipe, go on from it, take steps out of a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtWidgets import QGridLayout, QLineEdit, QPushButton, QSpinBox, QWidget

from napari_diffusion.widgets.forms.form_rows import GREY, MessageLabel
from napari_diffusion.widgets.layers.step_records import (
    is_stack,
)
from napari_diffusion.widgets.results.chosen_step import ChosenStep, chosen_step

if TYPE_CHECKING:
    import napari


class StepActions(QWidget):
    """Buttons for the step that is shown; disabled while the active layer is not a step."""

    use_clicked = Signal(ChosenStep)
    continue_clicked = Signal(ChosenStep, int)
    extract_clicked = Signal(ChosenStep, str)

    def __init__(self, viewer: napari.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.title = MessageLabel(GREY)
        self.use = QPushButton("Use this recipe")
        self.go_on = QPushButton("Continue")
        self.more = QSpinBox()
        self.extract = QPushButton("Extract steps as layers")
        self.which = QLineEdit()
        self._lay_out()
        self.use.clicked.connect(self._use)
        self.go_on.clicked.connect(self._continue)
        self.extract.clicked.connect(self._extract)
        viewer.layers.selection.events.active.connect(self.refresh)
        viewer.dims.events.point.connect(self.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        self.more.setRange(1, 10_000)
        self.more.setValue(5)
        self.more.setSuffix(" more steps")
        self.use.setToolTip("Fill the form with the recipe of this step.")
        self.go_on.setToolTip("Continue from this step, as if the run had been longer.")
        self.which.setPlaceholderText("all")
        self.which.setToolTip("Which steps: 0-9, 20, 50- (to the last). Empty: all.")
        self.extract.setToolTip("Add steps of this stack as separate layers.")
        layout = QGridLayout(self)
        layout.setContentsMargins(4, 0, 4, 4)
        layout.setSpacing(4)
        layout.addWidget(self.title, 0, 0, 1, 3)
        layout.addWidget(self.use, 1, 0)
        layout.addWidget(self.go_on, 1, 1)
        layout.addWidget(self.more, 1, 2)
        layout.addWidget(self.extract, 2, 0, 1, 2)
        layout.addWidget(self.which, 2, 2)

    def refresh(self) -> None:
        """Show which step the buttons work on now."""
        step = chosen_step(self._viewer)
        stack = step is not None and is_stack(step.layer)
        for widget in (self.use, self.go_on, self.more):
            widget.setEnabled(step is not None)
        self.extract.setVisible(stack)
        self.which.setVisible(stack)
        self.title.say(
            f"Shown: {step.title}" if step else "Select a step layer to continue from it."
        )

    def _use(self) -> None:
        if step := chosen_step(self._viewer):
            self.use_clicked.emit(step)

    def _continue(self) -> None:
        if step := chosen_step(self._viewer):
            self.continue_clicked.emit(step, self.more.value())

    def _extract(self) -> None:
        if step := chosen_step(self._viewer):
            self.extract_clicked.emit(step, self.which.text())
