"""How a layer's axes are read: letters, directions that diffuse, lengths, and how much is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from psygnal import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_diffusion.core.grid import CANONICAL, Grid
from napari_diffusion.core.parameter import Parameter
from napari_diffusion.widgets.forms.fields import ComboField, FlagField, LineField, unchecked
from napari_diffusion.widgets.layers.layer_axes import (
    FURTHER,
    along_of,
    axes_of,
    spacing_of,
    unit_of,
)

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_diffusion.widgets.forms.number_text import Value

REGIONS = ("whole", "visible")

_AXES = Parameter(
    "axes",
    "text",
    "",
    tooltip=(
        "One letter per axis of the layer: t time, c channel, z, y, x space; ? any further "
        "axis, along which images are processed one by one, as along t."
    ),
)
_ALONG = Parameter(
    "along",
    "text",
    "",
    tooltip=(
        "The axes along which to diffuse. yx: each plane by itself; zyx: the volume; tyx: "
        "planes and time."
    ),
)
_SPACING = Parameter(
    "spacing",
    "float",
    1.0,
    tooltip="Pixel size along each of these axes, read from the layer's scale.",
    unit="world",
    many=True,
)
_JOINT = Parameter(
    "joint_channels",
    "bool",
    True,
    tooltip="Channels share their edges: an edge in one of them stops diffusion in all.",
)
_HOLES = Parameter(
    "missing_values",
    "bool",
    False,
    tooltip=(
        "Treat NaN and infinite values as missing: nothing flows through them, and they are kept."
    ),
)
_REGION = Parameter(
    "region",
    "choice",
    "whole",
    tooltip="visible: only what the canvas shows, with the same values as in the whole image.",
    choices=REGIONS,
)


class Reading(NamedTuple):
    """What the form says."""

    axes: str
    along: str
    spacing: tuple[float, ...]
    joint_channels: bool
    keep_holes: bool
    region: str


class AxesForm(QWidget):
    """A view of how a layer is read."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layer: Image | None = None
        self._filling = False
        self._many = False
        self.axes = LineField(_AXES, self._checked_axes)
        self.along = LineField(_ALONG, self._checked_along)
        self.spacing = LineField(_SPACING, self._checked_spacing)
        self.region = ComboField(_REGION, unchecked, REGIONS)
        self.joint = FlagField(_JOINT, unchecked)
        self.holes = FlagField(_HOLES, unchecked)
        self._fields = {
            "axes": self.axes,
            "along": self.along,
            "spacing": self.spacing,
            "region": self.region,
            "joint_channels": self.joint,
            "keep_holes": self.holes,
        }
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 0, 0, 4)
        layout.setSpacing(3)
        for field in self._fields.values():
            layout.addWidget(field)
        self.axes.changed.connect(self._axes_edited)
        self.along.changed.connect(self._along_edited)
        for field in (self.spacing, self.region, self.joint, self.holes):
            field.changed.connect(self._edited)

    def read(self, layer: Image, typed: dict[str, Value] | None = None) -> None:
        """Show how a layer is read from its labels, scale and units, or what was typed for it."""
        self._layer = layer
        self._filling = True
        try:
            axes = axes_of(layer)
            along = along_of(axes)
            read = {
                "axes": axes,
                "along": along,
                "spacing": spacing_of(layer, axes, along),
                "region": "whole",
                "joint_channels": True,
                "keep_holes": False,
                **(typed or {}),
            }
            for name, value in read.items():
                self._fields[name].set_value(value)
        finally:
            self._filling = False
        self._edited(quietly=True)

    def set_channels(self, many: bool) -> None:
        """Say whether several layers are taken as channels."""
        self._many = many
        self._edited(quietly=True)

    def show_holes(self, on: bool) -> None:
        """Offer to treat NaNs as missing, where the image may have any."""
        self.holes.setVisible(on or bool(self.holes.value()))

    def value(self) -> Reading:
        """Return what the form says; ValueError says in one sentence what is wrong."""
        spacing = self.spacing.value()
        return Reading(
            axes=self.axes.value(),
            along=self.along.value(),
            spacing=spacing if isinstance(spacing, tuple) else (spacing,) * len(self._along()),
            joint_channels=self.joint.value(),
            keep_holes=self.holes.value(),
            region=self.region.value(),
        )

    def typed(self) -> dict[str, Value]:
        """Return what the form says where that is valid, to be shown again later."""
        try:
            return dict(self.value()._asdict())
        except ValueError:
            return {}

    def summary(self) -> str:
        """Return the reading in one line."""
        try:
            reading = self.value()
        except ValueError:
            return "axes: invalid"
        lengths = " × ".join(f"{length:.4g}" for length in reading.spacing)
        words = f"axes {reading.axes}, {lengths} {self.unit()}".rstrip()
        if reading.along != along_of(reading.axes):
            words += f", along {reading.along}"
        if reading.keep_holes:
            words += ", with missing values"
        return words if reading.region == "whole" else f"{words}, visible part"

    def unit(self) -> str:
        """Return the unit of the spacing, an empty text where that is not known."""
        if self._layer is None or self.axes.problem() or self.along.problem():
            return ""
        return unit_of(self._layer, self.axes.value(), self.along.value())

    def _along(self) -> str:
        return str(self.along.value())

    def _axes_edited(self) -> None:
        if self._filling or self._layer is None:
            return
        if self.axes.problem() is None:
            self.along.set_value(along_of(self.axes.value()))
        else:
            self._edited()

    def _along_edited(self) -> None:
        if self._filling or self._layer is None:
            return
        if self.axes.problem() is None and self.along.problem() is None:
            spacing = spacing_of(self._layer, self.axes.value(), self._along())
            self.spacing.set_value(spacing)
        else:
            self._edited()

    def _edited(self, quietly: bool = False) -> None:
        if self._filling:
            return
        self.joint.setVisible(self._many or "c" in self.axes.edit.text())
        self.spacing.set_world_unit(self.unit())
        if not quietly:
            self.changed.emit()

    # --- what may be typed ---

    def _checked_axes(self, value: Value) -> str:
        axes = str(value)
        layer = self._layer
        if layer is None:
            return axes
        count = layer.ndim + bool(layer.rgb)
        named = axes.replace(FURTHER, "")
        if set(named) - set(CANONICAL) or len(set(named)) != len(named):
            raise ValueError(
                f"axes must be letters of {CANONICAL}, each once, or ? for any further axis "
                f"(got {axes!r})."
            )
        if len(axes) != count:
            raise ValueError(
                f"axes must name {count} axes, as many as the layer has (got {axes!r})."
            )
        if layer.rgb and axes[-1] != "c":
            raise ValueError(f"The last axis of an RGB image is c (got {axes!r}).")
        return axes

    def _checked_along(self, value: Value) -> str:
        axes, along = self.axes.edit.text(), str(value)
        if "t" in along and FURTHER in axes:
            raise ValueError(
                f"along={along!r}: axes marked ? are taken together with t, so images "
                "cannot diffuse along t."
            )
        if self._layer is not None and self.axes.problem() is None:
            named = "".join(axis for axis in axes if axis != FURTHER)
            Grid.of((1,) * len(named), axes=named, along=along)
        return along

    def _checked_spacing(self, value: Value) -> Value:
        if isinstance(value, str):
            raise ValueError(f"spacing must be numbers, such as 2, 0.5, 0.5 (got {value!r}).")
        if self._layer is not None and self.along.problem() is None:
            along = self._along()
            Grid.of((1,) * len(along), axes=along, along=along, spacing=value)
        return value
