"""The source of a run: which layer, how its axes are read, and how much of it."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from napari_diffusion.widgets.axes_form import AxesForm
from napari_diffusion.widgets.layers import records_of
from napari_diffusion.widgets.picked import Picked
from napari_diffusion.widgets.rows import GREY, Combo, Message, RowLabel

if TYPE_CHECKING:
    import napari
    from napari.layers import Image, Layer

_NONE = (
    "There is no image layer: open a picture, for example File ▸ Open Sample ▸ napari-diffusion."
)


class SourceWidget(QWidget):
    """A view of the source: the layer that was last chosen here or in the list of layers.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers are offered.
    """

    #: Another layer, or another reading of it.
    changed = Signal()

    def __init__(self, viewer: napari.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._layer: weakref.ref[Image] | None = None
        self._forms: weakref.WeakKeyDictionary[Image, dict[str, Any]] = weakref.WeakKeyDictionary()
        self.combo = Combo()
        self.combo.setToolTip("The image layer that the loop starts from.")
        self.axes = AxesForm()
        self.details = QToolButton()
        self.message = Message()
        self.holes = QPushButton("Keep them as holes")
        self.hint = Message(GREY)
        self._lay_out()
        self.combo.activated.connect(self._picked)
        self.axes.changed.connect(self._edited)
        self._watch()
        self._relist()
        self._follow()

    def _lay_out(self) -> None:
        self.details.setCheckable(True)
        self.details.setAutoRaise(True)
        self.details.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.details.setArrowType(Qt.ArrowType.RightArrow)
        self.details.setToolTip("How the layer's axes are read, and how much of it is used.")
        self.details.toggled.connect(self._unfold)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 0)
        layout.setSpacing(3)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(RowLabel("<b>source</b>"))
        row.addWidget(self.combo, 1)
        layout.addLayout(row)
        for widget in (self.message, self.holes, self.hint, self.details, self.axes):
            layout.addWidget(widget)
        self.holes.setToolTip(self.axes.holes.toolTip())
        self.holes.clicked.connect(self._keep_holes)
        self.axes.setVisible(False)

    def layer(self) -> Image | None:
        """Return the source layer, None where there is none."""
        layer = self._layer() if self._layer else None
        return layer if layer in self._viewer.layers else None

    def set_layer(self, layer: Image | None) -> None:
        """Choose a layer, and show how it is read."""
        before = self.layer()
        if before is not None:
            for event in _events(before):
                event.disconnect(self._reread)
            before.events.data.disconnect(self._data_changed)
        self._layer = weakref.ref(layer) if layer is not None else None
        if layer is not None:
            for event in _events(layer):
                event.connect(self._reread)
            layer.events.data.connect(self._data_changed)
        with QSignalBlocker(self.combo):
            self.combo.setCurrentIndex(-1 if layer is None else self._shown().index(layer))
        self._reread()

    def value(self) -> Picked:
        """Return the source; ValueError says in one sentence why there is none.

        The region that is on the canvas is read now.
        """
        layer = self.layer()
        if layer is None:
            raise ValueError(self._why_none())
        return Picked.of(layer, self.axes.value(), self._viewer)

    def problem(self) -> str | None:
        """Return what stands in the way of a run on this source, None where nothing does."""
        try:
            self.value()
        except ValueError as error:
            return str(error)
        return None

    def say(self, sentence: str | None, holes: bool = False) -> None:
        """Show what is wrong with the source beneath its name; None shows what the form knows.

        Where holes in the picture are to blame, the cure is offered.
        """
        self.message.say(self.problem() or "" if sentence is None else sentence)
        self.holes.setVisible(holes)

    def _keep_holes(self) -> None:
        self.axes.holes.set_value(True)

    # --- the list of layers ---

    def _watch(self) -> None:
        layers = self._viewer.layers
        for event in (layers.events.inserted, layers.events.removed, layers.events.reordered):
            event.connect(self._relist)
        layers.selection.events.active.connect(self._follow)

    def _shown(self) -> list[Any]:
        """Return the layers of the list: plain images, the topmost first, then steps of runs."""
        images = [layer for layer in reversed(self._viewer.layers) if is_image(layer)]
        return sorted(images, key=lambda layer: bool(records_of(layer)))

    def _relist(self, event: object = None) -> None:
        del event
        layer, shown = self.layer(), self._shown()
        for each in shown:
            each.events.name.connect(self._relist)
        with QSignalBlocker(self.combo):
            self.combo.clear()
            self.combo.addItems([each.name for each in shown])
            self.combo.setCurrentIndex(-1 if layer is None else shown.index(layer))
        self.combo.setEnabled(bool(shown))
        self.combo.setPlaceholderText("" if shown else "no image layer")
        if layer is None:
            self.set_layer(default_layer(shown))

    def _follow(self, event: object = None) -> None:
        """Take the layer that was made active, unless it is a truth that is hidden, or a step."""
        del event
        active = self._viewer.layers.selection.active
        if is_image(active) and not is_hidden_truth(active) and not records_of(active):
            if active is not self.layer():
                self.set_layer(active)
        elif self.layer() is None:
            self.set_layer(default_layer(self._shown()))
        self.hint.say(self._about(active))
        if self.layer() is None:
            self.say(None)

    def _about(self, active: Layer | None) -> str:
        layer = self.layer()
        if active is not None and not is_image(active) and layer is not None:
            return (
                f"{active.name!r} is a {_kind(active)} layer; the loop runs on images, so "
                f"{layer.name!r} is the source."
            )
        if layer is not None and layer.multiscale:
            return "This layer has several resolutions; the highest is used."
        return ""

    def warning(self) -> str:
        """Return what is worth knowing before a run, an empty text where nothing is."""
        active = self._viewer.layers.selection.active
        return "" if active is None or is_image(active) else self._about(active)

    def _why_none(self) -> str:
        active = self._viewer.layers.selection.active
        if active is not None and not is_image(active):
            return (
                f"{active.name!r} is a {_kind(active)} layer, and there is no image layer: the "
                "loop runs on images. Open a picture, or convert the layer to an image."
            )
        return _NONE

    # --- the layer and its reading ---

    def _picked(self, row: int) -> None:
        self.set_layer(self._shown()[row])

    def _reread(self, event: object = None) -> None:
        layer = self.layer()
        if layer is not None:
            # What was typed for a layer stays until the layer itself changes.
            typed = self._forms.get(layer) if event is None else None
            self.axes.read(layer, typed)
        self.hint.say(self._about(self._viewer.layers.selection.active))
        self._edited(typed=False)

    def _data_changed(self, event: object = None) -> None:
        """Read the axes again where there are more or fewer of them now."""
        layer = self.layer()
        if layer is not None and self.axes.axes.problem():
            self._reread(event)
        else:
            self.say(None)

    def _edited(self, typed: bool = True) -> None:
        layer = self.layer()
        if layer is not None and typed:
            self._forms[layer] = self.axes.typed()
        self.details.setText(self.axes.summary() if layer is not None else "axes")
        self.details.setEnabled(layer is not None)
        self.axes.setEnabled(layer is not None)
        self.say(None)
        self.changed.emit()

    def _unfold(self, on: bool) -> None:
        self.details.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)
        self.axes.setVisible(on)


def is_image(layer: object) -> bool:
    """Say whether a layer is an image; labels, which are images to Python, are not."""
    from napari.layers import Image

    return isinstance(layer, Image)


def is_hidden_truth(layer: Layer) -> bool:
    """Say whether a layer is the truth of a sample, which is there to compare with."""
    sample = layer.metadata.get("napari_diffusion_sample")
    return isinstance(sample, dict) and sample.get("role") == "truth" and not layer.visible


def default_layer(shown: list[Any]) -> Any:
    """Return the layer to start with: a visible one first, never a hidden truth."""
    fit = [layer for layer in shown if not is_hidden_truth(layer)]
    seen = [layer for layer in fit if layer.visible and not records_of(layer)]
    return next(iter([*seen, *fit]), None)


def _kind(layer: Layer) -> str:
    return type(layer).__name__


def _events(layer: Image) -> list[Any]:
    return [getattr(layer.events, name) for name in ("scale", "affine", "units", "axis_labels")]
