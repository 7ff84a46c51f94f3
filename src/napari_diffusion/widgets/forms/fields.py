"""One parameter, one field: its name and unit, its editor, and beneath it what is wrong with it."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from psygnal import Signal
from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QWidget

from napari_diffusion.widgets.forms import number_text
from napari_diffusion.widgets.forms.form_rows import (
    RED,
    Combo,
    MessageLabel,
    NumberEdit,
    RowLabel,
    problem_of,
)
from napari_diffusion.widgets.forms.number_text import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_diffusion.core.parameter import Parameter

Check = Callable[[Value], Value]


class Automatic(NamedTuple):
    """What the tick box beside a number says, and the value that it stands for."""

    word: str = "auto"
    value: Value = "auto"


class Field(QWidget):
    """A row of a form: a view of one value.

    Parameters
    ----------
    parameter : Parameter
        Its label, unit, tooltip and kind.
    check : callable
        Returns a value as the recipe stores it, or raises ValueError or TypeError with a sentence.
    editor : QWidget
        What the user edits.
    """

    changed = Signal()

    # Whether the editor takes the whole row and brings a label of its own.
    wide = False

    def __init__(self, parameter: Parameter, check: Check, editor: QWidget) -> None:
        super().__init__()
        self._units = {"world": "", "intensity": ""}
        self.parameter = parameter
        self._check = check
        self._label = RowLabel(parameter.label)
        self._message = MessageLabel()
        self._editor = editor
        self.row = QHBoxLayout()
        self.row.setSpacing(4)
        self.row.addWidget(editor, 1)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(6)
        layout.setVerticalSpacing(1)
        if self.wide:
            self._label.setVisible(False)
            layout.addLayout(self.row, 0, 0, 1, 2)
        else:
            layout.addWidget(self._label, 0, 0)
            layout.addLayout(self.row, 0, 1)
        layout.addWidget(self._message, 1, 0, 1, 2)
        layout.setColumnStretch(1, 1)
        self._show_unit()
        self.setToolTip(parameter.tooltip)

    @abc.abstractmethod
    def _read(self) -> Value:
        """Return what the editor holds, checked or not."""

    @abc.abstractmethod
    def _write(self, value: Value) -> None:
        """Put a value into the editor without a signal."""

    def value(self) -> Value:
        """Return the value; ValueError says in one sentence what is wrong with what was typed."""
        try:
            return self._check(self._read())
        except TypeError as error:
            raise ValueError(str(error)) from None

    def set_value(self, value: Value) -> None:
        """Show a value; it comes back from `value` bit by bit."""
        self._write(value)
        self._edited()

    def problem(self) -> str | None:
        """Return what is wrong with what was typed, None where nothing is."""
        return problem_of(self.value)

    def say(self, sentence: str) -> None:
        """Show a sentence that is not the field's own until the next edit; an empty one goes."""
        self._mark(self.problem() or sentence)

    def set_resolved(self, value: Value) -> None:
        """Show the value that "auto" stands for, without changing the value; None forgets it."""

    def set_pixel_size(self, length: float) -> None:
        """Set the pixel size, to which a field of components scales their parameters."""

    def set_unit(self, name: str, unit: str) -> None:
        """Name a unit: of length ("world"), such as "µm", or of intensity; empty: as it was."""
        self._units[name] = unit
        self._show_unit()

    def set_world_unit(self, unit: str) -> None:
        """Name the unit of length, such as "µm"; an empty text goes back to "world"."""
        self.set_unit("world", unit)

    def forms(self) -> Iterator[Any]:
        """Yield the forms of the components within."""
        yield from ()

    def _show_unit(self) -> None:
        text = self.parameter.unit
        for name, unit in self._units.items():
            text = text.replace(name, unit or name)
        self._label.set_unit(text)

    def _edited(self) -> None:
        self._mark(self.problem() or "")
        self.changed.emit()

    def _mark(self, sentence: str) -> None:
        self._message.say(sentence)
        self._editor.setStyleSheet(f"border: 1px solid {RED};" if sentence else "")


class LineField(Field):
    """A number typed as text, so that it keeps every digit; also several numbers, and text.

    Where None is allowed, "none" may be typed.
    """

    def __init__(
        self, parameter: Parameter, check: Check, automatic: Automatic | None = None
    ) -> None:
        self.edit = NumberEdit()
        super().__init__(parameter, check, self.edit)
        self._automatic = automatic
        self._before = ""
        self.resolved: Value = None
        self.tick = QCheckBox(automatic.word if automatic else "")
        self.tick.setVisible(automatic is not None)
        self.row.addWidget(self.tick)
        self.tick.toggled.connect(self._ticked)
        self.edit.textChanged.connect(self._typed)
        self.edit.stepped.connect(self._step)

    def _read(self) -> Value:
        if self._automatic and self.tick.isChecked():
            return self._automatic.value
        return self._typed_value(self.edit.text())

    def _typed_value(self, text: str) -> Value:
        """Return the value that a text stands for."""
        if self.parameter.optional and text.strip().lower() == "none":
            return None
        return number_text.read(text, self.parameter.kind, self.parameter.many)

    def _shown(self, value: Value) -> str:
        """Return the text that stands for a value."""
        return "none" if value is None else number_text.written(value)

    def _write(self, value: Value) -> None:
        ticked = self._automatic is not None and value == self._automatic.value
        with QSignalBlocker(self.tick), QSignalBlocker(self.edit):
            self.tick.setChecked(ticked)
            self.edit.setText("" if ticked else self._shown(value))
            self.edit.setCursorPosition(0)
        self._show_automatic()

    def set_resolved(self, value: Value) -> None:
        """Show the value that "auto" stands for; see `Field.set_resolved`."""
        self.resolved = value
        self._show_automatic()

    def _show_automatic(self) -> None:
        if not self._automatic or not self.tick.isChecked():
            self.edit.setPlaceholderText("")
        elif self.resolved is None:
            self.edit.setPlaceholderText(self._automatic.word)
        else:
            self.edit.setPlaceholderText(
                f"{self._automatic.word}: {number_text.rounded(self.resolved)}"
            )

    def _ticked(self, on: bool) -> None:
        with QSignalBlocker(self.edit):
            if on:
                self._before = self.edit.text()
                self.edit.clear()
            else:
                known = number_text.written(self.resolved) if self.resolved is not None else ""
                self.edit.setText(known or self._before)
                if self.tick.hasFocus():
                    self.edit.setFocus()
                    self.edit.selectAll()
        self._show_automatic()
        self._edited()

    def _typed(self, text: str) -> None:
        if self._automatic:
            with QSignalBlocker(self.tick), QSignalBlocker(self.edit):
                self.tick.setChecked(text.strip() == self._automatic.word)
                if self.tick.isChecked():
                    self.edit.clear()
        self._show_automatic()
        self._edited()

    def _step(self, step: int) -> None:
        value = number_text.read(self.edit.text(), self.parameter.kind)
        if self.parameter.kind != "int" or not isinstance(value, int):
            return
        with contextlib.suppress(TypeError, ValueError):
            self.edit.setText(number_text.written(self._check(value + step)))


class ComboField(Field):
    """One of a few values."""

    def __init__(self, parameter: Parameter, check: Check, values: tuple[Value, ...]) -> None:
        self.combo = Combo()
        super().__init__(parameter, check, self.combo)
        self._values = values
        self.combo.addItems([_worded(value) for value in values])
        self.combo.currentIndexChanged.connect(self._edited)

    def _read(self) -> Value:
        return self._values[self.combo.currentIndex()]

    def _write(self, value: Value) -> None:
        with QSignalBlocker(self.combo):
            self.combo.setCurrentIndex(self._values.index(value))


class FlagField(Field):
    """Yes or no."""

    def __init__(self, parameter: Parameter, check: Check) -> None:
        self.box = QCheckBox()
        super().__init__(parameter, check, self.box)
        self.box.toggled.connect(self._edited)

    def _read(self) -> Value:
        return self.box.isChecked()

    def _write(self, value: Value) -> None:
        with QSignalBlocker(self.box):
            self.box.setChecked(bool(value))


def automatic_of(parameter: Parameter) -> Automatic | None:
    """Return what the tick box of a line says: "auto", else "none", where those are allowed."""
    if parameter.auto:
        return Automatic()
    return Automatic("none", None) if parameter.optional else None


def unchecked(value: Value) -> Value:
    """Return a value as it is: the check of a field where any value is right."""
    return value


def _worded(value: Value) -> str:
    if value is None:
        return "none"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
