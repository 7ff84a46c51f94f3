"""How much of known objects is left, over their size and contrast, with the limit of detection."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from qtpy.QtCore import Qt

from napari_diffusion.widgets.plots.plot import Column, Plot, short
from napari_diffusion.widgets.plots.plot_theme import colour_axes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from qtpy.QtCore import QEvent, QPointF
    from qtpy.QtWidgets import QWidget

    from napari_diffusion.analysis.feature_survival import (
        DetectionLimit,
        FeatureSurvival,
        SurvivalCell,
    )
    from napari_diffusion.analysis.study_result import StudyResult

_COLOURS, _HEIGHT = "viridis", 300

# How far numbers and arrows stand from the middle of their cell, as a part of the cell.
_BESIDE, _ARROW = 0.47, 0.25

# The share of the objects found, and the line that is drawn through the contrasts where it is.
_LINES = {0.5: Qt.PenStyle.SolidLine, 0.95: Qt.PenStyle.DashLine}

_HELP = (
    "Kept share of the contrast. Lines: limit of detection, 50 % found (solid) and 95 % (dashed); "
    "▲ above what was tried, ▼ below."
)


class SurvivalPlot(Plot):
    """The kept share in cells of size and contrast; the legend has the cell under the mouse."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        import pyqtgraph

        self._cells: dict[tuple[int, int], SurvivalCell] = {}
        self._marks: list[Any] = []
        self._at: tuple[int, int] | None = None
        self.setMinimumHeight(_HEIGHT)
        self._item.setMouseEnabled(x=False, y=False)
        self._item.setMenuEnabled(False)
        # The uppermost number of the colour bar needs room.
        self._item.setContentsMargins(0, 8, 0, 8)
        self._image = pyqtgraph.ImageItem(axisOrder="row-major")
        self._item.addItem(self._image)
        colours = pyqtgraph.colormap.get(_COLOURS)
        self.bar = pyqtgraph.ColorBarItem(
            values=(0.0, 1.0), colorMap=colours, width=10, interactive=False
        )
        self.bar.setImageItem(self._image, insert_in=self._item)
        self._view.colour_bars = (self.bar,)
        colour_axes(self._view)
        self._item.setLabel("left", "contrast (× noise σ)")
        self._view.scene().sigMouseMoved.connect(self._hovered)

    def show_result(self, result: FeatureSurvival) -> None:
        """Draw the cells of the kind that was tried first."""
        kind = result.cells[0].kind
        sizes, contrasts, kept = result.kept_table(kind)
        places = [(float(size), float(contrast)) for size in sizes for contrast in contrasts]
        known = {(each.size, each.contrast): each for each in result.cells if each.kind == kind}
        self._cells = {
            (list(sizes).index(size), list(contrasts).index(contrast)): known[size, contrast]
            for size, contrast in places
            if (size, contrast) in known
        }
        for mark in self._marks:
            self._item.removeItem(mark)
        self._marks = []
        values = np.asarray(kept, float).T  # rows are contrasts
        self._image.setImage(values, autoLevels=False)
        self._image.setLevels((0.0, 1.0))
        self._image.setRect(-0.5, -0.5, len(sizes), len(contrasts))
        self._item.setLabel("bottom", f"{kind}: radius (pixels)")
        self._item.getAxis("bottom").setTicks([[(i, short(s)) for i, s in enumerate(sizes)]])
        self._item.getAxis("left").setTicks([[(i, short(c)) for i, c in enumerate(contrasts)]])
        self._write(values)
        limits = [each for each in result.limits_of_detection if each.kind == kind]
        for share, style in _LINES.items():
            own = [each for each in limits if math.isclose(each.share, share)]
            self._draw(own, list(sizes), np.asarray(contrasts, float), style)
        self._item.setRange(
            xRange=(-0.5, len(sizes) - 0.5), yRange=(-0.5, len(contrasts) - 0.5), padding=0.02
        )
        self._show_legend()

    # --- what is drawn ---

    def _write(self, values: NDArray[Any]) -> None:
        """Write each number into its cell, dark on bright and bright on dark."""
        import pyqtgraph

        for row, column in np.argwhere(np.isfinite(values)):
            value = values[row, column]
            colour = "k" if value > 0.6 else "w"
            text = pyqtgraph.TextItem(f"{value:.2f}", color=colour, anchor=(0.0, 0.5))
            # At the left, where lines between the middles of columns seldom pass.
            text.setPos(float(column) - _BESIDE, float(row))
            text.setZValue(1)
            self._add(text)

    def _draw(
        self,
        limits: Sequence[DetectionLimit],
        sizes: list[float],
        contrasts: NDArray[Any],
        style: Qt.PenStyle,
    ) -> None:
        import pyqtgraph

        x = np.array([sizes.index(each.size) for each in limits], float)
        y = np.array([_height(each, contrasts) for each in limits], float)
        inside = np.array([each.contrast is not None for each in limits], bool)
        # A dark line beneath a bright one can be seen on every colour.
        for colour, width in (("k", 4.0), ("w", 2.0)):
            line = pyqtgraph.PlotCurveItem(
                x, np.where(inside, y, np.nan), connect="finite",
                pen=pyqtgraph.mkPen(colour, width=width, style=style),
            )  # fmt: skip
            self._add(line)
        for at, height in zip(x[~inside], y[~inside], strict=True):
            arrow = pyqtgraph.TextItem("▲" if height else "▼", color="w", anchor=(0.5, 0.5))
            arrow.setPos(at + _ARROW, height)
            self._add(arrow)

    def _add(self, mark: Any) -> None:
        self._item.addItem(mark)
        self._marks.append(mark)

    def table(self) -> tuple[list[str], list[Column]]:
        """Return the cells, one a row."""
        names = ["kind", "size", "contrast", "count", "kept", "kept_error", "lost"]
        cells = [self._cells[key] for key in sorted(self._cells)]
        return names, [[getattr(cell, name) for cell in cells] for name in names]

    # --- the cell under the mouse ---

    def _hovered(self, position: QPointF) -> None:
        at = None
        if self._item.vb.sceneBoundingRect().contains(position):
            point = self._item.vb.mapSceneToView(position)
            at = (round(point.x()), round(point.y()))
        if at != self._at:
            self._at = at
            self._show_legend()

    def leaveEvent(self, event: QEvent | None) -> None:  # noqa: N802
        """Explain the plot again."""
        super().leaveEvent(event)
        self._at = None
        self._show_legend()

    def _show_legend(self) -> None:
        cell = None if self._at is None else self._cells.get(self._at)
        self.legend.setText(_HELP if cell is None else html.escape(in_words(cell)))


def is_survival(result: StudyResult) -> TypeGuard[FeatureSurvival]:
    """Say whether a result can be drawn here."""
    return hasattr(result, "kept_table")


def in_words(cell: SurvivalCell) -> str:
    """Return the numbers of a cell."""
    low, high = cell.lost_interval
    return (
        f"{cell.kind}, {short(cell.size)} pixels, {short(cell.contrast)} × σ = "
        f"{short(cell.intensity)} intensity: kept {cell.kept:.2f} ± {cell.kept_error:.2f} of the "
        f"contrast, lost {100 * cell.lost:.0f} % ({100 * low:.0f} … {100 * high:.0f} %) of "
        f"{cell.count}."
    )


def _height(limit: DetectionLimit, contrasts: NDArray[Any]) -> float:
    """Return where a contrast lies among those that were tried, which are drawn evenly."""
    if limit.contrast is None:
        return 0.0 if limit.text.startswith("<") else len(contrasts) - 1.0
    return float(np.interp(np.log(limit.contrast), np.log(contrasts), np.arange(len(contrasts))))
