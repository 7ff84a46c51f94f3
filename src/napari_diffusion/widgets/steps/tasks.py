"""The work that the tabs of *Steps* start: one piece at a time, shown beneath them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from psygnal import Signal

from napari_diffusion.widgets.run.background import Background

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Generator

    from napari_diffusion.widgets.run.run_controls import RunControls

Returned = TypeVar("Returned")

#: Why a button is disabled meanwhile.
BUSY = "Something is being computed: wait for it or cancel it."


class Tasks:
    """Runs generators one at a time, and never beside a run of the dock.

    Parameters
    ----------
    controls : RunControls
        Where progress and results are shown, those of the dock's runs too; Cancel stops the work.
    """

    #: Work has begun, or has ended.
    switched = Signal()

    def __init__(self, controls: RunControls) -> None:
        self._controls = controls
        self._background = Background(self._ended, lambda: None, controls.native)
        controls.cancel_clicked.connect(self.stop)
        controls.running.connect(lambda on: self.switched.emit())

    @property
    def is_busy(self) -> bool:
        """Whether anything is being computed, read or written."""
        return self._controls.is_running

    @property
    def why_not(self) -> str:
        """Why nothing can be started now; empty where it can."""
        return BUSY if self.is_busy else ""

    def start(
        self,
        work: Callable[[threading.Event], Generator[int, None, Returned]],
        doing: str,
        count: int,
        unit: str,
        done: Callable[[Returned], str],
    ) -> None:
        """Start work that yields how much is done.

        Parameters
        ----------
        work : callable
            Takes the token that says when to stop.
        doing : str
            What is shown meanwhile.
        count : int
            How many pieces there are; 0 if unknown.
        unit : str
            What they are called.
        done : callable
            Takes what the work returned; returns what is said then.
        """
        if self.is_busy:
            return
        self._controls.start(count, unit)
        self._controls.say(doing)
        self._background.start(
            work,
            self._controls.show_progress,
            lambda result: self._ended(done(result), False),
            doing.rstrip(" …"),
            count,
            unit.removesuffix("s"),
        )

    def stop(self) -> None:
        """Ask the work to end."""
        self._background.stop()

    def drop(self) -> None:
        """Ask the work to end and report nothing more."""
        self._background.drop()

    def wait(self, seconds: float) -> None:
        """Wait until the thread has ended."""
        self._background.wait(seconds)

    def _ended(self, sentence: str, bad: bool) -> None:
        self._controls.show_idle(sentence, bad)
