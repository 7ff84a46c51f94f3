"""How a layer's axes are read: letters, directions that diffuse, lengths, and how much is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_diffusion.core.grid import CANONICAL, Grid
from napari_diffusion.core.parameter import Parameter
from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.forms.field import Field
from napari_diffusion.widgets.layers.layer_axes import (
    FURTHER,
    along_of,
    axes_of,
    unit_of,
)
from napari_diffusion.widgets.source.pixel_size_form import PixelSizeForm

if TYPE_CHECKING:
    from collections.abc import Sequence

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


class AxesForm(Box):
    """A view of how a layer is read."""

    def __init__(self) -> None:
        self._layers: tuple[Image, ...] = ()
        self._filling = False
        #: Whether the axes were typed, or confirmed as they are.
        self.is_answered = False
        self.axes = Field(_AXES, self._checked_axes)
        self.along = Field(_ALONG, self._checked_along)
        self.pixel_size = PixelSizeForm()
        self.region = Field(_REGION, _unchecked)
        self.joint = Field(_JOINT, _unchecked)
        self.holes = Field(_HOLES, _unchecked)
        # What is typed for a layer; its pixel size and unit are the layer's own.
        self._typed = {
            "axes": self.axes,
            "along": self.along,
            "region": self.region,
            "joint_channels": self.joint,
            "keep_holes": self.holes,
        }
        super().__init__(
            self.axes, self.along, self.pixel_size, self.region, self.joint, self.holes
        )
        self.axes.changed.connect(self._axes_edited)
        self.along.changed.connect(self._along_edited)
        for part in (self.pixel_size, self.region, self.joint, self.holes):
            part.changed.connect(self._edited)

    def read(self, layers: Sequence[Image], typed: dict[str, Value]) -> None:
        """Show how layers are read from their labels, scale and units, or what was typed."""
        self._layers = tuple(layers)
        self.is_answered = "axes" in typed
        axes = str(typed.get("axes", axes_of(layers[0])))
        along = str(typed.get("along", along_of(axes)))
        usual = {"region": "whole", "joint_channels": True, "keep_holes": False}
        read = {**usual, **typed, "axes": axes, "along": along}
        self._filling = True
        try:
            for name, field in self._typed.items():
                field.value = read[name]
            self._read_pixel_size()
        finally:
            self._filling = False
        self._show()

    def show_holes(self, on: bool) -> None:
        """Offer to treat NaNs as missing, where the image may have any."""
        self.holes.visible = on

    @property
    def value(self) -> Reading:
        """What the form says; ValueError says in one sentence what is wrong."""
        return Reading(
            axes=self.axes.value,
            along=self.along.value,
            spacing=self.pixel_size.value,
            joint_channels=self.joint.value,
            keep_holes=self.holes.value,
            region=self.region.value,
        )

    def typed(self) -> dict[str, Value]:
        """Return what was typed where that is valid, to be shown again later.

        Axes that are read from the layer are not among it: the layer may get other labels.
        """
        try:
            typed = {name: field.value for name, field in self._typed.items()}
        except ValueError:
            return {}
        if not self.is_answered:
            del typed["axes"], typed["along"]
        return typed

    def length_unit(self) -> str:
        """Return the unit of the pixel size, an empty text where that is not known."""
        if not self._layers or self.axes.problem or self.along.problem:
            return ""
        return unit_of(self._layers[0], self.axes.value, self._along)

    @property
    def _along(self) -> str:
        return str(self.along.value)

    def _read_pixel_size(self) -> None:
        if not (self.axes.problem or self.along.problem):
            self.pixel_size.read(self._layers, self.axes.value, self._along)

    def _axes_edited(self) -> None:
        if self._filling or not self._layers:
            return
        self.is_answered = True
        if self.axes.problem is None:
            self.along.value = along_of(self.axes.value)
        else:
            self._edited()

    def _along_edited(self) -> None:
        if self._filling or not self._layers:
            return
        self._filling = self.is_answered = True
        try:
            self._read_pixel_size()
        finally:
            self._filling = False
        self._edited()

    def _edited(self) -> None:
        if not self._filling:
            self._show()
            self.changed.emit(self)

    def _show(self) -> None:
        self.joint.visible = len(self._layers) > 1 or "c" in str(self.axes.editor.value)

    # --- what may be typed ---

    def _checked_axes(self, value: Value) -> str:
        axes = str(value)
        if not self._layers:
            return axes
        layer = self._layers[0]
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
        axes, along = str(self.axes.editor.value), str(value)
        if "t" in along and FURTHER in axes:
            raise ValueError(
                f"along={along!r}: axes marked ? are taken together with t, so images "
                "cannot diffuse along t."
            )
        if self._layers and self.axes.problem is None:
            named = "".join(axis for axis in axes if axis != FURTHER)
            Grid.of((1,) * len(named), axes=named, along=along)
        return along


def _unchecked(value: Value) -> Value:
    return value
