"""The dock *Steps*: what every step did, and what to do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QTabWidget

from napari_diffusion.widgets.docks.dock import Dock
from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.forms.message import Action
from napari_diffusion.widgets.results.shown_step import ShownStep
from napari_diffusion.widgets.run.run_controls import RunControls
from napari_diffusion.widgets.steps.recipe_handover import hand_over, open_loop
from napari_diffusion.widgets.steps.run_choice import RunChoice
from napari_diffusion.widgets.steps.step_compare import StepCompare
from napari_diffusion.widgets.steps.step_curves import StepCurves
from napari_diffusion.widgets.steps.step_histogram import StepHistogram
from napari_diffusion.widgets.steps.step_keeping import StepKeeper
from napari_diffusion.widgets.steps.step_profile import StepProfile
from napari_diffusion.widgets.steps.step_save import StepSave
from napari_diffusion.widgets.steps.step_slider import StepSlider
from napari_diffusion.widgets.steps.step_study import StepStudy
from napari_diffusion.widgets.steps.steps_tab import (
    NO_RUN,
    StepsTab,
    button,
    buttons,
    enable_unless,
)
from napari_diffusion.widgets.steps.tasks import Tasks

if TYPE_CHECKING:
    import napari
    from qtpy.QtWidgets import QWidget

    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.metrics import Metric
    from napari_diffusion.widgets.forms.theme import Role
    from napari_diffusion.widgets.results.step_run import StepRun

NOTHING = "Run the loop first, or open a run."

_KEEP = 'Remove all other steps of this run; undo with "Bring back" until the next run.'
_BACK = "Insert the removed steps again."


class Steps(Dock):
    """Curves of all steps of a run, one of them to be shown, compared, kept or written about.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer, RunControls(many=True))
        self.run: StepRun | None = None
        self._done, self._is_new = "", False
        self.shown_step = ShownStep.of(self.viewer)
        self.keeping = StepKeeper(self.viewer)
        self.tasks = Tasks(self.controls)
        self.which = RunChoice(self.shown_step)
        self.step_slider = StepSlider()
        self.keep = button("Keep this one")
        self.back = button("Bring back")
        self.curves = StepCurves(self.viewer, self.tasks)
        self.compare = StepCompare(self.viewer, self.tasks)
        self.profile = StepProfile(self.viewer, self.tasks)
        self.histogram = StepHistogram(self.viewer, self.tasks)
        self.saving = StepSave(self.viewer, self.tasks)
        self.study = StepStudy(self.viewer, self.tasks, self)
        self.parts: dict[str, list[StepsTab]] = {
            "Curves": [self.curves],
            "Compare": [self.compare],
            "Profile": [self.profile, self.histogram],
            "Save": [self.saving],
            "Study": [self.study],
        }
        self.tabs = QTabWidget()
        self._lay_out()
        self._connect()
        self.refresh()

    def _lay_out(self) -> None:
        self.margins = (6, 4, 6, 4)
        self.extend([self.which, buttons(self.keep, self.back), self.controls])
        self.native.layout().insertWidget(1, self.step_slider)
        self.tabs.setDocumentMode(True)
        self.tabs.setUsesScrollButtons(False)
        for name, parts in self.parts.items():
            self.tabs.addTab(_scrolled(parts), name)
        self.tabs.setTabToolTip(2, "Values along a line, and the histogram.")
        self.native.layout().insertWidget(3, self.tabs, 1)
        self.show_theme()

    def _connect(self) -> None:
        self.shown_step.changed.connect(self.refresh)
        self.native.destroyed.connect(self._stop_following)
        self.step_slider.moved.connect(self.shown_step.show)
        self.curves.chosen.connect(self.shown_step.show)
        self.keep.changed.connect(self.keep_this)
        self.back.changed.connect(self.bring_back)
        self.tabs.currentChanged.connect(self._turned)
        self.tasks.switched.connect(self._show_possible)
        self.controls.running.connect(self._remember)
        for part in self._all_parts():
            part.reported.connect(self.say)

    def reset_choices(self, *_: object) -> None:
        """Have layers listed anew."""
        for part in self._all_parts():
            part.reset_choices()

    # --- what is shown ---

    @property
    def value(self) -> int | None:
        """The place of the shown step in its run, None where there is no run."""
        run = self.shown_step.run
        return None if run is None else run.shown

    @value.setter
    def value(self, place: int) -> None:
        self.shown_step.show(place)

    def refresh(self) -> None:
        """Show what is shown in the viewer."""
        before, run = self.run, self.shown_step.run
        self.run = run
        self.which.follow(run)
        self.step_slider.follow(run, self.shown_step.is_visible)
        if before is None or run is None or before.steps[0].layer is not run.steps[0].layer:
            # What has just been done made the layers that are shown first.
            if not self._is_new or (run is None and before is not None):
                self._done = ""
            self._is_new = self._is_new and run is None
            self.say("")
        self._show_possible()
        self._follow()
        if run is not before:
            self.changed.emit(self.value)

    @property
    def is_busy(self) -> bool:
        """Whether anything is being computed."""
        return self.tasks.is_busy

    def _remember(self, is_running: bool) -> None:
        self._done = "" if is_running else self.controls.message.sentence
        self._is_new = bool(self._done)

    def _show_possible(self) -> None:
        run = self.run
        why = "" if run is not None else NO_RUN
        if run is not None and len(run.layers()) < 2:
            why = "This run has one layer only: extract the steps to keep."
        enable_unless(self.keep, why or self.tasks.why_not, _KEEP)
        enable_unless(self.back, "" if self.keeping.can_undo() else "Nothing was removed.", _BACK)
        for part in self.shown_parts:
            part.refresh()

    @property
    def shown_parts(self) -> list[StepsTab]:
        """What is in the tab that is seen."""
        return list(self.parts.values())[self.tabs.currentIndex()]

    def _all_parts(self) -> list[StepsTab]:
        return [part for parts in self.parts.values() for part in parts]

    def turn_to(self, name: str) -> None:
        """Open the tab of that name."""
        self.tabs.setCurrentIndex(list(self.parts).index(name))

    def _turned(self) -> None:
        for part in self._all_parts():
            if part not in self.shown_parts:
                part.leave()
        self._follow()

    def _follow(self) -> None:
        for part in self.shown_parts:
            part.follow(self.run)

    def say(self, sentence: str, role: Role = "help") -> None:
        """Say something; without a sentence why a step is recommended, or what to do first."""
        if self.is_busy:
            return
        found = None if self.run is None else self.run.recommended()
        message = self.controls.message
        if not sentence and self._done and message.sentence == self._done:
            return
        if sentence:
            message.say(sentence, role)
        elif self.run is None:
            loop = Action("Diffusion loop", lambda: open_loop(self.viewer))
            message.say(NOTHING, "help", loop, Action("Open run…", self.saving.ask_open))
        else:
            message.say("" if found is None else found[1])

    # --- what the buttons do ---

    def keep_this(self) -> None:
        """Remove the other layers of the run; `bring_back` inserts them again."""
        if self.run is not None and self.keeping.keep(self.run):
            self.refresh()

    def bring_back(self) -> None:
        """Insert the layers that `keep_this` removed, where they were."""
        active = self.viewer.layers.selection.active
        self.keeping.bring_back()
        # A layer that is inserted is selected, and to select a step is to show it.
        self.viewer.layers.selection.active = active
        self.refresh()

    def conclude(self, sentence: str, details: str) -> None:
        """Say what was found once the work has ended, the rest on demand."""
        self.controls.conclude(sentence, details=details)

    def measure_named(self, name: str) -> Metric:
        """Return a measure as the tab *Curves* has it; ValueError says what is wrong with it."""
        return self.curves.measures.metric_named(name)

    def hand_over(self, recipe: Recipe) -> None:
        """Fill the dock *Diffusion loop* with a recipe made from that of the run."""
        if self.run is not None:
            hand_over(self.viewer, recipe, self.run.record)

    # --- the end ---

    def wait(self, seconds: float) -> None:
        """Wait until the threads have ended, so that the dock may be closed."""
        self.tasks.wait(seconds)
        self.curves.wait(seconds)
        if self.runner.worker is not None:
            self.runner.worker.join(seconds)

    def let_go(self, closed: bool) -> None:
        """Stop computing: the dock is closed, or else the whole window."""
        super().let_go(closed)
        self.tasks.drop()
        if closed:
            self._stop_following()
        for part in self._all_parts():
            (part.drop if closed else part.leave)()

    def _stop_following(self) -> None:
        self.shown_step.changed.disconnect(self.refresh, missing_ok=True)


def _scrolled(parts: list[StepsTab]) -> QWidget:
    """Return an area that scrolls up and down, never sideways."""
    box = Box(*parts)
    layout = box.native.layout()
    for place in range(len(parts)):
        layout.setStretch(place, 1)
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(box.native)
    return area
