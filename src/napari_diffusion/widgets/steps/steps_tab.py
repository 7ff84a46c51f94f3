"""One tab of the dock *Steps*."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magicgui.widgets import PushButton
from psygnal import Signal

from napari_diffusion.widgets.forms.box import Box, may_be_narrow
from napari_diffusion.widgets.forms.save_dialog import asked_for

if TYPE_CHECKING:
    from pathlib import Path

    import napari
    from magicgui.widgets.bases import Widget

    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.widgets.forms.theme import Role
    from napari_diffusion.widgets.plots.plot import Plot
    from napari_diffusion.widgets.results.step_run import StepRun
    from napari_diffusion.widgets.steps.tasks import Tasks

NO_RUN = "No run yet."
SOURCE_GONE = "The source layer was removed or renamed."

#: Readable on napari's dark and light themes.
SOURCE_GREY = "#8a8f98"


class StepsTab(Box):
    """A view of the run that the dock follows.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that the dock belongs to.
    tasks : Tasks
        What is computed for the dock.
    """

    #: A sentence for the user, and its role.
    reported = Signal(str, str)

    def __init__(self, viewer: napari.Viewer, tasks: Tasks) -> None:
        super().__init__()
        self.viewer = viewer
        self.tasks = tasks
        self.run: StepRun | None = None
        self.margins = (2, 6, 2, 2)

    def follow(self, run: StepRun | None) -> None:
        """Show a run, or another step of the same one."""
        before, self.run = self.run, run
        if before is not None and run is not None and before.steps is run.steps:
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
        """Wait until threads of its own have ended."""

    def drop(self) -> None:
        """Ask the work to end: the dock goes."""
        self.leave()

    def say(self, sentence: str, role: Role = "help") -> None:
        """Say something to the user."""
        self.reported.emit(sentence, role)

    @property
    def why_no_run(self) -> str:
        """Why nothing can be done with the run: there is none, or something is being computed."""
        return NO_RUN if self.run is None else self.tasks.why_not

    @property
    def why_no_source(self) -> str:
        """Why the run cannot be run again."""
        if self.run is not None and self.run.source is None:
            return SOURCE_GONE
        return self.why_no_run


class PlotTab(StepsTab):
    """A tab with a plot whose contents can be written to a file.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that the dock belongs to.
    tasks : Tasks
        What is computed for the dock.
    plot : Plot
        What is drawn.
    what : str
        What it is, as a file would be called.
    """

    def __init__(self, viewer: napari.Viewer, tasks: Tasks, plot: Plot, what: str) -> None:
        super().__init__(viewer, tasks)
        self.plot = plot
        self._what = what
        self.export = button("Export…")
        self.export.changed.connect(self._export)

    def refresh(self) -> None:
        """Disable the button where there is nothing to write."""
        none = "" if self.run is not None else NO_RUN
        enable_unless(
            self.export, none, f"Write the {self._what} as a table (CSV), image (PNG) or SVG."
        )

    def _export(self) -> None:
        endings = {"csv": "Table", "png": "Image", "svg": "Drawing"}
        path = asked_for(self.native, f"Export the {self._what}", self._what, endings)
        if path is not None:
            self.write(path)

    def write(self, path: Path) -> None:
        """Write what is drawn, as the file's name ends."""
        try:
            self.plot.write(path)
        except (OSError, ValueError) as error:
            self.say(str(error), "error")
        else:
            self.say(f"Written to {path.name}.")


def button(text: str, tooltip: str = "", checkable: bool = False) -> PushButton:
    """Return a button that shares the width of its row."""
    made = PushButton(text=text, tooltip=tooltip)
    made.native.setCheckable(checkable)
    may_be_narrow(made.native)
    return made


def buttons(*row: Widget) -> Box:
    """Return a row of buttons of the same width."""
    box = Box(*row, layout="horizontal")
    for place in range(len(row)):
        box.native.layout().setStretch(place, 1)
    return box


def enable_unless(widget: Widget, why: str, tip: str) -> None:
    """Enable a widget, or disable it with the reason in its tooltip."""
    widget.enabled = not why
    widget.tooltip = f"{why} {tip}" if why else tip


def short_name(record: StepRecord) -> str:
    """Return what a step is called in a legend."""
    return "final" if record["is_final"] else f"step {record['step']:02}"
