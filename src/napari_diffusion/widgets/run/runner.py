"""One run at a time: from its thread to the layers and to the controls."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any, Protocol

from psygnal import Signal

from napari_diffusion.loop.recipe import Recipe
from napari_diffusion.widgets.run.activity import Activity
from napari_diffusion.widgets.run.found_message import caution
from napari_diffusion.widgets.run.run_controls import written_seconds
from napari_diffusion.widgets.run.run_request import (
    Begun,
    EvidenceReady,
    Measured,
    Message,
    Progress,
    Resolved,
    RunError,
    SeedDone,
    StepReady,
)
from napari_diffusion.widgets.run.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from qtpy.QtCore import QObject

    from napari_diffusion.widgets.forms.message import Action
    from napari_diffusion.widgets.layers.step_layers import LayerSink
    from napari_diffusion.widgets.run.run_controls import RunControls
    from napari_diffusion.widgets.run.worker import News, Work


class GrowingSink(Protocol):
    """Shows one result, anew each time that it has grown."""

    def grow(self, what: News) -> None:
        """Show what there is now, in place of what was shown before."""

    def finish(self) -> None:
        """Show what is still to be shown."""


_log = logging.getLogger(__name__)


class Runner:
    """Runs a job, shows its steps in a layer sink and its progress in the controls.

    Parameters
    ----------
    controls : RunControls
        Where the progress is shown; its Pause and Cancel act on the run.
    parent : QObject
        When it is destroyed, the run stops.
    makes : str
        What the layers made are called.
    around : callable
        Returns a context to add layers in.
    """

    #: The recipe with every "auto" resolved.
    resolved = Signal(Recipe)
    #: What was measured of the noise.
    measured = Signal(object)
    #: What was measured of the image to choose parameters from.
    found = Signal(object)
    #: Why a run ended before its time.
    failed = Signal(RunError)

    def __init__(
        self,
        controls: RunControls,
        parent: QObject,
        makes: str = "step",
        around: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        self._controls = controls
        self._parent = parent
        self._makes = makes
        self._around = around
        self._worker: Worker | None = None
        self._activity: Activity | None = None
        self._layer_sink: Any = None
        self._summary: Callable[[], str] = self._kept
        self._made: list[bool] = []
        self._has_grown = False
        self._actions: tuple[Action, ...] = ()
        self._remark = ""
        self._warnings: tuple[str, ...] = ()
        self._cancelled = False
        controls.pause_clicked.connect(self.pause)
        controls.cancel_clicked.connect(self.cancel)

    @property
    def is_running(self) -> bool:
        """Whether a run or an estimate is under way."""
        return self._worker is not None and self._worker.is_running

    @property
    def worker(self) -> Worker | None:
        """The thread of the last run, None before the first one."""
        return self._worker

    def start(
        self,
        work: Work,
        layer_sink: LayerSink | GrowingSink | None = None,
        total: int = 0,
        unit: str = "steps",
        made: Callable[[], str] | None = None,
        title: str = "napari-diffusion",
        actions: tuple[Action, ...] = (),
        remark: str = "",
    ) -> None:
        """Start the work of a run or, without a layer sink, of an estimate.

        Parameters
        ----------
        work : callable
            What the thread does.
        layer_sink : LayerSink, optional
            Where what is made is shown.
        total : int
            How many pieces the work has, 0 where they cannot be counted.
        unit : str
            What a piece is called.
        made : callable, optional
            Returns what there is at the end, in words; without, the steps are counted.
        title : str
            What napari calls it in its activity area and when the window is closed, such as the
            name of the image.
        actions : tuple of Action
            What is offered once layers have been made.
        remark : str
            Said of them at the end, after what was made.
        """
        self._actions, self._remark, self._warnings = actions, remark, ()
        self._made, self._has_grown, self._cancelled = [], False, False
        self._layer_sink = layer_sink
        self._summary = made or self._kept
        self._controls.start(total, unit)
        self._activity = Activity(title, total, unit.removesuffix("s"), self.cancel)
        self._worker = Worker(work, self._parent, title, self._activity)
        self._worker.posted.connect(self._posted)
        self._worker.ended.connect(self._ended)
        self._worker.start()

    def pause(self, on: bool) -> None:
        """Hold between two steps, or go on."""
        if self._worker is not None:
            self._worker.pause(on)

    def cancel(self) -> None:
        """Stop and keep the steps that were made."""
        if self._worker is not None and self.is_running:
            self._cancelled = True
            self._say("Cancelling …")
            self._worker.cancel()

    def drop(self) -> None:
        """Stop and touch neither layers nor controls any more."""
        if self._worker is not None and self.is_running:
            self._worker.drop()
            self._layer_sink = None
            self._controls.show_idle("Stopped.")

    def _posted(self, news: News) -> None:
        match news:
            case Message(words):
                self._say(words)
            case EvidenceReady():
                self.found.emit(news)
            case Measured(model):
                self.measured.emit(model)
            case Resolved(recipe):
                self.resolved.emit(recipe)
                self._controls.begin_clock()
            case StepReady(step, record, done):
                self._made.append(step.is_final)
                self._warnings = tuple(record.get("noise_warnings", ()))
                if self._layer_sink is not None:
                    with self._around():
                        self._layer_sink.show(step, record)
                self._show_progress(done)
            case SeedDone(what, done):
                if self._layer_sink is not None:
                    with self._around():
                        self._layer_sink.grow(what)
                    self._has_grown = True
                self._show_progress(done)
            case Progress(done):
                self._show_progress(done)
            case Begun(total, unit):
                self._controls.count_to(total, unit)
                if self._activity is not None:
                    self._activity.count_to(total, unit.removesuffix("s"))

    def _say(self, words: str) -> None:
        self._controls.say(words)
        if self._activity is not None:
            self._activity.say(words)

    def _show_progress(self, done: int) -> None:
        self._controls.show_progress(done)
        if self._activity is not None:
            self._activity.show(done)

    def _ended(self, error: BaseException | None) -> None:
        layer_sink, self._layer_sink = self._layer_sink, None
        if layer_sink is not None:
            layer_sink.finish()
        if error is not None:
            self._failed(error)
        elif self._cancelled:
            self._controls.show_idle(f"Cancelled: {self._summary()} kept.", False, *self._offered())
        elif layer_sink is None:
            self._controls.show_idle("Estimation done; values filled in.")
        else:
            seconds = written_seconds(self._controls.seconds)
            done = f"Done in {seconds}: {self._summary()}{self._remark}. {caution(self._warnings)}"
            details = "\n\n".join(self._warnings)
            self._controls.show_idle(done.strip(), False, *self._offered(), details=details)

    def _offered(self) -> tuple[Action, ...]:
        return self._actions if self._made or self._has_grown else ()

    def _kept(self) -> str:
        count = self._made.count(False)
        words = f"{count} {self._makes}{'s' * (count != 1)}"
        return f"{words} and the final result" if any(self._made) else words

    def _failed(self, error: BaseException) -> None:
        if not isinstance(error, RunError):
            _log.error("A run failed", exc_info=error)
            error = RunError("run", f"The run failed: {type(error).__name__}: {error}")
        self._controls.show_idle("")
        self.failed.emit(error)
