"""The histogram of an image's gradients, from which the contrast is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_diffusion.widgets.plots.captioned_plot import CaptionedPlot
from napari_diffusion.widgets.plots.plot_theme import PALETTE, colour_axes

if TYPE_CHECKING:
    from napari_diffusion.estimate import Evidence


class GradientPlot(CaptionedPlot):
    """The histogram of the gradients, with a mark at the contrast of each way."""

    height_of_plot = 110

    def marks(self) -> list[Any]:
        """Return the lines at the contrasts."""
        import pyqtgraph

        items = [] if self._view is None else self._view.getPlotItem().items
        return [each for each in items if isinstance(each, pyqtgraph.InfiniteLine)]

    def show_evidence(self, evidence: Evidence) -> None:
        """Draw a histogram and its marks."""
        import pyqtgraph

        item = self._item()
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
