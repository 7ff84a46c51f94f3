"""The source of a run: which layer, how its axes are read, and how much of it."""

from __future__ import annotations

import contextlib
import weakref
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from napari_diffusion.widgets.forms.form_rows import GREY, Combo, MessageLabel, RowLabel, problem_of
from napari_diffusion.widgets.layers.channels import mismatch
from napari_diffusion.widgets.layers.source_layers import (
    channel_group,
    count_holes,
    default_layer,
    is_hidden_ground_truth,
    is_image,
    is_preview,
    selected_images,
    shown_images,
)
from napari_diffusion.widgets.layers.step_records import records_of
from napari_diffusion.widgets.source.axes_form import AxesForm
from napari_diffusion.widgets.source.mask_choice import MaskChoice
from napari_diffusion.widgets.source.run_source import RunSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import napari
    from napari.layers import Image, Layer
    from napari.utils.events import EventEmitter

    from napari_diffusion.widgets.forms.number_text import Value

_NONE = "No image layer: open an image, for example with File ▸ Open Sample ▸ napari-diffusion."


class SourceWidget(QWidget):
    """A view of the source: the layer that was last chosen here or in the list of layers.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers are offered.
    follows_steps : bool
        Whether a step of a run becomes the source when it is made active.
    """

    #: Another layer, or another reading of it.
    changed = Signal()

    def __init__(
        self, viewer: napari.Viewer, follows_steps: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._follows_steps = follows_steps
        self._holding = False
        self._layers: list[weakref.ref[Image]] = []
        self._entries: list[tuple[Image, ...]] = []
        self._holes: int | None = 0
        self._forms: weakref.WeakKeyDictionary[Image, dict[str, Value]] = (
            weakref.WeakKeyDictionary()
        )
        self.combo = Combo()
        self.combo.setToolTip("The image layer that the loop starts from.")
        self.join = QPushButton()
        self.axes = AxesForm()
        self.mask_choice = MaskChoice(viewer)
        self.details = QToolButton()
        self.message = MessageLabel()
        self.holes = QPushButton("Treat them as missing")
        self.hint = MessageLabel(GREY)
        self._lay_out()
        self.combo.activated.connect(self._activated)
        self.axes.changed.connect(self._edited)
        self.mask_choice.changed.connect(self._mask_changed)
        self._watch()
        self._relist()
        self._follow()

    def _lay_out(self) -> None:
        self.details.setCheckable(True)
        self.details.setAutoRaise(True)
        self.details.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.details.setArrowType(Qt.ArrowType.RightArrow)
        self.details.setToolTip("How the layer's axes are read, and which region is used.")
        self.details.toggled.connect(self._unfold)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 0)
        layout.setSpacing(3)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(RowLabel("<b>source</b>"))
        row.addWidget(self.combo, 1)
        layout.addLayout(row)
        rows: tuple[QWidget, ...] = (self.join, self.message, self.hint, self.holes)
        for widget in (*rows, self.details, self.axes, self.mask_choice):
            layout.addWidget(widget)
        self.join.setToolTip(
            "Diffuse the selected layers as channels of one image: an edge in one of "
            "them stops diffusion in all."
        )
        self.join.clicked.connect(lambda: self.set_layers(channel_group(self._viewer)))
        self.holes.setToolTip(self.axes.holes.toolTip())
        self.holes.clicked.connect(self._keep_holes)
        self.axes.setVisible(False)

    def layers(self) -> tuple[Image, ...]:
        """Return the source: a layer, several that are its channels, or nothing."""
        layers = [each() for each in self._layers]
        there = [layer for layer in layers if layer is not None and layer in self._viewer.layers]
        return tuple(there) if len(there) == len(layers) else ()

    def layer(self) -> Image | None:
        """Return the source layer, the first of several, None where there is none."""
        return next(iter(self.layers()), None)

    def set_layer(self, layer: Image | None) -> None:
        """Choose a layer, and show how it is read."""
        self.set_layers(() if layer is None else (layer,))

    def set_layers(self, layers: Sequence[Image]) -> None:
        """Choose layers as the channels of one image, or a single one."""
        before = self.layer()
        if before is not None:
            for event in _events(before):
                event.disconnect(self._reread)
            before.events.data.disconnect(self._data_changed)
        self._layers = [weakref.ref(layer) for layer in layers]
        if layers:
            for event in _events(layers[0]):
                event.connect(self._reread)
            layers[0].events.data.connect(self._data_changed)
        self._fill()
        self._reread()

    def value(self) -> RunSource:
        """Return the source; ValueError says in one sentence why there is none.

        The region that is on the canvas is read now, and so is the mask.
        """
        if not self.layers():
            raise ValueError(self._why_none())
        return RunSource.of(
            self.layers(), self.axes.value(), self._viewer, self.mask_choice.value()
        )

    def problem(self) -> str | None:
        """Return what stands in the way of a run on this source, None where nothing does."""
        return problem_of(self.value)

    def say(self, sentence: str | None, holes: bool = False) -> None:
        """Show what is wrong with the source beneath its name; None shows the form's own error.

        Where holes in the image are to blame, the cure is offered.
        """
        self.message.say(self.problem() or "" if sentence is None else sentence)
        found = bool(self._holes) and not self.axes.holes.value()
        self.holes.setVisible(bool(self.layers()) and (holes or found))

    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """Keep the source while layers are added, which makes them active."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False

    def _keep_holes(self) -> None:
        self.axes.holes.set_value(True)

    # --- the list of layers ---

    def _watch(self) -> None:
        layers = self._viewer.layers
        for event in (layers.events.inserted, layers.events.removed, layers.events.reordered):
            event.connect(self._relist)
        layers.selection.events.active.connect(self._follow)
        layers.selection.events.changed.connect(self._offer_channels)

    def _relist(self) -> None:
        for each in shown_images(self._viewer):
            each.events.name.connect(self._relist)
        self._fill()
        if not self.layers():
            self.set_layer(default_layer(shown_images(self._viewer)))

    def _fill(self) -> None:
        """Show the images, and the groups that can be channels of one image."""
        single = [(each,) for each in shown_images(self._viewer)]
        groups = {each for each in (self.layers(), channel_group(self._viewer)) if len(each) > 1}
        self._entries = [*sorted(groups, key=len), *single]
        with QSignalBlocker(self.combo):
            self.combo.clear()
            self.combo.addItems([_entry_name(each) for each in self._entries])
            chosen = self.layers()
            self.combo.setCurrentIndex(self._entries.index(chosen) if chosen else -1)
        self.combo.setEnabled(bool(self._entries))
        self.combo.setPlaceholderText("" if self._entries else "no image layer")

    def _offer_channels(self) -> None:
        """Offer the selected images as channels of one image, or say why they cannot be."""
        group = channel_group(self._viewer)
        self.join.setText(f"Use the {len(group)} selected layers as channels")
        self.join.setVisible(bool(group) and group != self.layers())
        self._fill()
        self.hint.say(self._about(self._viewer.layers.selection.active))

    def _follow(self) -> None:
        """Take the layer that was made active, unless it is a truth that is hidden, or a step."""
        active = self._viewer.layers.selection.active
        wanted = is_image(active) and not is_hidden_ground_truth(active)
        if wanted and (self._follows_steps or not records_of(active)) and not self._holding:
            if (active,) != self.layers():
                self.set_layer(active)
        elif not self.layers():
            self.set_layer(default_layer(shown_images(self._viewer)))
        self._offer_channels()
        if not self.layers():
            self.say(None)

    def _about(self, active: Layer | None) -> str:
        layer, many = self.layer(), selected_images(self._viewer)
        if many and many != self.layers() and (reason := mismatch(many)):
            return reason
        if active is not None and not is_image(active) and layer is not None:
            if active is self.mask_choice.layer() or is_preview(active):
                return ""
            return (
                f"{active.name!r} is a {_kind(active)} layer; only images are filtered, so "
                f"{layer.name!r} is the source."
                + f" {active.name!r} can be its mask."
                * self.mask_choice.offers(active)
            )
        if layer is not None and layer.multiscale:
            return "Multiscale layer: the full resolution is used."
        return self._about_holes()

    def _about_holes(self) -> str:
        if not self._holes or not self.layers():
            return ""
        count = f"{self._holes} NaN or infinite value{'s' * (self._holes > 1)}"
        kept = ", treated as missing" if self.axes.holes.value() else ""
        return f"This image has {count}{kept}."

    def warning(self) -> str:
        """Return what is worth knowing before a run, an empty text where nothing is."""
        active = self._viewer.layers.selection.active
        masked = self.mask_choice.layer() is not None
        return "" if active is None or is_image(active) or masked else self._about(active)

    def _why_none(self) -> str:
        active = self._viewer.layers.selection.active
        if active is not None and not is_image(active):
            return (
                f"{active.name!r} is a {_kind(active)} layer, and only images are "
                "filtered: open an image, or convert the layer to one."
            )
        return _NONE

    # --- the layer and its reading ---

    def _activated(self, row: int) -> None:
        self.set_layers(self._entries[row])

    def _reread(self, event: object = None) -> None:
        layer = self.layer()
        if layer is not None:
            # What was typed for a layer stays until the layer itself changes.
            typed = self._forms.get(layer) if event is None else None
            self.axes.set_channels(len(self.layers()) > 1)
            self.axes.read(layer, typed)
        self._count_holes()
        self._offer_channels()
        self._edited(typed=False)

    def _data_changed(self, event: object = None) -> None:
        """Read the axes again where there are more or fewer of them now."""
        layer = self.layer()
        if layer is not None and self.axes.axes.problem():
            self._reread(event)
        else:
            self._count_holes()
            self._show_mask()
            self.say(None)

    def _count_holes(self) -> None:
        self._holes = count_holes(self.layers())
        self.axes.show_holes(self._holes != 0)

    def _edited(self, typed: bool = True) -> None:
        layer = self.layer()
        if layer is not None and typed:
            self._forms[layer] = self.axes.typed()
        self.details.setText(self.axes.summary() if layer is not None else "axes")
        self.details.setEnabled(layer is not None)
        self.axes.setEnabled(layer is not None)
        self._show_mask()
        self.hint.say(self._about(self._viewer.layers.selection.active))
        self.say(None)
        self.changed.emit()

    def _show_mask(self) -> None:
        layer = self.layer()
        letters = "" if self.axes.axes.problem() else self.axes.axes.value()
        self.mask_choice.set_source(layer if letters else None, letters)

    def _mask_changed(self) -> None:
        self.hint.say(self._about(self._viewer.layers.selection.active))
        self.say(None)
        self.changed.emit()

    def _unfold(self, on: bool) -> None:
        self.details.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)
        self.axes.setVisible(on)


def _entry_name(layers: tuple[Image, ...]) -> str:
    names = [layer.name for layer in layers]
    return names[0] if len(names) == 1 else f"{len(names)} layers as channels: {', '.join(names)}"


def _kind(layer: Layer) -> str:
    return type(layer).__name__


def _events(layer: Image) -> list[EventEmitter]:
    return [getattr(layer.events, name) for name in ("scale", "affine", "units", "axis_labels")]
