"""When a dock comes into the window, and when it or the window is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QEvent, QObject, QTimer

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget


class DockEvents(QObject):
    """Watches the widget of a dock.

    Parameters
    ----------
    widget : QWidget
        What is docked.
    """

    #: It stands in a window now.
    docked = Signal()
    #: It is to stop: True where the dock was closed, False where the window was.
    left = Signal(bool)

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(lambda: self.docked.emit())
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Tell what happens to the widget, and let it happen."""
        # Python may have cleared this object while Qt still has last events for the widget.
        widget: QWidget | None = self.__dict__.get("_widget")
        if widget is None or watched is not widget or event is None:
            return False
        match event.type():
            case QEvent.Type.ParentChange if widget.parent() is None:
                self.left.emit(True)
            case QEvent.Type.ParentChange:
                # The window places a dock after it has taken the widget.
                self._soon.start(0)
            case QEvent.Type.Hide:
                # A dock that is only hidden goes on.
                window = widget.window()
                if window is None or not window.isVisible():
                    self.left.emit(False)
        return False
