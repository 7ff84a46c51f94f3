"""One number per step as a curve, with the step that is shown and the one that is recommended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_diffusion.widgets.rows import GREY
from napari_diffusion.widgets.schedule_plot import COLOURS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class CurvePlot(QWidget):
    """A plot to click in: the step that is nearest is chosen."""

    #: The place in the list of steps that was clicked.
    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        import pyqtgraph

        self._view: Any = pyqtgraph.PlotWidget(background=None)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._view)
        self._item = self._view.getPlotItem()
        self._item.hideButtons()
        self._view.setMinimumHeight(160)
        for side in ("left", "bottom"):
            axis = self._item.getAxis(side)
            axis.setPen(GREY)
            axis.setTextPen(GREY)
            axis.enableAutoSIPrefix(False)
        self._item.setLabel("bottom", "step")
        self._shown = pyqtgraph.InfiniteLine(angle=90, pen=pyqtgraph.mkPen(COLOURS[1], width=2))
        dashed = pyqtgraph.mkPen(COLOURS[2 % len(COLOURS)], width=2, style=Qt.PenStyle.DashLine)
        self._best = pyqtgraph.InfiniteLine(angle=90, pen=dashed)
        self._steps: list[int] = []
        self._values: list[float] = []
        self._name = ""
        self._view.scene().sigMouseClicked.connect(self._clicked)

    def show_curve(
        self, steps: Sequence[int], values: Sequence[float], name: str, unit: str
    ) -> None:
        """Draw a curve; steps without a value are left out."""
        import pyqtgraph

        self._steps, self._values, self._name = list(steps), list(values), name
        self._item.clear()
        x, y = np.array(steps, float), np.array(values, float)
        known = np.isfinite(y)
        self._item.plot(
            x[known], y[known], pen=pyqtgraph.mkPen(COLOURS[0], width=2),
            symbol="o", symbolSize=6, symbolBrush=COLOURS[0], symbolPen=None,
        )  # fmt: skip
        self._item.setLabel("left", f"{name} ({unit})" if unit else name)
        self._item.addItem(self._shown)
        self._item.addItem(self._best)
        self._item.autoRange()

    def mark(self, shown: int, best: int | None) -> None:
        """Mark the step that is shown, and the recommended one where there is one."""
        self._shown.setValue(shown)
        self._best.setVisible(best is not None)
        if best is not None:
            self._best.setValue(best)

    def write_table(self, path: Path) -> None:
        """Write steps and values as lines of text, separated by commas."""
        lines = [f"step,{self._name}"]
        lines += [f"{s},{v!r}" for s, v in zip(self._steps, self._values, strict=True)]
        path.write_text("\n".join(lines) + "\n", "utf-8")

    def write_picture(self, path: Path) -> None:
        """Write the plot as PNG or SVG, as the name ends."""
        if path.suffix.lower() != ".svg":
            if not self._view.grab().save(str(path)):
                raise ValueError(f"The plot cannot be written to {path.name}: name a .png or .svg.")
            return
        # pyqtgraph's own drawings fail for curves with symbols.
        from qtpy.QtGui import QPainter
        from qtpy.QtSvg import QSvgGenerator

        drawing: Any = QSvgGenerator()
        drawing.setFileName(str(path))
        drawing.setSize(self._view.size())
        painter: Any = QPainter(drawing)
        self._view.render(painter)
        painter.end()

    def _clicked(self, event: Any) -> None:
        if self._steps:
            at = self._item.vb.mapSceneToView(event.scenePos()).x()
            self.chosen.emit(int(np.argmin(np.abs(np.array(self._steps) - at))))
