"""The list of traces: which to read, which cannot be read and why, and what came of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableWidget, QTableWidgetItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_diffusion.forensics import Trace

_TRACE, _STATE = range(2)
_ROW = 21

# Of traces that do not apply, in between on dark and light themes.
_GREY = "#8a8f98"

_SHOWN = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
_BOX = Qt.ItemDataRole.CheckStateRole


class TraceList(QTableWidget):
    """Traces with a box to tick; one that does not apply is greyed, with the reason beside it.

    Parameters
    ----------
    traces : sequence of Trace
        From top to bottom.
    """

    #: Another trace was selected, by its place.
    selected = Signal(int)
    #: Other traces are ticked.
    ticked = Signal()

    def __init__(self, traces: Sequence[Trace]) -> None:
        super().__init__(len(traces), 2)
        self.traces = tuple(traces)
        self.reasons = [""] * len(traces)
        self._ticked = [True] * len(traces)
        self._furnish()
        for place, trace in enumerate(traces):
            name = QTableWidgetItem(trace.display_name)
            self.setItem(place, _TRACE, name)
            state = QTableWidgetItem()
            state.setFlags(_SHOWN)
            self.setItem(place, _STATE, state)
            self.setRowHeight(place, _ROW)
            self._show_box(place)
        self.setFixedHeight(_ROW * len(traces) + 4)
        self.itemChanged.connect(self._changed)
        self.currentCellChanged.connect(lambda row, *_: self.selected.emit(row))

    def _furnish(self) -> None:
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        sides, across = self.verticalHeader(), self.horizontalHeader()
        assert sides is not None
        assert across is not None
        sides.hide()
        across.hide()
        sides.setMinimumSectionSize(_ROW)
        across.setSectionResizeMode(_TRACE, QHeaderView.ResizeMode.ResizeToContents)
        across.setSectionResizeMode(_STATE, QHeaderView.ResizeMode.Stretch)

    @property
    def place(self) -> int:
        """The row that is selected; -1 where none is."""
        return self.currentRow()

    @property
    def height_of_selected(self) -> int:
        """How far beneath the top of the list the middle of the selected row is, in pixels."""
        return self.rowViewportPosition(max(self.place, 0)) + _ROW // 2

    @property
    def asked(self) -> list[int]:
        """The places of the traces that are ticked and apply."""
        return [i for i, on in enumerate(self._ticked) if on and not self.reasons[i]]

    def tick(self, place: int, on: bool) -> None:
        """Tick a trace, or leave it out."""
        self._ticked[place] = on
        self._show_box(place)
        self.ticked.emit()

    def show_reason(self, place: int, why_not: str) -> None:
        """Grey a trace, with the reason; an empty one says that it applies."""
        before, self.reasons[place] = self.reasons[place], why_not
        if why_not or before:
            self._show_box(place)
            self.show_state(place, why_not)
            self.ticked.emit()

    def put_greyed_last(self) -> None:
        """Let the traces that apply stand on top, in the order of all."""
        sides = self.verticalHeader()
        assert sides is not None
        order = sorted(range(len(self.traces)), key=lambda place: bool(self.reasons[place]))
        for row, place in enumerate(order):
            sides.moveSection(sides.visualIndex(place), row)

    def show_state(self, place: int, words: str) -> None:
        """Say beside a trace what came of it; the whole text is its tooltip."""
        self._cell(place, _STATE).setText(words)
        for column in (_TRACE, _STATE):
            self._cell(place, column).setToolTip(words)

    def select(self, place: int) -> None:
        """Select a trace."""
        self.setCurrentCell(place, _TRACE)

    def _show_box(self, place: int) -> None:
        """Show a box to tick, or a grey name without one where the trace does not apply."""
        name, greyed = self._cell(place, _TRACE), bool(self.reasons[place])
        state = Qt.CheckState.Checked if self._ticked[place] else Qt.CheckState.Unchecked
        with QSignalBlocker(self):
            name.setFlags(_SHOWN if greyed else _SHOWN | Qt.ItemFlag.ItemIsUserCheckable)
            name.setData(_BOX, None if greyed else state)
            for cell in (name, self._cell(place, _STATE)):
                cell.setData(Qt.ItemDataRole.ForegroundRole, QColor(_GREY) if greyed else None)

    def _changed(self, item: QTableWidgetItem) -> None:
        """Keep what the user has ticked."""
        place = item.row()
        if item.column() != _TRACE or self.reasons[place]:
            return
        on = item.checkState() == Qt.CheckState.Checked
        if on != self._ticked[place]:
            self._ticked[place] = on
            self.ticked.emit()

    def _cell(self, place: int, column: int) -> QTableWidgetItem:
        item = self.item(place, column)
        assert item is not None
        return item
