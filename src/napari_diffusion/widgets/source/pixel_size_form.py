"""The pixel size of layers and its unit: their own, which are set to what is typed."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_diffusion.core.grid import Grid
from napari_diffusion.core.parameter import Parameter
from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.forms.field import Field
from napari_diffusion.widgets.layers.layer_axes import spacing_of, unit_of
from napari_diffusion.widgets.layers.pixel_size import checked_unit, fixed_because, set_pixel_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image

    from napari_diffusion.widgets.forms.number_text import Value

_SPACING = Parameter(
    "pixel_size",
    "float",
    1.0,
    tooltip=(
        "Pixel size along each of the axes that diffuse: the layer's own scale, which is set to "
        "what is typed."
    ),
    many=True,
)
_UNIT = Parameter(
    "unit",
    "text",
    "pixel",
    tooltip="Unit of the pixel size, such as µm: the layer's own, which is set to what is typed.",
)


class PixelSizeForm(Box):
    """A view of the scale and the units of layers along the axes that diffuse."""

    #: The layers have another pixel size now.
    applied = Signal()

    def __init__(self) -> None:
        self._layers: tuple[Image, ...] = ()
        self._axes = self._along = ""
        self.spacing = Field(_SPACING, self._checked_spacing)
        self.unit = Field(_UNIT, self._checked_unit)
        super().__init__(self.spacing, self.unit)
        for field in (self.spacing, self.unit):
            # Not at every key: between two of them there is a pixel size that nobody means.
            field.editor.native.textEdited.connect(self._typed)
            field.editor.native.editingFinished.connect(self.apply)
            field.changed.connect(self._edited)
        self._reading = self._typing = False

    def read(self, layers: Sequence[Image], axes: str, along: str) -> None:
        """Show the pixel size of layers along some of their axes."""
        self._layers, self._axes, self._along = tuple(layers), axes, along
        self._reading = True
        try:
            self.spacing.value = spacing_of(layers[0], axes, along)
            self.unit.value = self.length_unit() or "pixel"
        finally:
            self._reading = False
        for field in (self.spacing, self.unit):
            because = next(filter(None, map(fixed_because, layers)), "")
            field.editor.enabled = not because
            field.editor.tooltip = because or field.parameter.tooltip

    @property
    def value(self) -> tuple[float, ...]:
        """The pixel size along each axis; ValueError says what is wrong with it or its unit."""
        spacing = self.spacing.value
        self._checked_unit(self.unit.value)
        return spacing if isinstance(spacing, tuple) else (spacing,) * len(self._along)

    def length_unit(self) -> str:
        """Return the unit of the layers' pixel size."""
        return unit_of(self._layers[0], self._axes, self._along) if self._layers else ""

    def apply(self) -> None:
        """Give the layers the pixel size and the unit that were typed, where they are others."""
        self._typing = False
        with contextlib.suppress(ValueError):
            spacing, unit = self.value, str(self.unit.value)
            if self._layers and (spacing, unit) != self._read():
                for layer in self._layers:
                    set_pixel_size(layer, self._axes, self._along, spacing, unit)
                self.applied.emit()

    def _read(self) -> tuple[tuple[float, ...], str]:
        spacing = spacing_of(self._layers[0], self._axes, self._along)
        return spacing, self._checked_unit(self.length_unit() or "pixel")

    def _typed(self) -> None:
        self._typing = True

    def _edited(self) -> None:
        if self._reading:
            return
        if not self._typing:
            self.apply()
        self.changed.emit(self)

    def _checked_spacing(self, value: Value) -> Value:
        if isinstance(value, str):
            raise ValueError(f"Pixel size must be numbers, such as 2, 0.5, 0.5 (got {value!r}).")
        if self._along:
            Grid.of((1,) * len(self._along), axes=self._along, along=self._along, spacing=value)
        return value

    def _checked_unit(self, value: Value) -> str:
        # What the layers came with is theirs, even where no file has it.
        return str(value) if value == self.length_unit() else checked_unit(str(value))
