"""The histogram of an image's gradients, from which the contrast is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_diffusion.widgets.plots.caption import Caption
from napari_diffusion.widgets.plots.noise_plot import plot_view
from napari_diffusion.widgets.plots.plot_theme import PALETTE, colour_axes

if TYPE_CHECKING:
    from napari_diffusion.estimate import Evidence


class GradientPlot(QWidget):
    """The histogram of the gradients, with a mark at the contrast of each way."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: Any = None
        self._caption = Caption()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._layout.addWidget(self._caption)

    def marks(self) -> list[Any]:
        """Return the lines at the contrasts."""
        import pyqtgraph

        items = [] if self._view is None else self._view.getPlotItem().items
        return [each for each in items if isinstance(each, pyqtgraph.InfiniteLine)]

    def show_evidence(self, evidence: Evidence) -> None:
        """Draw a histogram and its marks."""
        import pyqtgraph

        if self._view is None:
            self._view = plot_view(110)
            self._layout.insertWidget(0, self._view)
        item = self._view.getPlotItem()
        item.clear()
        edges, counts = evidence.gradient_edges, evidence.gradient_counts
        share = counts / max(counts.sum(), 1)
        bars = pyqtgraph.mkBrush((*pyqtgraph.mkColor(PALETTE[0]).getRgb()[:3], 110))
        item.plot(edges, share, stepMode="center", fillLevel=0, brush=bars, pen=PALETTE[0])
        right = float(edges[-1])
        for place, (way, number) in enumerate(evidence.contrasts.items()):
            right = max(right, number)
            # One under the other, so that names of marks close by can be read.
            options = {"position": 0.9 - 0.22 * place, "movable": False}
            pen = pyqtgraph.mkPen(PALETTE[place + 1], width=2)
            item.addItem(pyqtgraph.InfiniteLine(number, 90, pen, label=way, labelOpts=options))
        item.getAxis("left").setStyle(showValues=False)
        item.setXRange(0.0, right, padding=0.04)
        item.setYRange(0.0, float(share.max()) or 1.0, padding=0.04)
        colour_axes(self._view)
        words = f" after smoothing by {evidence.smoothing:g}" if evidence.smoothing else ""
        self._caption.say(f"Distribution of gradient magnitudes{words}")
