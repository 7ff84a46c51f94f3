"""The work of a command: in a thread that napari knows, its progress in the activity area."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from napari_diffusion.widgets.docks.dock import notify
from napari_diffusion.widgets.run.activity import Activity
from napari_diffusion.widgets.run.run_request import Message, Progress, RunError
from napari_diffusion.widgets.run.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_diffusion.widgets.run.worker import News, Work

_log = logging.getLogger(__name__)

# By their titles; each has the object that its timer lives in.
_UNDER_WAY: dict[str, tuple[Worker, QObject]] = {}


def start(
    title: str, work: Work, heard: Callable[[News], None], ended: Callable[[], None], total: int = 0
) -> None:
    """Start the work of a command; `RunError` says that the same is under way already.

    Parameters
    ----------
    title : str
        What napari calls it, such as "Denoise 'cells'".
    work : callable
        What the thread does.
    heard : callable
        Gets what the work posts, in the thread of the window.
    ended : callable
        Called at the end, unless the work failed or was cancelled; then a notification says why.
    total : int
        How many steps there are, 0 where that is not known.
    """
    if title in _UNDER_WAY:
        raise RunError("run", f"{title}: this is under way already.")

    def posted(news: News) -> None:
        match news:
            case Message(words):
                activity.say(words)
            case Progress(done):
                activity.show(done)
            case _:
                heard(news)

    def over(error: BaseException | None) -> None:
        del _UNDER_WAY[title]
        if error is not None:
            _say_failure(title, error)
        elif worker.stop.is_set():
            notify("info", f"{title}: cancelled.")
        else:
            ended()

    activity = Activity(title, total, "step", lambda: worker.cancel())
    parent = QObject()
    worker = Worker(work, parent, title, activity)
    worker.posted.connect(posted)
    worker.ended.connect(over)
    _UNDER_WAY[title] = worker, parent
    worker.start()


def under_way() -> list[Worker]:
    """Return the work of all commands that has not ended."""
    return [worker for worker, _ in _UNDER_WAY.values()]


def _say_failure(title: str, error: BaseException) -> None:
    if isinstance(error, RunError):
        notify("error", f"{title}: {error}")
        return
    _log.error("%s failed", title, exc_info=error)
    notify("error", f"{title} failed: {type(error).__name__}: {error}")
