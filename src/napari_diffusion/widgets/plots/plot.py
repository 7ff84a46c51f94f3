"""What the plots of a dock share: quiet axes, a legend beneath, and files of what is drawn."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QPainter, QPixmap
from qtpy.QtWidgets import QFrame, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_diffusion.widgets.forms.theme import give_role
from napari_diffusion.widgets.plots.plot_theme import PALETTE, colour_axes

if TYPE_CHECKING:
    from pathlib import Path

    from pyqtgraph import PlotWidget
    from pyqtgraph.GraphicsScene.mouseEvents import MouseClickEvent

__all__ = ["PALETTE", "Column", "Plot", "short"]

_SHEET = "color: black; background: white; font-size: 11px;"


#: A column of a table.
Column = Sequence[float | str]


class Plot(QWidget):
    """A plot that can be panned and zoomed, with a legend that wraps; a double click shows all."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        import pyqtgraph

        self._view: PlotWidget = pyqtgraph.PlotWidget(background=None)
        self._item = self._view.getPlotItem()
        self.legend = QLabel()
        self.legend.setWordWrap(True)
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        give_role(self.legend, "help")
        self.legend.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._view, 1)
        layout.addWidget(self.legend)
        self._furnish()

    def _furnish(self) -> None:
        self._item.hideButtons()
        self._view.setMinimumHeight(150)
        self._view.setFrameShape(QFrame.Shape.NoFrame)
        # Its default of 480 pixels would be too high, and push the legend out of sight.
        self._view.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        for side in ("left", "bottom"):
            self._item.getAxis(side).enableAutoSIPrefix(False)
        colour_axes(self._view)
        # pyqtgraph writes the name of the axis a little lower than the axis ends.
        self._item.getAxis("bottom").setHeight(38)
        self._item.setContentsMargins(0, 0, 0, 8)
        self._view.scene().sigMouseClicked.connect(self._mouse_clicked)

    def table(self) -> tuple[list[str], list[Column]]:
        """Return the headings and the columns of what is drawn."""
        raise NotImplementedError

    def write(self, path: Path) -> None:
        """Write what is drawn: as a table (.csv), an image (.png) or a drawing (.svg)."""
        ending = path.suffix.lower()
        if ending not in (".csv", ".png", ".svg"):
            raise ValueError(f"Unsupported format {path.name!r}: use .csv, .png or .svg.")
        if ending == ".csv":
            names, columns = self.table()
            rows = [map(heading, names), *zip(*columns, strict=True)]
            with path.open("w", encoding="utf-8", newline="") as file:
                table = csv.writer(file, lineterminator="\n")
                table.writerows([str(value) for value in row] for row in rows)
        elif not self._drawn(path, drawing=ending == ".svg"):
            raise OSError(f"Could not write {path}.")

    def _drawn(self, path: Path, drawing: bool) -> bool:
        """Draw the plot and its legend in black on white."""
        style, self_style = self.legend.styleSheet(), self._view.backgroundBrush()
        self.legend.setStyleSheet(_SHEET)
        self._view.setBackground("w")
        try:
            if drawing:
                # pyqtgraph's own drawings fail for curves with symbols.
                from qtpy.QtSvg import QSvgGenerator

                sheet: Any = QSvgGenerator()
                sheet.setFileName(str(path))
                sheet.setSize(self.size())
                sheet.setViewBox(self.rect())
            else:
                sheet = QPixmap(self.size() * 2)
                sheet.setDevicePixelRatio(2.0)
                sheet.fill(Qt.GlobalColor.white)
            painter: Any = QPainter(sheet)
            for part in (self._view, self.legend):
                # The view's own method of that name takes other arguments.
                QWidget.render(part, painter, QPoint(part.pos()))
            painter.end()
            return drawing or bool(sheet.save(str(path)))
        finally:
            self.legend.setStyleSheet(style)
            self._view.setBackgroundBrush(self_style)

    def _mouse_clicked(self, event: MouseClickEvent) -> None:
        if event.double():
            self._item.autoRange()
        elif event.button() == Qt.MouseButton.LeftButton:
            self.clicked_at(float(self._item.vb.mapSceneToView(event.scenePos()).x()))

    def clicked_at(self, x: float) -> None:
        """Answer a click."""


def heading(name: str) -> str:
    """Return the heading of a column: names of layers must be no formulas for a spreadsheet."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@")) else name


def short(value: float) -> str:
    """Return a number as a legend has it."""
    return f"{value:.4g}"
