"""How far the work is, in napari's activity area."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from napari.utils.progress import cancelable_progress
from qtpy.QtCore import QTimer

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtCore import QObject

# Milliseconds. napari handles all events whenever a bar appears or moves, the canvas among them: so
# short work has none, and it moves between the steps, not with each of them.
_SOON, _REFRESH = 400, 300


class _Bar(cancelable_progress):
    """A bar whose Cancel acts at once; napari's own only marks it."""

    def __init__(self, cancelled: Callable[[], None], **options: Any) -> None:
        self._cancelled = cancelled
        super().__init__(**options)

    def cancel(self) -> None:
        """Cancel the work."""
        super().cancel()
        self._cancelled()


class Activity:
    """A bar in napari's activity area; used by the thread that has the window.

    Parameters
    ----------
    title : str
        What is under way, such as the name of an image.
    total : int
        How many pieces it has, 0 where they cannot be counted.
    piece : str
        What a piece is called.
    cancelled : callable
        Called when the user cancels it there.
    """

    def __init__(self, title: str, total: int, piece: str, cancelled: Callable[[], None]) -> None:
        self._title = title
        self._total = total
        self._piece = piece
        self._cancelled = cancelled
        self._timer: QTimer | None = None
        self._bar: _Bar | None = None
        self._words = "starting"
        self._done = 0
        self._is_closed = self._is_drawing = False

    def open(self, parent: QObject) -> None:
        """Show the bar soon, unless it is closed before."""
        self._timer = QTimer(parent)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._draw)
        self._timer.start(_SOON)

    def say(self, words: str) -> None:
        """Show what the work is at."""
        if words:
            self._words = words
            self._draw_soon()

    def show(self, done: int) -> None:
        """Show how many pieces are done."""
        self._done = done
        if self._total:
            self.say(f"{self._piece} {done} of {self._total}".strip())

    def count_to(self, total: int, piece: str) -> None:
        """Count pieces from now on."""
        self._total, self._piece, self._done = total, piece, 0
        if self._bar is not None:
            self._bar.total = total
        self._draw_soon()

    def close(self) -> None:
        """Remove the bar."""
        bar, self._bar, self._is_closed = self._bar, None, True
        with contextlib.suppress(RuntimeError):  # the timer may have gone with its parent
            if self._timer is not None:
                self._timer.stop()
        if bar is not None:
            bar.close()

    def _draw_soon(self) -> None:
        if self._timer is not None and not self._is_closed and not self._timer.isActive():
            self._timer.start(_REFRESH)

    def _draw(self) -> None:
        """Draw the bar, upon which napari handles events: this one again, or the work's end."""
        if self._is_drawing:
            self._draw_soon()
            return
        self._is_drawing = True
        try:
            self._move()
        finally:
            self._is_drawing = False

    def _move(self) -> None:
        words, done, bar = f"{self._title}: {self._words}", self._done, self._bar
        if bar is None:
            bar = _Bar(self._cancelled, total=self._total, desc=words)
            self._bar = bar
            if self._is_closed:
                self.close()
        elif bar.desc.removesuffix(": ") != words:
            bar.set_description(words)
        if self._total and done != bar.n and not self._is_closed:
            bar.update(done - bar.n)
