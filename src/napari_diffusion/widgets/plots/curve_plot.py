"""Measures of every step as curves, with the step that is shown and the one that is recommended."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal
from qtpy.QtCore import Qt

from napari_diffusion.widgets.plots.plot import Column, Plot, short
from napari_diffusion.widgets.plots.plot_theme import MARK, PALETTE, colour_axes, quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from qtpy.QtCore import QEvent, QPointF
    from qtpy.QtWidgets import QWidget

_EACH = "each over its own range"


@dataclass(frozen=True, eq=False)
class Drawn:
    """One curve.

    Attributes
    ----------
    name, unit : str
        What was measured, and in what.
    values : sequence of float
        One per step; NaN where there is none, which is left out.
    doubt : str
        Why the measure is excluded from the recommendation; else empty.
    """

    name: str
    unit: str
    values: Sequence[float]
    doubt: str = ""


class CurvePlot(Plot):
    """Curves of one unit share an axis; else each is drawn over its own range.

    The legend has the values at the step that the mouse is over, else at the one that is shown.
    """

    #: The place in the list of steps that was clicked.
    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        import pyqtgraph

        self._item.setLabel("bottom", "step")
        dashed = pyqtgraph.mkPen(MARK, width=2, style=Qt.PenStyle.DashLine)
        options = {
            "position": 0.94,
            "color": MARK,
            "rotateAxis": None,
            "anchors": [(0, 0)] * 2,
        }
        self._shown = quiet(pyqtgraph.InfiniteLine(angle=90), 2)
        self._best = pyqtgraph.InfiniteLine(angle=90, pen=dashed, label="best", labelOpts=options)
        self._steps: list[int] = []
        self._curves: list[Drawn] = []
        self._at: int | None = None
        self._marked = 0
        self._view.scene().sigMouseMoved.connect(self._hovered)

    def show_curves(self, steps: Sequence[int], curves: Sequence[Drawn]) -> None:
        """Draw curves over the same steps."""
        again = _extent(steps, curves) != _extent(self._steps, self._curves)
        self._steps, self._curves = list(steps), list(curves)
        self._item.clear()
        units = {curve.unit for curve in curves}
        shared = len(units) < 2
        for turn, curve in enumerate(curves):
            values = np.array(curve.values, float)
            self._draw(turn, np.array(steps, float), values if shared else _scaled(values))
        every = max(round(len(steps) / 10), 1)
        self._item.getAxis("bottom").setTickSpacing(every, every)
        axis = self._item.getAxis("left")
        axis.setStyle(showValues=shared)
        names = curves[0].name if len(curves) == 1 else ""
        unit = next(iter(units), "")
        label = (f"{names} ({unit})" if names and unit else names or unit) if shared else _EACH
        self._item.setLabel("left", label)
        self._item.addItem(self._shown)
        self._item.addItem(self._best)
        colour_axes(self._view)
        if again:
            self._item.autoRange()
        self._show_legend()

    def _draw(self, turn: int, x: NDArray[Any], y: NDArray[Any]) -> None:
        import pyqtgraph

        known = np.isfinite(y)
        colour = _colour(turn)
        style = Qt.PenStyle.SolidLine if turn < len(PALETTE) else Qt.PenStyle.DashLine
        dots = {} if len(x) > 100 else {"symbol": "o", "symbolSize": 5, "symbolPen": None}
        pen = pyqtgraph.mkPen(colour, width=2, style=style)
        self._item.plot(x[known], y[known], pen=pen, symbolBrush=colour, **dots)

    def mark(self, shown: int, best: int | None) -> None:
        """Mark the step that is shown, and the recommended one where there is one."""
        self._marked = shown
        self._shown.setValue(shown)
        self._best.setVisible(best is not None)
        if best is not None:
            self._best.setValue(best)
            self._lean(best)
        self._show_legend()

    def _lean(self, best: int) -> None:
        """Write the mark's word to that side of it where there is room."""
        ends = self._steps[:1] + self._steps[-1:]
        label = self._best.label
        label.anchors = [(float(bool(ends) and 2 * best > sum(ends)), 0)] * 2
        label.updatePosition()

    def table(self) -> tuple[list[str], list[Column]]:
        """Return the steps and the curves, with their units."""
        names = [f"{each.name} ({each.unit})" if each.unit else each.name for each in self._curves]
        columns = [["" if np.isnan(v) else repr(float(v)) for v in c.values] for c in self._curves]
        return ["step", *names], [self._steps, *columns]

    def clicked_at(self, x: float) -> None:
        """Choose the step that is nearest."""
        if self._steps:
            self.chosen.emit(self._nearest(x))

    def _nearest(self, x: float) -> int:
        return int(np.argmin(np.abs(np.array(self._steps) - x)))

    def _hovered(self, position: QPointF) -> None:
        inside = self._item.vb.sceneBoundingRect().contains(position) and self._steps
        at = self._nearest(self._item.vb.mapSceneToView(position).x()) if inside else None
        if at != self._at:
            self._at = at
            self._show_legend()

    def leaveEvent(self, event: QEvent | None) -> None:  # noqa: N802
        """Go back to the step that is shown."""
        super().leaveEvent(event)
        self._at = None
        self._show_legend()

    def _show_legend(self) -> None:
        """Write the legend."""
        if not self._curves:
            self.legend.setText("")
            return
        place = self._at
        if place is None or place >= len(self._steps):
            place = self._nearest(self._marked)
        lines = [f"at step {self._steps[place]:02}:"]
        lines += [_entry(turn, curve, place) for turn, curve in enumerate(self._curves)]
        self.legend.setText("<br>".join(lines))


def _entry(turn: int, curve: Drawn, place: int) -> str:
    values = np.array(curve.values, float)
    known = values[np.isfinite(values)]
    sign = "●" if turn < len(PALETTE) else "○"
    line = f'<span style="color:{_colour(turn)}">{sign}</span> {html.escape(curve.name)} '
    unit = f" {curve.unit}" if curve.unit else ""
    if not np.isfinite(values[place]):
        line += "no value here"
    else:
        line += f"<b>{short(values[place])}</b>{unit}"
    if known.size:
        ends = f"{short(known.min())} … {short(known.max())}"
        line += f" ({ends})"
    if curve.doubt:
        line += f"<br>excluded from the recommendation: {html.escape(curve.doubt)}"
    return line


def _extent(steps: Sequence[int], curves: Sequence[Drawn]) -> tuple[int, list[tuple[str, int]]]:
    """Return what the view is fitted to anew: while it stays the same, panning does."""
    known = [(curve.name, int(np.isfinite(curve.values).sum())) for curve in curves]
    return len(steps), known


def _colour(turn: int) -> str:
    return PALETTE[turn % len(PALETTE)]


def _scaled(values: NDArray[Any]) -> NDArray[Any]:
    """Return values over their own range as 0 to 1; those that are all alike lie in the middle."""
    known = values[np.isfinite(values)]
    low, span = (float(known.min()), float(np.ptp(known))) if known.size else (0.0, 0.0)
    scaled = (values - low) / span if span else np.full(values.shape, 0.5)
    return np.where(np.isfinite(values), scaled, np.nan)
