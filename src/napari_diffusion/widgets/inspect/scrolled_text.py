"""Text that is all in sight where there is room for it, else with a scroll bar."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy

from napari_diffusion.widgets.forms.theme import give_role

if TYPE_CHECKING:
    from qtpy.QtGui import QResizeEvent

# How the parts of the limits of a trace begin.
_HEADINGS = re.compile(r"(^|(?<=[.!?] ))(Assumed|What else looks the same):", re.MULTILINE)


class ScrolledText(QScrollArea):
    """Text beside a reading; in a low window it gives way before plots do, but never goes.

    Parameters
    ----------
    least : int
        So many lines always stay in sight.
    """

    def __init__(self, least: int) -> None:
        super().__init__()
        self._least, self._height, self._value = least, 0, ""
        bar = self.verticalScrollBar()
        assert bar is not None
        self._bar = bar
        self._label = QLabel()
        self._label.setWordWrap(True)
        self._label.setTextFormat(Qt.TextFormat.RichText)
        self._label.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        give_role(self._label, "help")
        self.setWidget(self._label)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Maximum)

    @property
    def value(self) -> str:
        """The text, as it was given."""
        return self._value

    @value.setter
    def value(self, text: str) -> None:
        self._value = text
        marked = _HEADINGS.sub(r"\1<b>\2:</b>", html.escape(text, quote=False))
        self._label.setText(marked.replace("\n", "<br>"))
        self._bar.setValue(0)
        self._fit()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the size of all of the text."""
        return QSize(super().sizeHint().width(), self._height)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        """Break the lines anew."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Give the text its width, with a bar where the text is higher than its room."""
        frame = 2 * self.frameWidth()
        width = max(self.width() - frame, 80)
        height = self._label.heightForWidth(width) + frame if self._value else 0
        if height != self._height:
            self._height = height
            # Not as a hint: layouts with text that wraps ask for heights alone.
            lines = self._least * self._label.fontMetrics().lineSpacing()
            self.setMinimumHeight(min(height, lines))
            self.updateGeometry()
        # Left to itself the bar would stay because it makes the text narrower.
        cut = self.height() < height
        policy = (
            Qt.ScrollBarPolicy.ScrollBarAlwaysOn if cut else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
        self.setVerticalScrollBarPolicy(policy)
        width -= self._bar.sizeHint().width() if cut else 0
        self._label.resize(width, self._label.heightForWidth(width))
