"""What a parameter is edited in: a line, a choice, a tick, the name of an array or a function."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.types import Separator
from magicgui.widgets import CheckBox, ComboBox, LineEdit, PushButton
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QFileDialog

from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.core.function_parameter import name_of
from napari_diffusion.widgets.forms import number_text
from napari_diffusion.widgets.forms.box import leave_wheel, may_be_narrow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_diffusion.core.parameter import Parameter
    from napari_diffusion.widgets.forms.number_text import Value

    Editor = LineEdit | CheckBox | ComboBox


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


class ArrayEdit(NumberEdit):
    """A number, or the name of a file or of an image layer that holds one number per pixel.

    An array that came from neither is shown by its shape, and kept.
    """

    def __init__(self, parameter: Parameter) -> None:
        super().__init__(parameter)
        self._known: dict[tuple[str, float], ArrayParameter] = {}
        self.browse = PushButton(
            text="…", tooltip="Choose a .npy or .tif file, or type the name of a layer."
        )
        self.browse.native.setFixedWidth(26)
        self.browse.changed.connect(self._choose)

    def _read(self, text: str) -> Value:
        key = (text, _modified(text))
        if key not in self._known:
            layer = _layer_called(text)
            value = super()._read(text) if layer is None else layer
            if not isinstance(value, str):
                return value
            self._known = {key: ArrayParameter(text)} if text else {}
        return self._known.get(key, text)

    def _written(self, value: Value) -> str:
        if not isinstance(value, ArrayParameter):
            return super()._written(value)
        name = value.file or f"array of {' × '.join(str(size) for size in value.values.shape)}"
        self._known = {(name, _modified(name)): value}
        return name

    def _choose(self) -> None:
        kinds = "Arrays (*.npy *.tif *.tiff)"
        file, _ = QFileDialog.getOpenFileName(self.native, self.parameter.label, "", kinds)
        if file:
            self.native.setText(file)


class FunctionEdit(NumberEdit):
    """The name of a function, "package.module:function"; one without a name is kept."""

    _kept: tuple[str, Value] = ("", None)

    def _read(self, text: str) -> Value:
        name, function = self._kept
        return function if function is not None and text == name else text

    def _written(self, value: Value) -> str:
        try:
            name = name_of(value, "")
        except ValueError:
            name = str(getattr(value, "__name__", value))
        self._kept = (name, value)
        return name


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


def editor_for(parameter: Parameter) -> Editor:
    """Return what a parameter that is no component is edited in."""
    others: dict[str, Value] = {}
    if parameter.auto:
        others["auto"] = "auto"
    if parameter.optional:
        others["none"] = None
    if parameter.kind == "choice":
        return Choice({**others, **{str(each): each for each in parameter.choices}})
    if parameter.kind == "bool":
        return Choice({**others, "yes": True, "no": False}) if others else CheckBox(text="")
    if parameter.mapped:
        return ArrayEdit(parameter)
    return (FunctionEdit if parameter.kind == "function" else NumberEdit)(parameter)


def _modified(name: str) -> float:
    try:
        return Path(name).stat().st_mtime if name else 0.0
    except (OSError, ValueError):
        return 0.0


def _layer_called(name: str) -> Value:
    """Return what the image layer of a name holds, None where there is none."""
    # Without napari there are no layers, and the form is shown all the same.
    napari = sys.modules.get("napari")
    viewer = napari.current_viewer() if napari is not None else None
    if viewer is None or name not in viewer.layers:
        return None
    return getattr(viewer.layers[name], "data", None)
