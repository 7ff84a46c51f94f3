"""Which layer is the mask."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QGridLayout, QWidget

from napari_diffusion.widgets.forms.form_rows import GREY, Combo, MessageLabel, RowLabel
from napari_diffusion.widgets.layers.mask import can_be_mask, lies_elsewhere, mask_of, misfit

if TYPE_CHECKING:
    import napari
    from napari.layers import Image, Layer

    from napari_diffusion.widgets.layers.mask import Mask

_ABOUT = (
    "Where the image may change: nothing flows across the border, and pixels outside "
    "stay unchanged."
)
_KINDS = (
    "A Labels layer (all but 0), a Shapes layer (its areas apply to all planes and "
    "frames) or a binary image."
)


class _LateCombo(Combo):
    """A choice whose entries are looked up when it is opened."""

    opened = Signal()

    def showPopup(self) -> None:  # noqa: N802
        """Open the list."""
        self.opened.emit()
        super().showPopup()


class MaskChoice(QWidget):
    """A view of the mask of a source; layers that do not fit it are shown with the reason.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers are offered.
    label : str
        What the row is called.
    about : str
        What the layer is taken for.
    """

    changed = Signal()

    def __init__(
        self,
        viewer: napari.Viewer,
        label: str = "mask",
        about: str = _ABOUT,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._source: weakref.ref[Image] | None = None
        self._letters = ""
        self._chosen: weakref.WeakKeyDictionary[Image, weakref.ref[Layer]]
        self._chosen = weakref.WeakKeyDictionary()
        self._shown: list[Layer | None] = [None]
        self.combo = _LateCombo()
        self.hint = MessageLabel(GREY)
        self._label = RowLabel(label)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(6)
        layout.setVerticalSpacing(1)
        layout.addWidget(self._label, 0, 0)
        layout.addWidget(self.combo, 0, 1)
        layout.addWidget(self.hint, 1, 0, 1, 2)
        layout.setColumnStretch(1, 1)
        self.setToolTip(f"{about} {_KINDS}")
        self.combo.opened.connect(self.refresh)
        self.combo.activated.connect(self._activated)
        layers = viewer.layers
        for event in (layers.events.inserted, layers.events.removed, layers.events.reordered):
            event.connect(self.refresh)

    def set_source(self, source: Image | None, letters: str) -> None:
        """Offer what fits a source; the mask that was chosen for it before comes back."""
        self._source = weakref.ref(source) if source is not None else None
        self._letters = letters
        self.refresh()

    def layer(self) -> Layer | None:
        """Return the layer of the mask, None where there is none."""
        source = self._source_layer()
        chosen = self._chosen.get(source) if source is not None else None
        layer = chosen() if chosen else None
        return layer if layer in self._viewer.layers else None

    def set_layer(self, layer: Layer | None) -> None:
        """Choose a layer, or none."""
        source = self._source_layer()
        if source is None:
            return
        self._chosen.pop(source, None)
        if layer is not None:
            self._chosen[source] = weakref.ref(layer)
        self.refresh()
        self.changed.emit()

    def set_named(self, name: str) -> bool:
        """Choose the layer of a name where it fits the source, and say whether it does."""
        for layer in self._viewer.layers:
            if layer.name == name and self.offers(layer):
                self.set_layer(layer)
                return True
        return False

    def offers(self, layer: Layer) -> bool:
        """Say whether a layer can be the mask of the source."""
        source = self._source_layer()
        if source is None or not can_be_mask(layer, source):
            return False
        return not misfit(layer, source, self._letters)

    def value(self) -> Mask | None:
        """Return the mask as it is now; ValueError says why the layer cannot be one."""
        source, layer = self._source_layer(), self.layer()
        if source is None or layer is None:
            return None
        return mask_of(layer, source, self._letters)

    def refresh(self) -> None:
        """List the layers anew."""
        source, chosen = self._source_layer(), self.layer()
        layers = reversed(self._viewer.layers)
        self._shown = [None]
        if source is not None:
            self._shown += [each for each in layers if can_be_mask(each, source)]
        if chosen is not None and chosen not in self._shown:
            self._shown.append(chosen)
        with QSignalBlocker(self.combo):
            self.combo.clear()
            for place, layer in enumerate(self._shown):
                self._offer(place, layer, source)
            self.combo.setCurrentIndex(self._shown.index(chosen))
        self.combo.setEnabled(source is not None)
        self._say(chosen, source)

    def _offer(self, place: int, layer: Layer | None, source: Image | None) -> None:
        if layer is None:
            self.combo.addItem("none")
            return
        layer.events.name.connect(self.refresh)
        reason = misfit(layer, source, self._letters)
        self.combo.addItem(f"{layer.name} — {reason}" if reason else layer.name)
        model: Any = self.combo.model()
        model.item(place).setEnabled(not reason)
        if reason:
            tip = f"{layer.name!r} cannot be the mask: {reason}."
            self.combo.setItemData(place, tip, Qt.ItemDataRole.ToolTipRole)

    def _say(self, layer: Layer | None, source: Image | None) -> None:
        if layer is None or source is None or misfit(layer, source, self._letters):
            self.hint.say("")
            return
        words = (
            f"{layer.name!r} and {source.name!r} have different positions; they are matched pixel "
            "by pixel."
        )
        self.hint.say(words if lies_elsewhere(layer, source) else "")

    def _activated(self, place: int) -> None:
        self.set_layer(self._shown[place])

    def _source_layer(self) -> Image | None:
        return self._source() if self._source else None
