"""Rows that choose one of the viewer's layers: an image, or a region that was drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal
from qtpy.QtCore import QSignalBlocker, QTimer
from qtpy.QtWidgets import QHBoxLayout, QWidget

from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.widgets.forms.form_rows import Combo, RowLabel
from napari_diffusion.widgets.layers.mask import mask_of
from napari_diffusion.widgets.layers.source_layers import is_image

if TYPE_CHECKING:
    import napari
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_diffusion.widgets.results.step_run import StepRun

WHOLE = "all of the image"

# After the last stroke of a brush it is measured again, in milliseconds.
_SOON = 400


class LayerRow(QWidget):
    """A row that chooses one of the viewer's images.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers.
    label, tip : str
        What the row is called, and what it is for.
    others : tuple of str
        What can be chosen instead of a layer; the first one is, at the beginning.
    likely : str
        A layer with this in its name is chosen before those.
    """

    changed = Signal()

    def __init__(
        self,
        viewer: napari.Viewer,
        label: str,
        tip: str,
        others: tuple[str, ...],
        likely: str = "",
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._others = others
        self._likely = likely
        self.combo = Combo()
        self.combo.setToolTip(tip)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(RowLabel(label))
        row.addWidget(self.combo, 1)
        self.combo.currentIndexChanged.connect(self._chosen)

    def fits(self, layer: Layer) -> bool:
        """Say whether a layer is offered."""
        return is_image(layer)

    def refresh(self) -> None:
        """Offer the layers that there are."""
        layers = [layer.name for layer in self._viewer.layers if self.fits(layer)]
        names = [*self._others, *layers]
        if names == [self.combo.itemText(i) for i in range(self.combo.count())]:
            return
        with QSignalBlocker(self.combo):
            chosen = self.combo.currentText()
            self.combo.clear()
            self.combo.addItems(names)
            known = (name for name in layers if self._likely and self._likely in name.lower())
            first = next(known, next(iter(self._others), ""))
            keep = chosen in names and not (chosen in self._others and self._likely)
            self.combo.setCurrentText(chosen if keep else first)

    def layer(self) -> Layer | None:
        """Return the chosen layer, None where there is none."""
        name = self.combo.currentText()
        known = name not in self._others and name in self._viewer.layers
        return self._viewer.layers[name] if known else None

    def _chosen(self) -> None:
        self.changed.emit()


class RegionRow(LayerRow):
    """A row that chooses Labels or Shapes; what is drawn in them later is noticed."""

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__(viewer, "region", "A Labels or Shapes layer.", (WHOLE,))
        self._known: ArrayParameter | None = None
        self._watched: Layer | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON)
        self._soon.timeout.connect(lambda: self.changed.emit())

    def fits(self, layer: Layer) -> bool:
        """Say whether a layer is offered."""
        from napari.layers import Labels, Shapes

        return isinstance(layer, Labels | Shapes)

    def region(self, run: StepRun | None) -> ArrayParameter | None:
        """Return the region as labels, None for all; ValueError says why it cannot be one."""
        layer = self.layer()
        if layer is None or run is None:
            return None
        self._watch(layer)
        if self._known is None:
            self._known = ArrayParameter(_labels(layer, run))
        return self._known

    def name(self) -> str:
        """Return the name of the region, and a mark of what is drawn in it."""
        mark = "" if self._known is None else f" #{self._known.sha256[:4]}"
        return f"{self.combo.currentText()}{mark}"

    def _watch(self, layer: Layer) -> None:
        if layer is self._watched:
            return
        if self._watched is not None:
            self._watched.events.set_data.disconnect(self._drawn)
        layer.events.set_data.connect(self._drawn)
        self._watched, self._known = layer, None

    def _drawn(self) -> None:
        self._known = None
        self._soon.start()

    def _chosen(self) -> None:
        self._known = None
        super()._chosen()


def _labels(layer: Layer, run: StepRun) -> NDArray[Any]:
    from napari.layers import Labels

    if isinstance(layer, Labels):
        return np.asarray(layer.data)
    if run.source is None:
        raise ValueError("The source layer was removed, and shapes need it: open it again.")
    return mask_of(layer, run.source, run.letters).draw().astype(np.uint8)
