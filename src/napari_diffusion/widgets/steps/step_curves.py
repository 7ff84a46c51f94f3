"""Curves of the measures of every step, and the step that is recommended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal

from napari_diffusion.widgets.layers.layer_values import values
from napari_diffusion.widgets.plots.curve_plot import CurvePlot, Drawn
from napari_diffusion.widgets.results.step_source import rerun_job
from napari_diffusion.widgets.run.background import Background
from napari_diffusion.widgets.run.run_request import RunError
from napari_diffusion.widgets.steps import step_measure
from napari_diffusion.widgets.steps.measure_list import MeasureList, unit_of
from napari_diffusion.widgets.steps.steps_tab import PlotTab, button, buttons, enable_unless

if TYPE_CHECKING:
    import threading
    from collections.abc import Generator

    import napari

    from napari_diffusion.analysis.step_selection import BestStep, Curve
    from napari_diffusion.metrics import Metric
    from napari_diffusion.widgets.results.step_run import StepRun
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.steps.step_measure import Scores
    from napari_diffusion.widgets.steps.tasks import Tasks

_RECOMMEND = (
    "Run the recipe again on slightly changed sources, and mark the step closest to the "
    "ground truth."
)
_AGAIN = "Running the recipe again on slightly changed sources …"


class StepCurves(PlotTab):
    """Measures and their curves; what the steps are enough for is measured as it is ticked."""

    plot: CurvePlot

    #: The place of a step that is to be shown.
    chosen = Signal(int)

    def __init__(self, viewer: napari.Viewer, tasks: Tasks) -> None:
        super().__init__(viewer, tasks, CurvePlot(), "curves")
        self.measures = MeasureList(viewer)
        self.recommend = button("Recommend a step")
        self._quick = Background(self._stopped, lambda: None, self.native)
        self._failed: set[str] = set()
        self.extend([self.measures, buttons(self.recommend, self.export)])
        self.native.layout().insertWidget(1, self.plot, 1)
        self.measures.changed.connect(self._asked)
        self.plot.chosen.connect(self.chosen)
        self.recommend.changed.connect(self.find_best)
        tasks.switched.connect(self._idle)

    # --- what is shown ---

    def run_changed(self) -> None:
        """Draw what is known of another run, and measure what is ticked."""
        self._failed.clear()
        if self.run is not None:
            self.measures.show_measured(self.run)
        self.draw()
        self.measure()

    def step_changed(self) -> None:
        """Mark another step."""
        self._mark()

    def refresh(self) -> None:
        """Disable the buttons that can do nothing, with the reason as tooltip."""
        enable_unless(self.recommend, self.why_no_source, _RECOMMEND)
        super().refresh()

    def draw(self) -> None:
        """Draw all that is ticked and known."""
        run = self.run
        if run is None:
            self.plot.show_curves([], [])
            self.plot.mark(0, None)
            return
        curves = [
            Drawn(name, unit_of(name), run.values(name), run.doubt(name))
            for name in self.measures.value
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
        self.say(self.measures.problem or "", "error")
        self.draw()
        self.measure()

    def _idle(self) -> None:
        if not self.tasks.is_busy:
            self.measure()

    @property
    def is_measuring(self) -> bool:
        """Whether the steps are being measured."""
        return self._quick.is_running

    def missing(self) -> dict[str, Metric]:
        """Return what is ticked and was not measured of every step."""
        if self.run is None:
            return {}
        run, ticked = self.run, self.measures.value
        return {
            name: metric
            for name, metric in ticked.items()
            if metric is not None and name not in self._failed and not run.is_measured(name)
        }

    def measure(self) -> None:
        """Measure what is missing: first what a step and its source are enough for."""
        missing = self.missing()
        plain = {n: metric for n, metric in missing.items() if not step_measure.is_rerun(metric)}
        single = {name: metric for name, metric in missing.items() if not metric.needs_halves}
        if plain and not self._quick.is_running:
            self._measure_steps(plain)
        elif missing and not plain and not self.tasks.is_busy:
            # Where there is no second half the other measures are not to fail with it.
            self._run_again(single or missing)

    def _measure_steps(self, metrics: dict[str, Metric]) -> None:
        run = self.run
        assert run is not None
        reference = None
        wanting = {name for name, metric in metrics.items() if metric.needs_reference}
        if wanting:
            layer = self.measures.reference.value
            if layer is None or run.cut(values(layer)) is None:
                self._failed |= wanting
                self.say("Choose a ground-truth layer of the same shape.", "error")
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

        self._failed |= set(metrics)
        self._quick.start(
            work, posted, lambda result: self._done(run, set(metrics)), "Measuring the steps"
        )

    def _stopped(self, sentence: str, bad: bool) -> None:
        if bad:
            self.say(sentence, "error")

    def _run_again(self, metrics: dict[str, Metric]) -> None:
        run = self.run
        assert run is not None
        self._failed |= set(metrics)
        job, others = self._job(), self.measures.others(metrics.values())
        if job is None:
            return

        def work(token: threading.Event) -> Generator[int, None, list[Curve]]:
            yield 0
            return step_measure.rerun(job, list(metrics.values()), token, others)

        def done(found: list[Curve]) -> str:
            step_measure.keep_curves(run, dict(zip(metrics, found, strict=True)))
            self._done(run, set(metrics))
            return ""

        self.tasks.start(work, _AGAIN, 0, "", done)

    def _done(self, run: StepRun, names: set[str]) -> None:
        if all(run.is_measured(name) for name in names):
            self._failed -= names
        self.draw()
        self.measure()

    def find_best(self) -> None:
        """Find the step nearest to the ground truth in the background, and mark it."""
        run = self.run
        if run is None or self.tasks.is_busy:
            return
        job, others = self._job(), self.measures.others(self.measures.value.values())
        if job is None:
            return

        def work(token: threading.Event) -> Generator[int, None, BestStep]:
            yield 0
            return step_measure.best(job, token, others)

        def done(best: BestStep) -> str:
            reason = step_measure.reason_for(best, job.recipe, others)
            step_measure.keep_best(run, best, reason, self.measures.curve_name)
            decided_by = best.decided_by or best.curves[0]
            self.measures.tick([decided_by.metric.display_name])
            self.draw()
            return reason

        self.tasks.start(work, _AGAIN, 0, "", done)

    def _job(self) -> Job | None:
        """Return the run from its whole source; where that is gone, say so."""
        assert self.run is not None
        try:
            return rerun_job(self.run.step, self.viewer)
        except RunError as error:
            self.say(str(error), "error")
            return None

    def wait(self, seconds: float) -> None:
        """Wait until the steps are measured."""
        self._quick.wait(seconds)

    def drop(self) -> None:
        """Measure no further."""
        super().drop()
        self._quick.drop()
