"""The buttons of a run, its progress and the time left."""

from __future__ import annotations

import time

from psygnal import Signal
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QGridLayout, QProgressBar, QPushButton, QSizePolicy, QWidget

from napari_diffusion.widgets.forms.form_rows import GREY, MessageLabel

# The one button that a newcomer looks for; readable in napari's dark and light themes.
PRIMARY = """
    QPushButton:enabled { background-color: #2f66c9; color: white; font-weight: bold; }
    QPushButton:enabled:hover { background-color: #3f78e0; }
"""


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


class Controls(QWidget):
    """Estimate, Run, Pause and Cancel; how far the run is; what it is at.

    Parameters
    ----------
    run : str
        What the first button says.
    about : str
        What it does, in a sentence.
    many : bool
        Whether a run has many steps: without, there is nothing to pause or to estimate.
    """

    estimate_clicked = Signal()
    run_clicked = Signal()
    pause_clicked = Signal(bool)
    cancel_clicked = Signal()

    def __init__(
        self,
        run: str = "Run",
        about: str = "Run the loop: each step becomes a layer as it is made.",
        many: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._many = many
        self.estimate = _button("Estimate", 'Estimate every "auto" parameter, without a run.')
        self.run = _button(run, about)
        self.pause = _button("Pause", "Pause between two steps, or resume.")
        self.cancel = _button("Cancel", "Stop now and keep the steps made so far.")
        self.bar = QProgressBar()
        self.status = MessageLabel(GREY)
        self.problem = MessageLabel()
        self._clock = Clock()
        self._total = 1
        self._done = 0
        self._words = ""
        self._ticker = QTimer(self)
        self._ticker.setSingleShot(True)
        self._ticker.timeout.connect(self._tick)
        self.pause.setCheckable(True)
        self._lay_out()
        self.estimate.clicked.connect(lambda: self.estimate_clicked.emit())
        self.run.clicked.connect(lambda: self.run_clicked.emit())
        self.pause.toggled.connect(self._paused)
        self.cancel.clicked.connect(lambda: self.cancel_clicked.emit())
        self.show_idle("")

    def _lay_out(self) -> None:
        layout = QGridLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        layout.setSpacing(4)
        self.run.setStyleSheet(PRIMARY)
        self.pause.setVisible(self._many)
        self.estimate.setVisible(self._many)
        buttons = (self.run, self.pause, self.cancel, self.estimate)
        for column, button in enumerate(buttons if self._many else (self.run, self.cancel)):
            layout.addWidget(button, 0, column)
            layout.setColumnStretch(column, 1)
        layout.addWidget(self.bar, 1, 0, 1, 4)
        layout.addWidget(self.status, 2, 0, 1, 4)
        layout.addWidget(self.problem, 3, 0, 1, 4)
        self.bar.setTextVisible(True)
        self.bar.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def start(self, total: int, unit: str = "steps") -> None:
        """Show that a run has begun, with its number of steps; 0 if unknown."""
        self._set_running(True)
        # What is one piece has no place to hold at.
        self.pause.setEnabled(total > 0)
        self._total = total
        self.bar.setRange(0, total)
        self.bar.setValue(0)
        self.bar.setFormat(f"%v of %m {unit}" if total and self._many else "")
        self.bar.setVisible(True)
        self.begin_clock()
        if not total:
            self._ticker.start(_SECOND_MS)

    def begin_clock(self) -> None:
        """Count the time from now on: what went before was preparation."""
        self._clock = Clock()

    def say(self, words: str, bad: bool = False) -> None:
        """Show what the run is at."""
        self._words = "" if bad else words
        self.status.say(self._words)
        self.problem.say(words if bad else "")

    def show_progress(self, done: int) -> None:
        """Show how many steps are done, and estimate the time that the others take."""
        self._done = done
        if not self._ticker.isActive():
            self._ticker.start(_REFRESH_MS)

    def _tick(self) -> None:
        done, total = self._done, self._total
        if not total:
            if self._words and self.seconds >= _SOON:
                self.status.say(f"{self._words} {written_seconds(self.seconds)}")
            self._ticker.start(_SECOND_MS)
            return
        self.bar.setValue(done)
        if 0 < done < total and not self.pause.isChecked():
            left = self._clock.seconds / done * (total - done)
            self.say(f"Running, {written_seconds(left)} left")

    @property
    def seconds(self) -> float:
        """Seconds that the run has taken so far, pauses left out."""
        return self._clock.seconds

    def show_idle(self, words: str, bad: bool = False) -> None:
        """Show that nothing runs, and how the last run ended."""
        self._set_running(False)
        self._ticker.stop()
        self.bar.setVisible(False)
        self.say(words, bad)

    def _set_running(self, on: bool) -> None:
        self.estimate.setEnabled(not on)
        self.run.setEnabled(not on)
        self.pause.setEnabled(on)
        self.cancel.setEnabled(on)
        if not on:
            self.pause.setChecked(False)

    def _paused(self, on: bool) -> None:
        self.pause.setText("Resume" if on else "Pause")
        if not self.cancel.isEnabled():
            return
        self._clock.pause(on)
        self.say("Paused" if on else "Running")
        self.pause_clicked.emit(on)


def written_seconds(seconds: float) -> str:
    """Return a length of time as people read it."""
    if seconds < 60:
        return f"{max(seconds, 1):.0f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:.0f} min"


def _button(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    return button
