"""One tab of the dock *Steps*."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_diffusion.widgets.forms.form_rows import GREY, RED
from napari_diffusion.widgets.forms.save_dialog import asked_for
from napari_diffusion.widgets.run.background import Background, Returned

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Generator
    from pathlib import Path

    import napari
    from qtpy.QtWidgets import QAbstractButton

    from napari_diffusion.widgets.plots.plot import Plot
    from napari_diffusion.widgets.results.step_run import StepRun

NO_RUN = "No run yet."


class StepPart(QWidget):
    """A view of the run that the dock follows.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that the dock belongs to.
    """

    #: A sentence for the user, and its colour.
    reported = Signal(str, str)

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__()
        self.viewer = viewer
        self.run: StepRun | None = None
        self.work = Background(self._report, self.refresh, self)
        self.rows = QVBoxLayout(self)
        self.rows.setContentsMargins(4, 4, 4, 4)
        self.rows.setSpacing(4)

    def follow(self, run: StepRun | None) -> None:
        """Show a run, or another step of the same one."""
        before, self.run = self.run, run
        same = before is not None and run is not None and before.steps is run.steps
        if same:
            self.step_changed()
        else:
            self.run_changed()
        self.refresh()

    def run_changed(self) -> None:
        """Show another run, one that has other steps now, or none."""

    def step_changed(self) -> None:
        """Show another step of the same run."""

    def refresh(self) -> None:
        """Disable the buttons that can do nothing, with the reason as tooltip."""

    def leave(self) -> None:
        """Remove what is only shown while the tab is open."""

    def wait(self, seconds: float) -> None:
        """Wait until the thread has ended."""
        self.work.wait(seconds)

    def drop(self) -> None:
        """Ask the work to end: the dock goes."""
        self.leave()
        self.work.drop()

    def start(
        self,
        work: Callable[[threading.Event], Generator[int, None, Returned]],
        doing: str,
        count: int,
        done: Callable[[Returned], str],
    ) -> None:
        """Start work that yields its progress; what `done` returns is shown at the end.

        Parameters
        ----------
        work : callable
            Takes the token that says when to stop.
        doing : str
            What is shown meanwhile, before the number.
        count : int
            How many there are to do; 0 if unknown.
        done : callable
            Takes what the work returned.
        """
        of = f" of {count}" if count else ""
        self.work.start(
            work,
            lambda place: self.say(f"{doing} {place}{of} …"),
            lambda result: self.say(done(result)),
        )

    def say(self, sentence: str) -> None:
        """Say something to the user."""
        self.reported.emit(sentence, GREY)

    def _report(self, sentence: str, bad: bool) -> None:
        self.reported.emit(sentence, RED if bad else GREY)


class PlotPart(StepPart):
    """A tab with a plot whose contents can be written to a file.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that the dock belongs to.
    plot : Plot
        What is drawn.
    what : str
        What it is, as a file would be called.
    """

    def __init__(self, viewer: napari.Viewer, plot: Plot, what: str) -> None:
        super().__init__(viewer)
        self.plot = plot
        self._what = what
        self.export = QPushButton("Export …")
        self.export.clicked.connect(self._export)

    def refresh(self) -> None:
        """Disable the button where there is nothing to write."""
        none = "" if self.run is not None else NO_RUN
        enable_unless(
            self.export, none, f"Write the {self._what} as a table (CSV), image (PNG) or SVG."
        )

    def _export(self) -> None:
        endings = {"csv": "Table", "png": "Image", "svg": "Drawing"}
        path = asked_for(self, f"Export the {self._what}", self._what, endings)
        if path is not None:
            self.write(path)

    def write(self, path: Path) -> None:
        """Write what is drawn, as the file's name ends."""
        try:
            self.plot.write(path)
        except (OSError, ValueError) as error:
            self._report(str(error), True)
        else:
            self.say(f"Written to {path.name}.")


def enable_unless(button: QAbstractButton, why: str, tip: str) -> None:
    """Enable a button, or disable it with the reason in its tooltip."""
    button.setEnabled(not why)
    button.setToolTip(f"{why} {tip}" if why else tip)
