"""What values are edited in: a line for numbers, and a choice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from magicgui.types import Separator
from magicgui.widgets import ComboBox, LineEdit
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox

from napari_diffusion.widgets.forms import number_text
from napari_diffusion.widgets.forms.box import leave_wheel, may_be_narrow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_diffusion.core.parameter import Parameter
    from napari_diffusion.widgets.forms.number_text import Value


# Widths of a line in pixels: what its frame takes, and how narrow and wide it must be.
_FRAME, _NARROW, _WIDE = 16, 48, 110


class NumberEdit(LineEdit):
    """A number typed as text, so that it keeps every digit; several numbers; "auto" or "none".

    An empty line is "auto", else none, where those are allowed.

    Parameters
    ----------
    parameter : Parameter
        What is typed.
    """

    def __init__(self, parameter: Parameter) -> None:
        self.parameter = parameter
        super().__init__()
        words = (*("auto",) * parameter.auto, *("none",) * parameter.optional)
        self.native.setPlaceholderText(words[0] if words else "")
        may_be_narrow(self.native)
        self.native.textChanged.connect(self._make_room)

    def get_value(self) -> Value:
        """Return what was typed, checked or not."""
        text = str(super().get_value()).strip()
        parameter = self.parameter
        if parameter.auto and text.lower() in ("", "auto"):
            return "auto"
        if parameter.optional and text.lower() in ("", "none"):
            return None
        return self._read(text)

    def _read(self, text: str) -> Value:
        parameter = self.parameter
        if not parameter.many or parameter.single:
            return number_text.read(text, parameter.kind, parameter.many)
        # Pasted from a table there may be anything between numbers; a comma may be a decimal one.
        words = [word.strip(",") for word in re.split(r"[\s;]+", text) if word.strip(",")]
        read = [number_text.read(word, parameter.kind, many=True) for word in words]
        numbers = [n for each in read for n in (each if isinstance(each, tuple) else (each,))]
        wrong = [each for each in numbers if isinstance(each, str)]
        return wrong[0] if wrong else tuple(numbers)

    def set_value(self, value: Value) -> None:
        """Show a value; an equal one comes back, bit by bit."""
        super().set_value(self._written(value))
        self.native.setCursorPosition(0)

    def _written(self, value: Value) -> str:
        return "none" if value is None else number_text.written(value)

    def _on_value_change(self, value: Value = None) -> None:
        self.changed.emit(value)

    def _make_room(self, text: str) -> None:
        """Keep what is typed in sight, unless it is very long: the note beside it can wrap."""
        wanted = self.native.fontMetrics().horizontalAdvance(text) + _FRAME
        self.native.setMinimumWidth(min(max(wanted, _NARROW), _WIDE))


class Choice(ComboBox):
    """One of a few values, each called by a name; it never follows the viewer.

    Parameters
    ----------
    options : mapping of str to object
        The values by their names; one called "" is a line between the others.
    tooltips : mapping of str to str
        Shown beside the names in the list.
    """

    def __init__(
        self, options: Mapping[str, Value], tooltips: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        self._named = {name: value for name, value in options.items() if name}
        self._tooltips = tooltips or {}
        super().__init__(choices=[(name or "—", name or Separator) for name in options], **more)
        native = self.native
        native.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        native.setMinimumContentsLength(6)
        may_be_narrow(native)
        leave_wheel(native)
        self._explain()

    def get_value(self) -> Value:
        """Return the value that is chosen."""
        return self._named[super().get_value()]

    def set_value(self, value: Value) -> None:
        """Choose a value, by its name or as it is."""
        super().set_value(self.name_of(value))

    @property
    def value(self) -> Value:
        """The value that is chosen."""
        return self.get_value()

    @value.setter
    def value(self, value: Value) -> None:
        self.set_value(value)

    @property
    def options_named(self) -> Mapping[str, Value]:
        """The values by their names."""
        return self._named

    def name_of(self, value: Value) -> str:
        """Return what a value is called."""
        for name, each in self._named.items():
            if each is value or (type(each) is type(value) and each == value):
                return name
        raise ValueError(f"{value!r} cannot be chosen: use one of {', '.join(self._named)}.")

    def offer(self, name: str, value: Value, tooltip: str = "") -> None:
        """Add a value, or give another to a name."""
        self._named[name] = value
        self._tooltips = {**self._tooltips, name: tooltip}
        self._widget._mgui_set_choice(name, name)
        self._explain()

    def withdraw(self, name: str) -> None:
        """Take a value away."""
        self._named.pop(name, None)
        self.del_choice(name)

    def reset_choices(self, *_: Any) -> None:
        """List the names once, when it is made."""
        if not self.native.count():
            super().reset_choices()

    def _on_value_change(self, value: Value = None) -> None:
        self.changed.emit(value)

    def _explain(self) -> None:
        for index in range(self.native.count()):
            about = self._tooltips.get(self.native.itemText(index), "")
            self.native.setItemData(index, about, Qt.ItemDataRole.ToolTipRole)
