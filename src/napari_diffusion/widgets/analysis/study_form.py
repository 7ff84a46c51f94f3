"""What survives: one button for each study of the shown step, and what it takes."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from magicgui.widgets import PushButton

from napari_diffusion.analysis.studies import STUDIES
from napari_diffusion.widgets.analysis.study_choices import (
    BackgroundChoice,
    KindChoice,
    MeasureChoice,
    PartChoice,
    RepeatChoice,
)
from napari_diffusion.widgets.analysis.study_layers import StepStudyRun, StudySink, study_work
from napari_diffusion.widgets.analysis.survival_plot import SurvivalPlot, is_survival
from napari_diffusion.widgets.forms.box import Box, may_be_narrow
from napari_diffusion.widgets.forms.message import text_label

if TYPE_CHECKING:
    from magicgui.widgets.bases import Widget
    from napari.layers import Image, Layer

    from napari_diffusion.analysis.studies import StudyKind, StudyOptions
    from napari_diffusion.analysis.study_result import StudyResult
    from napari_diffusion.widgets.analysis.study_choices import StudyChoice
    from napari_diffusion.widgets.analysis.study_dock import StudyDock
    from napari_diffusion.widgets.analysis.study_layers import ReadOptions
    from napari_diffusion.widgets.results.step_run import StepRun
    from napari_diffusion.widgets.run.run_request import Job


class StudyForm(Box):
    """A button for each study, its choice beside it, and the plot of what survives.

    Parameters
    ----------
    dock : StudyDock
        Whose run is studied.
    """

    def __init__(self, dock: StudyDock) -> None:
        self._dock = dock
        self.kinds = STUDIES
        self._found: weakref.WeakKeyDictionary[Layer, dict[str, StudyResult]]
        self._found = weakref.WeakKeyDictionary()
        self.plot: SurvivalPlot | None = None
        self.part = PartChoice()
        self.choices: tuple[StudyChoice, ...]
        self.choices = (KindChoice(), BackgroundChoice(), RepeatChoice(), MeasureChoice())
        self.buttons = {kind.key: PushButton(text=kind.title) for kind in self.kinds}
        rows = [self._row(kind) for kind in self.kinds]
        #: Where the plot is shown, once there is something to draw.
        self.plots = Box()
        heading = text_label("help")
        heading.value = "What survives in the shown step?"
        super().__init__(heading, self.part, *rows)

    def _row(self, kind: StudyKind) -> Box:
        made = self.buttons[kind.key]
        may_be_narrow(made.native)
        made.changed.connect(lambda: self.start(kind))
        parts: list[Widget] = [made, *self._choices_of(kind)]
        row = Box(*parts, layout="horizontal")
        for place in range(len(parts)):
            row.native.layout().setStretch(place, 1)
        if not parts[1:]:
            # As wide as the buttons above it.
            row.native.layout().addStretch(1)
        return row

    def _choices_of(self, kind: StudyKind) -> list[StudyChoice]:
        return [each for each in self.choices if each.gives & set(kind.options)]

    # --- the run ---

    def follow(self, run: StepRun | None) -> None:
        """Offer what fits a run, and show what was found on it before."""
        self.part.follow(run)
        for choice in self.choices:
            choice.follow(run)
        self.show_plot()

    def results(self, run: StepRun | None) -> list[StudyResult]:
        """Return what was found on a run since the dock was opened, of each study the last."""
        found: dict[str, StudyResult] = {}
        for layer in [] if run is None else run.layers():
            found.update(self._found.get(layer, {}))
        return [found[kind.key] for kind in self.kinds if kind.key in found]

    def start(self, kind: StudyKind) -> None:
        """Study the shown step; errors are shown, not raised."""
        dock, run = self._dock, self._dock.run
        if run is None:
            return
        with dock.showing_errors():
            study = StepStudyRun.of(
                kind,
                run.step,
                dock.viewer,
                lambda job, layer: self.part.region(job, run, dock.viewer),
                lambda job: self._options(kind, job, run),
            )

            def done(result: StudyResult, layers: list[Image]) -> None:
                self._keep(kind, study, result, layers)

            sink = StudySink(study, dock.viewer, done)
            dock.runner.start(study_work(study), sink, 0, "runs", sink.summary, kind.title)

    def _options(self, kind: StudyKind, job: Job, run: StepRun) -> ReadOptions:
        readers = [each.reader(job, run, self._dock) for each in self._choices_of(kind)]

        def read() -> StudyOptions:
            options: StudyOptions = {}
            for reader in readers:
                options.update(reader())
            return options

        return read

    # --- what was found ---

    def _keep(
        self, kind: StudyKind, study: StepStudyRun, result: StudyResult, layers: list[Image]
    ) -> None:
        earlier = self._found.setdefault(study.step.layer, {})
        # Of a run each study counts once, whichever step it was of.
        for known in [] if self._dock.run is None else self._dock.run.layers():
            self._found.get(known, {}).pop(kind.key, None)
        earlier[kind.key] = result
        first, *rest = result.sentences()
        hidden = f"{len(layers)} maps, the first one shown." if layers[1:] else ""
        details = "\n\n".join([*rest, *result.limits(), hidden]).strip()
        self._dock.conclude(f"{kind.title}: {first}", details)
        self.show_plot()

    def show_plot(self) -> None:
        """Draw what survives of the run, where that is known."""
        found = [each for each in self.results(self._dock.run) if is_survival(each)]
        if found and self.plot is None:
            self.plot = SurvivalPlot()
            self.plots.add_native(self.plot)
        if self.plot is not None:
            self.plot.setVisible(bool(found))
            for each in found:
                self.plot.show_result(each)
