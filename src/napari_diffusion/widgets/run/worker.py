"""Work in a thread of its own, its news delivered to the thread that has the window."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from psygnal import Signal
from qtpy.QtCore import QObject, QTimer

from napari_diffusion.widgets.run.pooled_work import Gates, Task, pooled
from napari_diffusion.widgets.run.preferences import apply_preferences

if TYPE_CHECKING:
    import threading

    from napari_diffusion.widgets.run.activity import Activity

#: What a thread does: it gets the worker to post its news to.
Work = Callable[["Worker"], None]

#: News of a run, such as those in `run_request`: each kind of work has its own.
News = Any

# Often enough to look immediate; the window handles its own events in between.
_LOOK_EVERY_MS = 10


class _End(NamedTuple):
    error: BaseException | None


class _Turn(NamedTuple):
    news: News


class Worker:
    """Runs a function in one of napari's threads and delivers what it posts.

    Parameters
    ----------
    work : callable
        ``work(worker)`` runs in the thread. It may call `post`, `hold` and look at `stop`, and
        must never touch the window.
    parent : QObject
        Lives in the thread of the window; when it is destroyed, the work is stopped.
    title : str, optional
        What napari's task manager calls it: closing the window asks first. Without, the work is
        stopped without a question, as that of a preview.
    activity : Activity, optional
        Its bar in napari's activity area, there until the work has ended.
    """

    #: What the work posted, in order.
    posted = Signal(object)
    #: The exception that ended the work; None where it came to its end or was cancelled.
    ended = Signal(object)

    def __init__(
        self, work: Work, parent: QObject, title: str = "", activity: Activity | None = None
    ) -> None:
        self.is_running = False
        self._gates = Gates()
        self._activity = activity
        self._news: queue.SimpleQueue[News | _Turn | _End] = queue.SimpleQueue()
        self._timer = QTimer(parent)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._deliver_next)
        self._parent = parent
        parent.destroyed.connect(self._orphaned)
        self._pooled = pooled(Task(title, partial(_run, work, self)), self._gates, quiet=not title)

    @property
    def stop(self) -> threading.Event:
        """Set when the work is to end."""
        return self._gates.stop

    def start(self) -> None:
        """Start the thread, with the preferences as they are now."""
        apply_preferences()
        self.is_running = True
        self._pooled.start()
        self._timer.start(_LOOK_EVERY_MS)
        if self._activity is not None:
            self._activity.open(self._parent)

    @property
    def is_paused(self) -> bool:
        """Whether the work waits at its next `hold`."""
        return not self._gates.going.is_set()

    def pause(self, on: bool) -> None:
        """Make the work wait at its next `hold`, or let it go on."""
        (self._gates.going.clear if on else self._gates.going.set)()

    def cancel(self) -> None:
        """Ask the work to stop, deliver what it posted so far, and end without waiting for it.

        Returns at once; the rest follows after the window's own events.
        """
        if self.is_running and not self.stop.is_set():
            self._halt()
            self._timer.start(0)

    def drop(self) -> None:
        """Ask the work to stop and deliver nothing any more."""
        if self.is_running:
            self._halt()
            self._let_go()

    def post(self, news: News, in_turn: bool = False) -> None:
        """Have something delivered by `posted`; called by the work.

        Parameters
        ----------
        news : object
            What to deliver.
        in_turn : bool
            Wait until it has been delivered, so that what is made never runs ahead of what is
            seen, and the window has the processors to itself meanwhile.
        """
        if not in_turn:
            self._news.put(news)
            return
        self._gates.turn.clear()
        self._news.put(_Turn(news))
        if not self.stop.is_set():
            self._gates.turn.wait()

    def hold(self) -> None:
        """Wait while paused; called by the work between two steps."""
        self._gates.going.wait()

    def join(self, seconds: float) -> bool:
        """Wait for the thread to end, at most so long, and say whether it has."""
        return self._pooled.join(seconds)

    def _halt(self) -> None:
        self._gates.end()
        self._timer.stop()

    def _let_go(self) -> None:
        """Have nothing delivered any more."""
        self.is_running = False
        self._timer.deleteLater()
        with contextlib.suppress(RuntimeError, TypeError):
            self._parent.destroyed.disconnect(self._orphaned)
        if self._activity is not None:
            self._activity.close()

    def _orphaned(self) -> None:
        """Stop: the parent goes, and the timer with it."""
        self._gates.end()
        self.is_running = False
        if self._activity is not None:
            self._activity.close()

    def _deliver_next(self) -> None:
        """Deliver one piece of news, then leave the window time for its own events."""
        try:
            news = self._news.get_nowait()
        except queue.Empty:
            if self.stop.is_set():
                self._finish(None)
            else:
                self._timer.start(_LOOK_EVERY_MS)
            return
        if isinstance(news, _End):
            self._finish(news.error)
            return
        try:
            self._deliver(news)
        except Exception as error:
            # A listener has failed, and the run would never be reported as ended.
            self._halt()
            self._finish(error.__cause__ or error)
        if self.is_running:
            self._timer.start(_LOOK_EVERY_MS if self._news.empty() else 0)

    def _deliver(self, news: News) -> None:
        try:
            self.posted.emit(news.news if isinstance(news, _Turn) else news)
        finally:
            if isinstance(news, _Turn):
                self._gates.turn.set()

    def _finish(self, error: BaseException | None) -> None:
        self._let_go()
        self.ended.emit(error)


def _run(work: Work, worker: Worker) -> None:
    error: BaseException | None = None
    try:
        if not worker.stop.is_set():
            work(worker)
    except BaseException as raised:
        error = raised
    worker.post(_End(error))
