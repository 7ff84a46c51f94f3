"""A function in a thread of napari's own, which its task manager knows."""

from __future__ import annotations

import atexit
import contextlib
import threading
import weakref
from typing import TYPE_CHECKING

from napari.qt.threading import FunctionWorker, create_worker
from qtpy.QtCore import QThreadPool

if TYPE_CHECKING:
    from collections.abc import Callable

# What compiling a kernel needs; some systems give the pool's threads half a megabyte.
_STACK_BYTES = 16 << 20

# A kernel that is being compiled cannot be interrupted.
_SECONDS_AT_EXIT = 10.0

_UNDER_WAY: weakref.WeakSet[PooledWork] = weakref.WeakSet()


class Gates:
    """Where the work of a thread stops or waits."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.going = threading.Event()
        self.turn = threading.Event()
        self.over = threading.Event()
        self.going.set()

    def end(self) -> None:
        """Ask the work to stop, and wake it wherever it waits."""
        self.stop.set()
        self.going.set()
        self.turn.set()


class Task:
    """What is to be done, and its name in napari's task manager.

    Parameters
    ----------
    title : str
        The name, such as "Diffusion loop on 'face'".
    function : callable
        What is to be done.
    """

    def __init__(self, title: str, function: Callable[[], None]) -> None:
        self._title = title
        self._function: Callable[[], None] | None = function

    def __str__(self) -> str:
        """Return the name: the manager shows it in its question."""
        return self._title

    def __call__(self) -> None:
        """Do it, once: the manager keeps the task, which must not keep images."""
        function, self._function = self._function, None
        if function is not None:
            function()


class PooledWork(FunctionWorker[None]):
    """One task in a thread of Qt's pool.

    Parameters
    ----------
    task : Task
        What is to be done.
    gates : Gates
        Opened when napari, or the process, asks for an end.
    """

    def __init__(self, task: Task, gates: Gates) -> None:
        super().__init__(task)
        self._gates = gates

    def start(self) -> None:
        """Start the thread."""
        pool = _pool()
        pool.setStackSize(max(pool.stackSize(), _STACK_BYTES))
        _UNDER_WAY.add(self)
        super().start()

    def quit(self) -> None:
        """Ask for an end; the task manager calls this when the window closes."""
        super().quit()
        self._gates.end()

    def run(self) -> None:
        """Do the task.

        Unlike the original it leaves the filters of warnings alone: they belong to the whole
        process, and of two threads the later one would restore those of the earlier.
        """
        self._running = True
        pool = _pool()
        # A run that is paused, or awaits its turn, takes no thread from others.
        pool.releaseThread()
        try:
            self._tell("started")
            self.work()
        finally:
            pool.reserveThread()
            self._running = False
            self._gates.over.set()
            self._tell("finished")
            self._tell("_finished", self)

    def _tell(self, signal: str, *what: object) -> None:
        # At the end of the process Qt may have deleted the signals: to look for one raises then.
        with contextlib.suppress(RuntimeError):
            getattr(self.signals, signal).emit(*what)

    def join(self, seconds: float) -> bool:
        """Wait for the end, at most so long, and say whether it has come."""
        return self._gates.over.wait(seconds)


def _pool() -> QThreadPool:
    pool = QThreadPool.globalInstance()
    assert pool is not None
    return pool


def pooled(task: Task, gates: Gates, quiet: bool) -> PooledWork:
    """Return work that is not started yet.

    Parameters
    ----------
    task : Task
        What is to be done.
    gates : Gates
        How to end it.
    quiet : bool
        Whether napari's task manager does not know it: the window may close without asking.
    """
    if quiet:
        return PooledWork(task, gates)
    made = create_worker(task, gates, _worker_class=PooledWork, _start_thread=False)
    assert isinstance(made, PooledWork)
    return made


@atexit.register
def end_all() -> None:
    """End what is under way before the interpreter goes."""
    left = [each for each in _UNDER_WAY if not each._gates.over.is_set()]
    for each in left:
        each.quit()
    for each in left:
        each.join(_SECONDS_AT_EXIT)
