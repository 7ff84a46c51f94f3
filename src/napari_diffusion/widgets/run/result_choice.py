"""What becomes of the steps: layers or a stack, and whether there is room for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtGui import QValidator
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QSpinBox, QVBoxLayout, QWidget

from napari_diffusion.core.parameter import Parameter
from napari_diffusion.widgets.forms.fields import ComboField, unchecked
from napari_diffusion.widgets.forms.form_rows import GREY, MessageLabel
from napari_diffusion.widgets.run.memory import (
    RESULTS,
    Need,
    ordinal,
    written_bytes,
)
from napari_diffusion.widgets.run.preferences import DEFAULTS

if TYPE_CHECKING:
    from napari_diffusion.widgets.run.memory import Result

Offer = tuple[str, Callable[[], None]]

_RESULT = Parameter(
    "result",
    "choice",
    "auto",
    tooltip=(
        "layers: one layer per step. stack: one layer with a slider over the steps, "
        f"optionally on disk. auto: layers for up to {DEFAULTS.most_layers} steps (or as many as "
        "napari's preferences say), a stack beyond."
    ),
    choices=RESULTS,
)


class KeepEverySpin(QSpinBox):
    """Which steps are kept: all of them, or every n-th."""

    def __init__(self) -> None:
        super().__init__()
        self.setRange(1, 1_000_000)
        self.setToolTip("Keep all steps, or every n-th and the last.")

    def textFromValue(self, value: int) -> str:  # noqa: N802
        """Return the number in words."""
        return "all steps" if value == 1 else f"every {ordinal(value)} step"

    def valueFromText(self, text: str | None) -> int:  # noqa: N802
        """Return the number in a text."""
        digits = "".join(letter for letter in text or "" if letter.isdigit())
        return int(digits or 1)

    def validate(self, text: str | None, place: int) -> Any:
        """Let anything be typed: what has no number in it means all steps."""
        return QValidator.State.Acceptable, text, place


class ResultWidget(QWidget):
    """A view of what becomes of the steps."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.result = ComboField(_RESULT, unchecked, RESULTS)
        self.keep_every = KeepEverySpin()
        self.result.row.addWidget(self.keep_every, 1)
        self.need = MessageLabel(GREY)
        self.message = MessageLabel()
        self.offers = QWidget()
        self._offered = QHBoxLayout(self.offers)
        self._offered.setContentsMargins(0, 0, 0, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        layout.setSpacing(3)
        for widget in (self.result, self.need, self.message, self.offers):
            layout.addWidget(widget)
        self.offers.setVisible(False)
        self.result.changed.connect(self._edited)
        self.keep_every.valueChanged.connect(self._edited)

    def value(self) -> tuple[Result, int]:
        """Return what becomes of the steps, and every which step is kept."""
        return self.result.value(), self.keep_every.value()

    def set_value(self, result: Result, keep_every: int = 1) -> None:
        """Show what becomes of the steps."""
        self.result.set_value(result)
        self.keep_every.setValue(keep_every)

    def show_need(self, need: Need | None, result: Result, channels: int = 1) -> None:
        """Say what the run will make, for one layer or for several, and what that takes."""
        if need is None:
            self.need.say("")
            return
        count = need.num_kept
        made = f"{count * channels} layers"
        if result != "layers":
            made = f"{channels} stack{'s' * (channels > 1)} of {count}"
        taken = f"{written_bytes(need.memory)} of memory"
        if need.on_disk:
            taken += f", {written_bytes(need.disk)} on disk"
        self.need.say(f"{made}, {taken}")

    def show_error(self, sentence: str, offers: list[Offer]) -> None:
        """Say why the run cannot be made like this, and offer what can."""
        self.message.say(sentence)
        while self._offered.count():
            taken: Any = self._offered.takeAt(0)
            if taken.widget() is not None:
                taken.widget().deleteLater()
        for label, take in offers:
            button = QPushButton(label)
            button.clicked.connect(_taking(self, take))
            self._offered.addWidget(button)
        self.offers.setVisible(bool(offers))

    def _edited(self) -> None:
        self.show_error("", [])
        self.changed.emit()


def _taking(widget: ResultWidget, take: Callable[[], None]) -> Callable[[], None]:
    def clicked() -> None:
        widget.show_error("", [])
        take()

    return clicked
