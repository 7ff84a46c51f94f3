"""Several numbers, typed or pasted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker
from qtpy.QtGui import QFontMetrics
from qtpy.QtWidgets import QPlainTextEdit

from napari_diffusion.widgets.forms import number_text
from napari_diffusion.widgets.forms.fields import Field
from napari_diffusion.widgets.forms.form_rows import GREY

if TYPE_CHECKING:
    from napari_diffusion.core.parameter import Parameter
    from napari_diffusion.widgets.forms.fields import Check
    from napari_diffusion.widgets.forms.number_text import Value

_LINES = 2


class ListField(Field):
    """A few lines of numbers, with commas, semicolons, spaces or line breaks between them.

    Nothing at all is None, where that is allowed.
    """

    def __init__(self, parameter: Parameter, check: Check) -> None:
        self.edit = QPlainTextEdit()
        super().__init__(parameter, check, self.edit)
        self.edit.setTabChangesFocus(True)
        self.edit.setPlaceholderText("none" if parameter.optional else "0.3, 0.2, 0.1")
        height = QFontMetrics(self.edit.font()).lineSpacing() * _LINES + 12
        self.edit.setFixedHeight(height)
        self.edit.textChanged.connect(self._edited)

    def _mark(self, sentence: str) -> None:
        super()._mark(sentence)
        if not sentence:
            # napari gives it no face of its own.
            self.edit.setStyleSheet(f"border: 1px solid {GREY}; border-radius: 2px;")

    def _read(self) -> Value:
        text = self.edit.toPlainText().strip()
        if self.parameter.optional and not text:
            return None
        # A decimal comma is found out word by word.
        words = [number_text.read(word, self.parameter.kind, many=True) for word in _words(text)]
        numbers = [n for word in words for n in (word if isinstance(word, tuple) else (word,))]
        wrong = [each for each in numbers if isinstance(each, str)]
        return wrong[0] if wrong else tuple(numbers)

    def _write(self, value: Value) -> None:
        with QSignalBlocker(self.edit):
            self.edit.setPlainText("" if value is None else number_text.written(value))


def _words(text: str) -> list[str]:
    return [word.strip(",") for word in re.split(r"[\s;]+", text) if word.strip(",")]
