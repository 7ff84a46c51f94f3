"""How a measured noise grows with the intensity, or its spectrum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.widgets.plots.captioned_plot import CaptionedPlot
from napari_diffusion.widgets.plots.plot_theme import PALETTE

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from napari_diffusion.estimate import NoiseModel


class NoisePlot(CaptionedPlot):
    """The variance at each intensity with the line through it; else the power at each frequency."""

    def show_model(self, model: NoiseModel | None) -> None:
        """Draw what was measured; None, or nothing to draw, takes no room."""
        curve = model is not None and len(model.levels) > 1
        spectrum = model is not None and not curve and len(model.frequencies) > 0
        self._cleared(curve or spectrum)
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
