"""The buttons of a run, its progress and the time left, and the message of a dock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from magicgui.widgets import ProgressBar, PushButton
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_diffusion.widgets.forms.box import Box, may_be_narrow
from napari_diffusion.widgets.forms.message import Message
from napari_diffusion.widgets.forms.theme import give_role

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_diffusion.widgets.forms.message import Action
    from napari_diffusion.widgets.forms.theme import Role

# A bar paints the whole window at once, so it is moved between the steps and not with them.
_REFRESH_MS = 200

# Work without a count shows its duration after this many seconds.
_SOON, _SECOND_MS = 2.0, 1000


class Clock:
    """Time that has passed, pauses left out."""

    def __init__(self) -> None:
        self._before = 0.0
        self._since: float | None = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the start, without the pauses."""
        running = 0.0 if self._since is None else time.monotonic() - self._since
        return self._before + running

    def pause(self, on: bool) -> None:
        """Stop the clock, or let it go on."""
        self._before = self.seconds
        self._since = None if on else time.monotonic()


class RunControls(Box):
    """The main button, Pause and Cancel; how far the run is; one message.

    Parameters
    ----------
    run : str
        What the main button says; without one, Cancel stands beside the bar while there is work.
    about : str
        What it does, in a sentence.
    many : bool
        Whether a run has many steps: without, there is nothing to pause.
    """

    run_clicked = Signal()
    pause_clicked = Signal(bool)
    cancel_clicked = Signal()
    #: A run has begun, or it has ended and the message says how.
    running = Signal(bool)

    def __init__(self, run: str = "", about: str = "", many: bool = False) -> None:
        self._many = many
        self.run = PushButton(text=run, tooltip=about)
        self.pause = PushButton(text="Pause", tooltip="Pause between two steps, or resume.")
        self.cancel = PushButton(
            text="Cancel", tooltip="Stop now and keep the steps made so far." if many else "Stop."
        )
        self.bar = ProgressBar(visible=False)
        self.message = Message()
        self._possible = True
        self._paused = False
        self._clock = Clock()
        self._total, self._done, self._words = 1, 0, ""
        self._conclusion: Callable[[], None] | None = None
        self._only_working = not run
        shown = (self.run, self.pause, self.cancel) if many else (self.run, self.cancel)
        if self._only_working:
            self._row = Box(self.bar, self.cancel, layout="horizontal", visible=False)
            super().__init__(self._row, self.message)
        else:
            self._row = Box(*shown, layout="horizontal")
            super().__init__(self._row, self.bar, self.message)
            for button in shown:
                may_be_narrow(button.native)
        give_role(self.run.native, "primary")
        self._ticker = QTimer(self.native)
        self._ticker.setSingleShot(True)
        self._ticker.timeout.connect(self._tick)
        self.run.changed.connect(lambda: self.run_clicked.emit())
        self.pause.changed.connect(self._toggle_pause)
        self.cancel.changed.connect(lambda: self.cancel_clicked.emit())
        self.show_idle("")

    @property
    def is_running(self) -> bool:
        """Whether a run is shown as under way."""
        return bool(self.cancel.enabled)

    def set_possible(self, on: bool) -> None:
        """Say whether there is anything to run: an image, and a form without errors."""
        self._possible = on
        self.run.enabled = on and not self.is_running

    def start(self, total: int, unit: str = "steps") -> None:
        """Show that a run has begun, with its number of steps; 0 if unknown."""
        self._conclusion = None
        self._set_running(True)
        # What is one piece has no place to hold at.
        self.pause.enabled = total > 0
        self._total, self._done = total, 0
        self.message.say("")
        self.bar.max = total
        self.bar.value = 0
        self.bar.native.setFormat(f"%v of %m {unit}" if total and self._many else "")
        self.bar.visible = True
        self.begin_clock()
        if not total:
            self._ticker.start(_SECOND_MS)
        self.running.emit(True)

    def count_to(self, total: int, unit: str) -> None:
        """Show how many pieces of the work are done from now on."""
        self._total, self._done = total, 0
        self.pause.enabled = True
        self.bar.max, self.bar.value = total, 0
        self.bar.native.setFormat(f"%v of %m {unit}")
        self.begin_clock()

    def begin_clock(self) -> None:
        """Count the time from now on: what went before was preparation."""
        self._clock = Clock()

    def say(self, words: str, bad: bool = False) -> None:
        """Show what the run is at, or what is wrong."""
        self._words = "" if bad else words
        self.message.say(words, "error" if bad else "help")

    def show_progress(self, done: int) -> None:
        """Show how many steps are done, and estimate the time that the others take."""
        self._done = done
        if not self._ticker.isActive():
            self._ticker.start(_REFRESH_MS)

    def _tick(self) -> None:
        done, total = min(self._done, self._total), self._total
        if not total:
            if self._words and self.seconds >= _SOON:
                self.message.say(f"{self._words} {written_seconds(self.seconds)}")
            self._ticker.start(_SECOND_MS)
            return
        self.bar.value = done
        if 0 < done < total and not self._paused:
            left = self._clock.seconds / done * (total - done)
            self.say(f"Running, {written_seconds(left)} left")

    def conclude(
        self, sentence: str, role: Role = "help", *actions: Action, details: str = ""
    ) -> None:
        """Show this once the run has ended, in place of how it ended; see `Message.say`."""
        self._conclusion = lambda: self.message.say(sentence, role, *actions, details=details)

    @property
    def seconds(self) -> float:
        """Seconds that the run has taken so far, pauses left out."""
        return self._clock.seconds

    def show_idle(self, words: str, bad: bool = False, *actions: Action, details: str = "") -> None:
        """Show that nothing runs, how the last run ended, and what can be done now."""
        self._set_running(False)
        self._ticker.stop()
        self.bar.visible = False
        self.say(words, bad)
        if actions or details:
            self.message.say(words, "warning" if details else "good", *actions, details=details)
        conclusion, self._conclusion = self._conclusion, None
        if conclusion is not None and not bad:
            conclusion()
        self.running.emit(False)

    def _set_running(self, on: bool) -> None:
        self.cancel.enabled = on
        self.pause.enabled = on
        self.run.enabled = self._possible and not on
        if self._only_working:
            self._row.visible = on
        self._show_paused(False)

    def _toggle_pause(self) -> None:
        if self.is_running:
            self._show_paused(not self._paused)
            self._clock.pause(self._paused)
            self.say("Paused" if self._paused else "Running")
            self.pause_clicked.emit(self._paused)

    def _show_paused(self, on: bool) -> None:
        self._paused = on
        self.pause.text = "Resume" if on else "Pause"


def written_seconds(seconds: float) -> str:
    """Return a length of time as people read it."""
    if seconds < 60:
        return f"{max(seconds, 1):.0f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:.0f} min"
