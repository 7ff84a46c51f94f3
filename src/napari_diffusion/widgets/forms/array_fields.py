"""Arrays and functions: what does not fit into a line stands there by its name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog

from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.core.function_parameter import name_of
from napari_diffusion.widgets.forms.fields import LineField
from napari_diffusion.widgets.forms.form_rows import small_button

if TYPE_CHECKING:
    from napari_diffusion.core.parameter import Parameter
    from napari_diffusion.widgets.forms.fields import Automatic, Check
    from napari_diffusion.widgets.forms.number_text import Value


class ArrayField(LineField):
    """The name of a file or of an image layer that holds one number per pixel, or a number.

    An array that came from neither is shown by its shape, and kept.
    """

    def __init__(
        self, parameter: Parameter, check: Check, automatic: Automatic | None = None
    ) -> None:
        super().__init__(parameter, check, automatic)
        self._known: dict[tuple[str, float], ArrayParameter] = {}
        self.browse = small_button("…")
        self.browse.setToolTip("Choose a .npy or .tif file, or type the name of a layer.")
        self.browse.clicked.connect(self._choose)
        self.row.addWidget(self.browse)

    def _typed_value(self, text: str) -> Value:
        name = text.strip()
        key = (name, _modified(name))
        if key not in self._known:
            layer = _layer_called(name)
            value = super()._typed_value(text) if layer is None else layer
            if not isinstance(value, str):
                return value
            self._known = {key: ArrayParameter(name)} if name else {}
        return self._known.get(key, text)

    def _shown(self, value: Value) -> str:
        if not isinstance(value, ArrayParameter):
            return super()._shown(value)
        name = value.file or f"array of {' × '.join(str(size) for size in value.values.shape)}"
        self._known = {(name, _modified(name)): value}
        return name

    def _choose(self) -> None:
        file, _ = QFileDialog.getOpenFileName(
            self, self.parameter.label, "", "Arrays (*.npy *.tif *.tiff)"
        )
        if file:
            self.edit.setText(file)


class FunctionField(LineField):
    """The name of a function, "package.module:function"; one without a name is kept."""

    _kept: tuple[str, Value] = ("", None)

    def _typed_value(self, text: str) -> Value:
        name, function = self._kept
        return function if function is not None and text == name else text.strip()

    def _shown(self, value: Value) -> str:
        try:
            name = name_of(value, "")
        except ValueError:
            name = str(getattr(value, "__name__", value))
        self._kept = (name, value)
        return name


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
