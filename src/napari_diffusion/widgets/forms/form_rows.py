"""The small parts that every form is laid out with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QFont, QFontMetrics
from qtpy.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton, QSizePolicy, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_diffusion.widgets.forms.number_text import Value

# Readable on napari's dark and light backgrounds alike.
RED = "#e8605a"
GREY = "#8d9199"

_WIDEST = "diffusion filter"


class RowLabel(QLabel):
    """The name at the left of a row, as wide as in every other row, its unit small beneath it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._unit = ""
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.set_unit("")

    def set_name(self, name: str) -> None:
        """Show another name."""
        self._name = name
        self.set_unit(self._unit)

    def set_unit(self, unit: str) -> None:
        """Show a unit beneath the name; an empty one takes no room."""
        self._unit = unit
        small = f'<br><span style="font-size: small; color: {GREY}">{unit}</span>' if unit else ""
        self.setText(self._name + small)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the width that all labels share, so that forms line up with each other."""
        bold = QFont(self.font())
        bold.setBold(True)
        width = QFontMetrics(bold).horizontalAdvance(_WIDEST) + 8
        return QSize(width, max(super().heightForWidth(width), 0))


class MessageLabel(QLabel):
    """A sentence beneath a row; takes no room while there is nothing to say."""

    def __init__(self, colour: str = RED) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.say("", colour)

    def say(self, sentence: str, colour: str = "") -> None:
        """Show a sentence, or nothing; in another colour if one is given."""
        if colour:
            self.setStyleSheet(f"color: {colour}; font-size: 11px;")
        self.setText(sentence)
        self.setVisible(bool(sentence))


class Combo(QComboBox):
    """A choice that the mouse wheel scrolls past instead of changing it, and that may be narrow."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)

    def wheelEvent(self, event: Any) -> None:  # noqa: N802
        """Leave the wheel to the scroll area around the form."""
        event.ignore()


class NumberEdit(QLineEdit):
    """A line to type a number in; the up and down keys step to the next one."""

    stepped = Signal(int)

    def keyPressEvent(self, event: Any) -> None:  # noqa: N802
        """Turn the up and down keys into steps."""
        step = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(event.key())
        if step is None:
            super().keyPressEvent(event)
        else:
            self.stepped.emit(step)


def problem_of(value: Callable[[], Value]) -> str | None:
    """Return the error of a form's value, None where it has none."""
    try:
        value()
    except ValueError as error:
        return str(error)
    return None


def small_button(text: str) -> QPushButton:
    """Return a button for a sign or two, at the end of a row."""
    button = QPushButton(text)
    button.setFixedWidth(26)
    return button
