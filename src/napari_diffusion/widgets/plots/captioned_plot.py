"""A small plot with a caption beneath it, drawn when there is something to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from napari_diffusion.widgets.plots.caption import Caption
from napari_diffusion.widgets.plots.plot_theme import colour_axes

if TYPE_CHECKING:
    from pyqtgraph import PlotItem, PlotWidget


class CaptionedPlot(QWidget):
    """A plot of a fixed height, and its caption."""

    #: Of the plot in pixels.
    height_of_plot = 130

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
            self._view = _plot_view(self.height_of_plot)
            self._layout.insertWidget(0, self._view)
        return self._view.getPlotItem()

    def _cleared(self, shown: bool) -> None:
        """Remove all curves; a plot that is not shown takes no room."""
        if self._view is not None:
            self._view.getPlotItem().clear()
            self._view.setVisible(shown)


def _plot_view(height: int) -> PlotWidget:
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
