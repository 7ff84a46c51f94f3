"""Work of a dock that yields what it finds, one piece at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from napari_diffusion.engine.threads import Stopped
from napari_diffusion.widgets.run.activity import Activity
from napari_diffusion.widgets.run.worker import Worker

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Generator

    from qtpy.QtCore import QObject

    from napari_diffusion.widgets.run.worker import News


Yielded = TypeVar("Yielded")
Returned = TypeVar("Returned")


class Background:
    """Runs generators in a `Worker`; errors are shown, not raised.

    Parameters
    ----------
    say : callable
        ``say(sentence, bad)`` shows what is wrong, or that the work was stopped.
    changed : callable
        Called when work begins and when it has ended.
    parent : QObject
        When it is destroyed, the work stops.
    """

    def __init__(
        self, say: Callable[[str, bool], None], changed: Callable[[], None], parent: QObject
    ) -> None:
        self._say = say
        self._changed = changed
        self._parent = parent
        self._worker: Worker | None = None

    @property
    def is_running(self) -> bool:
        """Whether work is in progress."""
        return self._worker is not None and self._worker.is_running

    def start(
        self,
        work: Callable[[threading.Event], Generator[Yielded, None, Returned]],
        posted: Callable[[Yielded], None],
        done: Callable[[Returned], None],
        title: str = "Steps",
        total: int = 0,
        piece: str = "step",
    ) -> None:
        """Start unless work is in progress; results arrive in the thread of the window.

        All that `work` yields is given to `posted`, and what it returns to `done`. In napari's
        activity area it has a title and, where it yields how many pieces are done, their total.
        """
        if self.is_running:
            return
        results: list[Returned] = []

        def run(worker: Worker) -> None:
            made = work(worker.stop)
            while True:
                try:
                    worker.post(next(made))
                except StopIteration as end:
                    results.append(end.value)
                    return

        def heard(news: News) -> None:
            if total:
                activity.show(cast("int", news))
            posted(news)

        def ended(error: BaseException | None) -> None:
            if results and not worker.stop.is_set():
                done(results[0])
            else:
                self._say(*_what_ended_it(error))
            self._changed()

        activity = Activity(title, total, piece, self.stop)
        worker = self._worker = Worker(run, self._parent, title, activity)
        worker.posted.connect(heard)
        worker.ended.connect(ended)
        worker.start()
        self._changed()

    def stop(self) -> None:
        """Ask the work to end."""
        if self._worker is not None:
            self._worker.cancel()

    def drop(self) -> None:
        """Ask the work to end and report nothing more: its dock is closed."""
        if self._worker is not None:
            self._worker.drop()

    def wait(self, seconds: float) -> None:
        """Wait until the thread has ended."""
        if self._worker is not None:
            self._worker.join(seconds)


def _what_ended_it(error: BaseException | None) -> tuple[str, bool]:
    """Return a sentence of what ended the work early, and whether it is bad."""
    if error is None or isinstance(error, Stopped):
        return "Stopped.", False
    if isinstance(error, MemoryError):
        return "Not enough memory.", True
    # A function of the user's own may raise anything.
    return str(error) or type(error).__name__, True
