"""What each kind of parameter is edited in: also the name of an array, or of a function."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.widgets import CheckBox, PushButton
from qtpy.QtWidgets import QFileDialog

from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.core.function_parameter import name_of
from napari_diffusion.core.noise_scale import factor_on
from napari_diffusion.widgets.forms.editors import Choice, NumberEdit

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_diffusion.core.parameter import Parameter
    from napari_diffusion.widgets.forms.number_text import Value

    Editor = NumberEdit | CheckBox | Choice


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
        if any(factor_on(word, text) is not None for word in self.parameter.words):
            return text
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
    layer = viewer.layers[name]
    return _from_file(layer) or getattr(layer, "data", None)


def _from_file(layer: Layer) -> ArrayParameter | None:
    """Return the array of the file that a layer shows as it is; recipes name it."""
    path = str(getattr(layer.source, "path", None) or "")
    if not path.lower().endswith((".npy", ".tif", ".tiff")):
        return None
    try:
        found = ArrayParameter(path)
        same = ArrayParameter(layer.data) == found
    except (OSError, TypeError, ValueError):
        return None
    return found if same else None
