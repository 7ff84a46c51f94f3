"""The table of a batch: a row for each file, with what has become of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from napari_diffusion.core.readable_name import readable_name
from napari_diffusion.runs.batch.batch_row import BAD, BatchRow
from napari_diffusion.widgets.forms.theme import colours_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEADINGS = ("file", "state", "what became of it")
_FILE, _STATE, _SENTENCE = range(3)

# The width of the names, in pixels, until the user drags it, and the least height of the table.
_NAMES, _LEAST = 96, 150

_OPEN = "Double-click to open the result."


class BatchRows(QTableWidget):
    """Shows the rows of a batch; a double-click on one asks for its result."""

    #: A row was double-clicked.
    asked = Signal(BatchRow)

    def __init__(self) -> None:
        super().__init__(0, len(_HEADINGS))
        self.rows: list[BatchRow] = []
        self._theme = "dark"
        self.setHorizontalHeaderLabels(_HEADINGS)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(_LEAST)
        self.setWordWrap(True)
        sides, across = self.verticalHeader(), self.horizontalHeader()
        assert sides is not None
        assert across is not None
        sides.hide()
        sides.setMinimumSectionSize(sides.defaultSectionSize())
        across.setSectionResizeMode(_STATE, QHeaderView.ResizeMode.ResizeToContents)
        across.setSectionResizeMode(_SENTENCE, QHeaderView.ResizeMode.Stretch)
        across.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setColumnWidth(_FILE, _NAMES)
        self.cellDoubleClicked.connect(lambda place, _: self.asked.emit(self.rows[place]))

    def show_rows(self, rows: Sequence[BatchRow]) -> None:
        """Show these rows in place of others."""
        self.rows = list(rows)
        self.setRowCount(len(self.rows))
        for place, row in enumerate(self.rows):
            for column in range(len(_HEADINGS)):
                self.setItem(place, column, QTableWidgetItem())
            self._fill(place, row)

    def show_row(self, place: int, row: BatchRow) -> None:
        """Show what has become of a file, and where it is at work keep it in sight."""
        self.rows[place] = row
        self._fill(place, row)
        self.resizeRowToContents(place)
        if row.state == "running":
            self.scrollToItem(self.item(place, _STATE))

    def show_theme(self, theme: str) -> None:
        """Colour the states for a theme of napari."""
        self._theme = theme
        for place, row in enumerate(self.rows):
            self._fill(place, row)

    def _fill(self, place: int, row: BatchRow) -> None:
        texts = (readable_name(row.file.name), row.state, as_clicked(row.sentence))
        hint = _OPEN if row.state in ("done", "skipped") else texts[_SENTENCE]
        tips = (readable_name(str(row.file)), hint, texts[_SENTENCE] or hint)
        for column, (text, tip) in enumerate(zip(texts, tips, strict=True)):
            item = self.item(place, column)
            assert item is not None
            item.setText(text)
            item.setToolTip(tip)
        state = self.item(place, _STATE)
        assert state is not None
        state.setData(Qt.ItemDataRole.ForegroundRole, self._colour(row))

    def _colour(self, row: BatchRow) -> QColor | None:
        colours = colours_of(self._theme)
        if row.state in BAD:
            return QColor(colours.error)
        if row.state in ("done", "skipped"):
            return QColor(colours.good)
        return QColor(colours.warning) if row.state == "stopped" else None


def as_clicked(text: str) -> str:
    """Return a sentence with what can be clicked in place of options of the command line."""
    return text.replace("--overwrite replaces it", "tick Replace outputs under Advanced").replace(
        "--overwrite without --resume starts again", "Replace outputs starts again"
    )
