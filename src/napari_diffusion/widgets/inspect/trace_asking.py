"""Asks the traces whether they apply, in a thread, soon after the last change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer

from napari_diffusion.widgets.inspect.inspect_work import applying_work
from napari_diffusion.widgets.run.background import Background

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qtpy.QtCore import QObject

    from napari_diffusion.forensics import Trace
    from napari_diffusion.widgets.inspect.inspect_work import Applies
    from napari_diffusion.widgets.inspect.inspected import Inspected

# In milliseconds.
_SOON = 200


class TraceAsking:
    """Asks once a form has come to rest.

    Parameters
    ----------
    inspected : callable
        Returns what the form asks for; after a ValueError, which the form shows, nothing is asked.
    traces : callable
        Returns the traces with their parameters.
    applies : callable
        Takes each `Applies`.
    asked : callable
        Called once all have answered.
    say : callable
        ``say(sentence, bad)`` shows an error.
    parent : QObject
        When it is destroyed, the work stops.

    Attributes
    ----------
    wrong : str
        What is wrong with what is inspected, as the thread has found; empty where nothing is.
    """

    def __init__(
        self,
        inspected: Callable[[], Inspected],
        traces: Callable[[], Sequence[Trace]],
        applies: Callable[[Applies], None],
        asked: Callable[[], None],
        say: Callable[[str, bool], None],
        parent: QObject,
    ) -> None:
        self.wrong = ""
        self._inspected, self._traces = inspected, traces
        self._applies, self._asked = applies, asked
        self._work = Background(say, lambda: None, parent)
        self._timer = QTimer(parent)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SOON)
        self._timer.timeout.connect(self._ask)

    @property
    def is_busy(self) -> bool:
        """Whether there are answers to wait for."""
        return bool(self._timer.isActive()) or self._work.is_running

    def ask_soon(self) -> None:
        """Ask unless something else changes meanwhile."""
        self._timer.start()

    def drop(self) -> None:
        """Ask no more."""
        self._timer.stop()
        self._work.drop()

    def _ask(self) -> None:
        try:
            inspected = self._inspected()
        except ValueError:
            return
        self._work.drop()
        self.wrong = ""
        work = applying_work(inspected, self._traces())
        self._work.start(work, self._applies, self._done, f"Look at {inspected.name!r}")

    def _done(self, wrong: str) -> None:
        self.wrong = wrong
        self._asked()
