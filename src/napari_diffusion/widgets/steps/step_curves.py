"""Curves of the measures of every step, and the step that is recommended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton

from napari_diffusion.widgets.layers.channels import values
from napari_diffusion.widgets.plots.curve_plot import CurvePlot, Drawn
from napari_diffusion.widgets.results.step_source import rerun_job
from napari_diffusion.widgets.run.run_request import RunError
from napari_diffusion.widgets.steps import step_measure
from napari_diffusion.widgets.steps.measure_list import MeasureList, unit_of
from napari_diffusion.widgets.steps.steps_tab import NO_RUN, PlotPart, enable_unless

if TYPE_CHECKING:
    import threading
    from collections.abc import Generator

    import napari

    from napari_diffusion.analysis.step_selection import BestStep, Curve
    from napari_diffusion.metrics import Metric
    from napari_diffusion.widgets.results.step_run import StepRun
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.steps.step_measure import Scores

_RECOMMEND = (
    "Run the recipe again on slightly changed sources, and mark the step closest to the "
    "ground truth."
)


class StepCurves(PlotPart):
    """A list of measures and their curves; what is not known yet is measured in the background."""

    plot: CurvePlot

    #: The place of a step that is to be shown.
    chosen = Signal(int)

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__(viewer, CurvePlot(), "curves")
        self.measures = MeasureList(viewer)
        self.recommend = QPushButton("Recommend a step")
        self.stop = QPushButton("Stop")
        self._failed: set[str] = set()
        self._wants_best = False
        self.rows.addWidget(self.measures)
        self.rows.addWidget(self.plot, 1)
        row = QHBoxLayout()
        for button in (self.recommend, self.export, self.stop):
            row.addWidget(button)
        self.rows.addLayout(row)
        self.stop.setToolTip("Stop measuring; values measured so far are kept.")
        self.measures.changed.connect(self._asked)
        self.plot.chosen.connect(self.chosen)
        self.recommend.clicked.connect(self.find_best)
        self.stop.clicked.connect(self.work.stop)

    # --- what is shown ---

    def run_changed(self) -> None:
        """Draw what is known of another run, and measure what is ticked."""
        self._failed.clear()
        self.measures.refresh()
        if self.run is not None:
            self.measures.show_measured(self.run)
        self.draw()
        self.measure()

    def step_changed(self) -> None:
        """Mark another step."""
        self._mark()

    def refresh(self) -> None:
        """Disable the buttons that can do nothing, with the reason as tooltip."""
        none = "" if self.run is not None else NO_RUN
        gone = ""
        if self.run is not None and self.run.source is None:
            gone = "The source layer was removed."
        enable_unless(self.recommend, none or gone, _RECOMMEND)
        super().refresh()
        self.stop.setVisible(self.work.is_running)

    def draw(self) -> None:
        """Draw all that is ticked and known."""
        run = self.run
        if run is None:
            self.plot.show_curves([], [])
            return
        curves = [
            Drawn(name, unit_of(name), run.values(name), run.doubt(name))
            for name in self.measures.ticked()
        ]
        self.plot.show_curves(run.numbers, curves)
        self._mark()

    def _mark(self) -> None:
        if self.run is None:
            return
        found = self.run.recommended()
        self.plot.mark(self.run.numbers[self.run.shown], None if found is None else found[0])

    # --- what is measured ---

    def _asked(self) -> None:
        self._failed.clear()
        self.draw()
        self.measure()

    def missing(self) -> dict[str, Metric]:
        """Return what is ticked and was not measured of every step."""
        if self.run is None:
            return {}
        run, ticked = self.run, self.measures.ticked()
        return {
            name: metric
            for name, metric in ticked.items()
            if metric is not None and name not in self._failed and not run.is_measured(name)
        }

    def measure(self) -> None:
        """Measure what is missing: first what a step and its source are enough for."""
        if self._wants_best and not self.work.is_running:
            self.find_best()
            return
        missing = self.missing()
        if not missing or self.work.is_running or self.run is None:
            return
        plain = {n: metric for n, metric in missing.items() if not step_measure.is_rerun(metric)}
        single = {name: metric for name, metric in missing.items() if not metric.needs_halves}
        if plain:
            self._measure_steps(plain)
        else:
            # Where there is no second half the other measures are not to fail with it.
            self._run_again(single or missing)

    def _measure_steps(self, metrics: dict[str, Metric]) -> None:
        run = self.run
        assert run is not None
        reference = None
        wanting = {name for name, metric in metrics.items() if metric.needs_reference}
        if wanting:
            layer = self.measures.reference.layer()
            if layer is None or run.cut(values(layer)) is None:
                self._failed |= wanting
                self._report("Choose a ground-truth layer of the same shape.", True)
                self.measure()
                return
            reference = values(layer)

        def work(token: threading.Event) -> Generator[Scores, None, None]:
            for found in step_measure.measured(run, metrics, reference):
                yield found
                if token.is_set():
                    return

        def posted(found: Scores) -> None:
            place, scores = found
            step_measure.keep_scores(run, place, scores)
            self.draw()
            if place + 1 < len(run.steps):
                self.say(f"Measuring step {place + 1} of {len(run.steps)} …")

        self._failed |= set(metrics)
        self.work.start(work, posted, lambda result: self._done(run, set(metrics)))

    def _run_again(self, metrics: dict[str, Metric]) -> None:
        run = self.run
        assert run is not None
        self._failed |= set(metrics)
        job, others = self._job(), self.measures.others(metrics.values())
        if job is None:
            return

        def work(token: threading.Event) -> Generator[None, None, list[Curve]]:
            yield None
            return step_measure.rerun(job, list(metrics.values()), token, others)

        def done(found: list[Curve]) -> None:
            step_measure.keep_curves(run, dict(zip(metrics, found, strict=True)))
            self._done(run, set(metrics))

        self.say("Running the recipe again on slightly changed sources …")
        self.work.start(work, lambda each: None, done)

    def _done(self, run: StepRun, names: set[str]) -> None:
        if all(run.is_measured(name) for name in names):
            self._failed -= names
        self.say("")
        self.draw()
        self.measure()

    def find_best(self) -> None:
        """Find the step nearest to the ground truth in the background, and mark it."""
        run = self.run
        self._wants_best = run is not None and self.work.is_running
        if run is None or self._wants_best:
            return
        job, others = self._job(), self.measures.others(self.measures.ticked().values())
        if job is None:
            return

        def work(token: threading.Event) -> Generator[None, None, BestStep]:
            yield None
            return step_measure.best(job, token, others)

        def done(best: BestStep) -> None:
            reason = step_measure.reason_for(best, job.recipe, others)
            step_measure.keep_best(run, best, reason, self.measures.label)
            decided_by = best.decided_by or best.curves[0]
            self.measures.tick([decided_by.metric.display_name])
            self.draw()
            self.say("")
            self.measure()

        self.say("Running the recipe on slightly changed sources …")
        self.work.start(work, lambda each: None, done)

    def _job(self) -> Job | None:
        """Return the run from its whole source; where that is gone, say so."""
        assert self.run is not None
        try:
            return rerun_job(self.run.step, self.viewer)
        except RunError as error:
            self._report(str(error), True)
            return None
