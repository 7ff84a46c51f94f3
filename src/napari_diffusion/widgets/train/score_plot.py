"""How far training has come: the error on what it does not learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt

from napari_diffusion.widgets.plots.captioned_plot import CaptionedPlot
from napari_diffusion.widgets.plots.plot import short
from napari_diffusion.widgets.plots.plot_theme import PALETTE, colour_axes, quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_diffusion.learning import Score

# Above and beneath the curve, as a part of its height, which is not taken for less than this part
# of the error: the scatter of what does not change is no news.
_MARGIN, _LEAST = 0.2, 0.02


class ScorePlot(CaptionedPlot):
    """The held-out error over the seconds, and a dashed line at that of the start."""

    @property
    def words(self) -> str:
        """What the caption says."""
        return self._caption.text()

    def show_scores(self, scores: Sequence[Score], seconds: float) -> None:
        """Draw scores of a training of so many seconds; none of them take no room."""
        self._cleared(bool(scores))
        self._caption.say(_caption(scores))
        if scores:
            self._draw(scores, seconds)

    def _draw(self, scores: Sequence[Score], seconds: float) -> None:
        import pyqtgraph

        item = self._item()
        start = scores[0].held_out
        item.addItem(quiet(pyqtgraph.InfiniteLine(start, 0), 1.5, Qt.PenStyle.DashLine))
        errors = np.array([each.held_out for each in scores])
        pen, dots = pyqtgraph.mkPen(PALETTE[0], width=2), {"symbol": "o", "symbolSize": 5}
        at = [each.seconds for each in scores]
        item.plot(at, errors, pen=pen, symbolBrush=PALETTE[0], symbolPen=None, **dots)
        room = _MARGIN * max(float(np.ptp(errors)), _LEAST * abs(start))
        item.setXRange(0.0, max(seconds, at[-1]), padding=0.04)
        item.setYRange(float(errors.min()) - room, float(errors.max()) + room, padding=0.0)
        colour_axes(self._view)


def _caption(scores: Sequence[Score]) -> str:
    if not scores:
        return ""
    words = "Error on squares that are not learned from, over seconds of the processor"
    start, least = scores[0].held_out, min(each.held_out for each in scores)
    return f"{words}: {short(least)} at best, {short(start)} at the start (dashed)."
