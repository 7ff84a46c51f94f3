"""Work in a thread of its own, its news delivered to the thread that has the window."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from psygnal import Signal
from qtpy.QtCore import QObject, QTimer

from napari_diffusion.widgets.run.preferences import apply_preferences

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
    """Runs a function in a thread and delivers what it posts.

    Parameters
    ----------
    work : callable
        ``work(worker)`` runs in the thread. It may call `post`, `hold` and look at `stop`, and
        must never touch the window.
    parent : QObject
        Lives in the thread of the window; when it is destroyed, the work is stopped.
    """

    #: What the work posted, in order.
    posted = Signal(object)
    #: The exception that ended the work; None where it came to its end or was cancelled.
    ended = Signal(object)

    def __init__(self, work: Work, parent: QObject) -> None:
        self.stop = threading.Event()
        self.is_running = False
        self._going = threading.Event()
        self._going.set()
        self._news: queue.SimpleQueue[News | _Turn | _End] = queue.SimpleQueue()
        self._turn = threading.Event()
        self._timer = QTimer(parent)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._deliver_next)
        parent.destroyed.connect(self.stop.set)
        self._thread = threading.Thread(
            target=_run, args=(work, self), name="napari-diffusion-run", daemon=True
        )

    def start(self) -> None:
        """Start the thread, with the preferences as they are now."""
        apply_preferences()
        self.is_running = True
        self._thread.start()
        self._timer.start(_LOOK_EVERY_MS)

    @property
    def is_paused(self) -> bool:
        """Whether the work waits at its next `hold`."""
        return not self._going.is_set()

    def pause(self, on: bool) -> None:
        """Make the work wait at its next `hold`, or let it go on."""
        (self._going.clear if on else self._going.set)()

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
            self._timer.deleteLater()
        self.is_running = False

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
        self._turn.clear()
        self._news.put(_Turn(news))
        if not self.stop.is_set():
            self._turn.wait()

    def hold(self) -> None:
        """Wait while paused; called by the work between two steps."""
        self._going.wait()

    def join(self, seconds: float) -> bool:
        """Wait for the thread to end, at most so long, and say whether it has."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _halt(self) -> None:
        self.stop.set()
        self._going.set()
        self._turn.set()
        self._timer.stop()

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
                self._turn.set()

    def _finish(self, error: BaseException | None) -> None:
        self.is_running = False
        self._timer.deleteLater()
        self.ended.emit(error)


def _run(work: Work, worker: Worker) -> None:
    error: BaseException | None = None
    try:
        work(worker)
    except BaseException as raised:
        error = raised
    worker.post(_End(error))
