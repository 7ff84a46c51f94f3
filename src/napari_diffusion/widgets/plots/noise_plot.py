"""How a measured noise grows with the intensity, or its spectrum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from napari_diffusion.widgets.plots.caption import Caption
from napari_diffusion.widgets.plots.plot_theme import PALETTE, colour_axes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from pyqtgraph import PlotItem, PlotWidget

    from napari_diffusion.estimate import NoiseModel


class NoisePlot(QWidget):
    """The variance at each intensity with the line through it; else the power at each frequency."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: Any = None
        self._caption = Caption()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._layout.addWidget(self._caption)

    def _item(self) -> PlotItem:
        """Return where curves are drawn; made when the first one is, for it takes a moment."""
        if self._view is None:
            self._view = plot_view(130)
            self._layout.insertWidget(0, self._view)
        return self._view.getPlotItem()

    def show_model(self, model: NoiseModel | None) -> None:
        """Draw what was measured; None, or nothing to draw, takes no room."""
        curve = model is not None and len(model.levels) > 1
        spectrum = model is not None and not curve and len(model.frequencies) > 0
        if self._view is not None:
            self._view.getPlotItem().clear()
            self._view.setVisible(curve or spectrum)
        self._caption.say("")
        if model is not None and curve:
            line = np.linspace(min(model.levels), max(model.levels), 50)
            self._draw(model.levels, model.variances, line, model.variance_at(line))
            self._caption.say("Noise variance against intensity")
        elif model is not None and spectrum:
            flat = np.array([min(model.frequencies), max(model.frequencies)])
            self._draw(model.frequencies, model.power, flat, np.ones(2))
            self._caption.say("Noise power against frequency (cycles per pixel); white noise: 1")

    def _draw(
        self,
        x: ArrayLike,
        y: ArrayLike,
        line_x: ArrayLike,
        line_y: ArrayLike,
    ) -> None:
        import pyqtgraph

        item = self._item()
        dots = {"pen": None, "symbol": "o", "symbolSize": 5, "symbolPen": None}
        item.plot(np.array(x), np.array(y), symbolBrush=PALETTE[0], **dots)
        item.plot(line_x, line_y, pen=pyqtgraph.mkPen(PALETTE[1], width=2))
        item.setXRange(float(np.min(line_x)), float(np.max(line_x)), padding=0.04)
        item.setYRange(0.0, float(max(np.max(y), np.max(line_y))), padding=0.08)


def plot_view(height: int) -> PlotWidget:
    """Return a plot to look at, as wide as there is room."""
    import pyqtgraph

    view = pyqtgraph.PlotWidget(background=None)
    view.setFixedHeight(height)
    view.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    item = view.getPlotItem()
    item.setMenuEnabled(False)
    item.hideButtons()
    # The wheel scrolls the form, and nothing is to be found outside of what is shown.
    item.setMouseEnabled(False, False)
    view.wheelEvent = lambda event: event.ignore()
    for side in ("left", "bottom"):
        item.getAxis(side).enableAutoSIPrefix(False)
    colour_axes(view)
    return view
