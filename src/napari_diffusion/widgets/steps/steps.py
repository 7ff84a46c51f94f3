"""The dock *Steps*: what every step did, and what to do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QTabWidget, QVBoxLayout
from qtpy.QtWidgets import QWidget as _QWidget

from napari_diffusion.widgets.forms.form_rows import GREY, MessageLabel
from napari_diffusion.widgets.results.run_finder import RunFinder
from napari_diffusion.widgets.steps.step_compare import StepCompare
from napari_diffusion.widgets.steps.step_curves import StepCurves
from napari_diffusion.widgets.steps.step_export import StepExport
from napari_diffusion.widgets.steps.step_histogram import StepHistogram
from napari_diffusion.widgets.steps.step_keeping import StepKeeper
from napari_diffusion.widgets.steps.step_profile import StepProfile
from napari_diffusion.widgets.steps.step_slider import StepSlider
from napari_diffusion.widgets.steps.steps_tab import NO_RUN, StepPart, enable_unless

if TYPE_CHECKING:
    import napari
    from qtpy.QtGui import QHideEvent

    from napari_diffusion.widgets.results.step_run import StepRun

NOTHING = "Select a layer made by a run."

_KEEP = 'Remove all other steps of this run; undo with "Bring back" until the next run.'
_BACK = "Insert the removed steps again."


class Steps(_QWidget):
    """Curves of all steps of a run, one of them to be shown, compared, kept or written about.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__()
        # napari hands plugins a proxy at times, whose layers are new objects at every look.
        self.viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self.run: StepRun | None = None
        self.finder = RunFinder(self.viewer)
        self.keeping = StepKeeper(self.viewer)
        self.title = MessageLabel(GREY)
        self.message = MessageLabel(GREY)
        self.step_slider = StepSlider(self.viewer, self.finder)
        self.keep = QPushButton("Keep this one")
        self.back = QPushButton("Bring back")
        self.curves = StepCurves(self.viewer)
        self.compare = StepCompare(self.viewer)
        self.profile = StepProfile(self.viewer)
        self.histogram = StepHistogram(self.viewer)
        self.export = StepExport(self.viewer)
        self.parts: dict[str, StepPart] = {
            "Curves": self.curves,
            "Compare": self.compare,
            "Profile": self.profile,
            "Histogram": self.histogram,
            "Export": self.export,
        }
        self.tabs = QTabWidget()
        self._lay_out()
        self._connect()
        self.refresh()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        row = QHBoxLayout()
        row.addWidget(self.keep)
        row.addWidget(self.back)
        layout.addWidget(self.title)
        layout.addWidget(self.step_slider)
        layout.addLayout(row)
        self.tabs.setDocumentMode(True)
        for name, part in self.parts.items():
            area = QScrollArea()
            area.setWidgetResizable(True)
            area.setFrameShape(QFrame.Shape.NoFrame)
            area.setWidget(part)
            self.tabs.addTab(area, name)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(self.message)
        self.setMinimumWidth(330)

    def _connect(self) -> None:
        layers = self.viewer.layers
        layers.events.inserted.connect(self._layers_changed)
        layers.events.removed.connect(self._layers_changed)
        layers.selection.events.active.connect(self.refresh)
        self.viewer.dims.events.point.connect(self.refresh)
        self.step_slider.moved.connect(self._show_run)
        self.curves.chosen.connect(self.show_step)
        self.keep.clicked.connect(self.keep_this)
        self.back.clicked.connect(self.bring_back)
        self.tabs.currentChanged.connect(self._turned)
        for part in self.parts.values():
            part.reported.connect(self.say)

    # --- what is shown ---

    def refresh(self) -> None:
        """Follow the active layer."""
        self._show_run(self.finder.find())

    def _layers_changed(self) -> None:
        self.finder.forget()
        self.refresh()

    def _show_run(self, run: StepRun | None) -> None:
        before, self.run = self.run, run
        if run is before and run is not None:
            return
        self.step_slider.follow(run)
        if run is None:
            self.title.say(NOTHING)
        else:
            count = len(run.steps)
            self.title.say(f"{count} step{'s' * (count != 1)} of {run.record['source']!r}")
        if before is None or run is None or before.steps is not run.steps:
            self.say("", GREY)
        alone = run is not None and len(run.layers()) < 2
        why = "" if run is not None else NO_RUN
        if alone:
            why = "All steps are in one stack: extract the steps to keep."
        enable_unless(self.keep, why, _KEEP)
        enable_unless(self.back, "" if self.keeping.can_undo() else "Nothing was removed.", _BACK)
        self.part.follow(run)

    @property
    def part(self) -> StepPart:
        """The part in the tab that is seen."""
        return list(self.parts.values())[self.tabs.currentIndex()]

    def turn_to(self, name: str) -> None:
        """Open the tab of that name."""
        self.tabs.setCurrentIndex(list(self.parts).index(name))

    def _turned(self) -> None:
        for part in self.parts.values():
            if part is not self.part:
                part.leave()
        self.part.follow(self.run)

    def show_step(self, place: int) -> None:
        """Show one step alone: its layer, or its place in the stack."""
        self.step_slider.show_step(place)

    def say(self, sentence: str, colour: str = GREY) -> None:
        """Say something; without a sentence why the recommended step is."""
        found = self.run.recommended() if self.run is not None else None
        if not sentence and found is not None:
            sentence, colour = found[1], GREY
        self.message.say(sentence, colour or GREY)

    # --- what the buttons do ---

    def keep_this(self) -> None:
        """Remove the other layers of the run; `bring_back` inserts them again."""
        if self.run is not None and self.keeping.keep(self.run):
            self._layers_changed()

    def bring_back(self) -> None:
        """Insert the layers that `keep_this` removed, where they were."""
        self.keeping.bring_back()
        self._layers_changed()

    # --- the end ---

    def wait(self, seconds: float) -> None:
        """Wait until the threads have ended, so that the dock may be closed."""
        for part in self.parts.values():
            part.wait(seconds)

    def event(self, event: QEvent | None) -> bool:
        """Stop all work when the dock is closed, which takes it out of the window."""
        kind = None if event is None else event.type()
        left = kind == QEvent.Type.ParentChange and self.parent() is None
        if left or kind == QEvent.Type.Close:
            for part in self.parts.values():
                part.drop()
        return bool(super().event(event))

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802
        """Remove what is only shown while the tab is open."""
        for part in self.parts.values():
            part.leave()
        super().hideEvent(event)
