"""How far the work is, in napari's activity area."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from napari.utils.progress import cancelable_progress

if TYPE_CHECKING:
    from collections.abc import Callable

# A bar that is moved paints the whole window, so it is not moved with every step.
_REFRESH = 0.2


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
        self._words = "starting"
        self._bar: _Bar | None = None
        self._is_closed = False
        self._moved = 0.0

    def open(self) -> None:
        """Show the bar, upon which napari handles events: work may say things or end meanwhile."""
        bar = _Bar(self._cancelled, total=self._total, desc=f"{self._title}: {self._words}")
        if self._is_closed:
            bar.close()
        else:
            self._bar = bar
            self.say(self._words)

    def say(self, words: str) -> None:
        """Show what the work is at."""
        self._words = words or self._words
        if self._bar is not None and words:
            self._bar.set_description(f"{self._title}: {words}")

    def show(self, done: int) -> None:
        """Show how many pieces are done."""
        bar, now = self._bar, time.monotonic()
        if bar is None or (done < self._total and now - self._moved < _REFRESH):
            return
        self._moved = now
        if self._total:
            bar.set_description(f"{self._title}: {self._piece} {done} of {self._total}".strip())
            bar.update(done - bar.n)

    def close(self) -> None:
        """Remove the bar."""
        bar, self._bar, self._is_closed = self._bar, None, True
        if bar is not None:
            bar.close()
