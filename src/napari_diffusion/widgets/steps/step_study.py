"""What else can be done with the run that is shown: studies, its recipe, more steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magicgui.widgets import LineEdit, SpinBox

from napari_diffusion.records.provenance import described_recipe
from napari_diffusion.widgets.analysis.ensemble_layers import EnsembleLayerSink, ensemble_work
from napari_diffusion.widgets.analysis.filter_view import FilterView, show_filter_view
from napari_diffusion.widgets.analysis.local_error_layer import (
    LocalErrorLayerSink,
    StepLocalError,
    local_error_work,
)
from napari_diffusion.widgets.analysis.noise_free_study import noise_free_study
from napari_diffusion.widgets.analysis.run_report import report_work
from napari_diffusion.widgets.analysis.study_form import StudyForm
from napari_diffusion.widgets.analysis.sweep_form import ABOUT as SWEEP
from napari_diffusion.widgets.analysis.sweep_form import SweepForm
from napari_diffusion.widgets.forms.box import Box, labelled, leave_wheel, may_be_narrow
from napari_diffusion.widgets.forms.fold import Fold
from napari_diffusion.widgets.forms.save_dialog import asked_for
from napari_diffusion.widgets.layers.step_records import is_stack
from napari_diffusion.widgets.recipe.code_consent import recipe_with_consent
from napari_diffusion.widgets.results.continued_run import (
    channels_of,
    continued_job,
    why_not_continued,
)
from napari_diffusion.widgets.results.extract_steps import Extraction, places_to_extract
from napari_diffusion.widgets.results.layer_sink import layer_sink_for
from napari_diffusion.widgets.results.step_source import rerun_job, source_layers, source_styles
from napari_diffusion.widgets.run.loop_run import loop_work
from napari_diffusion.widgets.run.memory_check import check_memory
from napari_diffusion.widgets.steps.steps_tab import StepsTab, button, buttons, enable_unless
from napari_diffusion.widgets.steps.study_reasons import (
    why_no_flux,
    why_no_sweep,
    why_not_noise_free,
    why_not_random,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import napari
    from magicgui.widgets.bases import Widget

    from napari_diffusion.widgets.analysis.study_dock import StudyDock
    from napari_diffusion.widgets.layers.step_layers import LayerSink
    from napari_diffusion.widgets.results.step_run import StepRun
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.steps.tasks import Tasks

_ENSEMBLE = (
    "Run the recipe with this many random seeds: adds the mean of the last step and its "
    "sensitivity, the standard deviation over the seeds (not an error)."
)
_NOISE_FREE = (
    "Run the same recipe without noise, as hidden layers; each record gets the distance of its "
    "step from the noise-free one. Shows the effect of the noise."
)
_LOCAL_ERROR = (
    "Add a map of where the shown step is closer to the ground truth than its source (green) and "
    "where farther (pink). Stein's unbiased risk estimate, for white noise."
)
_VIEW = (
    "Add layers for the visible part of the shown step: the edges that the filter finds, how much "
    "it smooths where, and arrows along which intensity moves."
)
_REPORT = (
    "Write one HTML file for readers: the steps up to the shown one, what was removed, the noise, "
    "the studies made so far, the methods and the record."
)
_AGAIN = "Run the recipe again: other parameters side by side, other seeds, without noise."
_ONWARD = "Go on from here: reuse the recipe, make more steps, extract steps of a stack."
_USE = "Fill the dock Diffusion loop with the recipe that made this run."
_CONTINUE = "Make more steps from the shown one, as if the run had been longer."
_EXTRACT = "Add steps of this stack as separate layers."
_WHICH = "Which steps: 0-9, 20, 50- (to the last). Empty: all."


class StepStudy(StepsTab):
    """Runs the recipe of the shown run again, in other ways; or goes on from the shown step.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that the dock belongs to.
    tasks : Tasks
        What is computed for the dock.
    dock : StudyDock
        Whose run it is, and whose runner makes the layers.
    """

    def __init__(self, viewer: napari.Viewer, tasks: Tasks, dock: StudyDock) -> None:
        super().__init__(viewer, tasks)
        self._dock = dock
        self.survives = StudyForm(dock)
        self.view = button("What the filter sees")
        self.report = button("Report…")
        self.sweep = SweepForm(dock)
        self.ensemble = button("Ensemble")
        self.seeds = SpinBox(value=8, min=2, max=9999, tooltip=_ENSEMBLE)
        self.noise_free = button("Run without noise")
        self.local_error = button("Estimate")
        self.use = button("Use this recipe")
        self.more = SpinBox(value=5, min=1, max=10_000, tooltip=_CONTINUE)
        self.go_on = button("Continue")
        self.which = LineEdit(tooltip=_WHICH)
        self.extract = button("Extract layers")
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        self.which.native.setPlaceholderText("all")
        for widget in (self.seeds, self.more, self.which):
            may_be_narrow(widget.native)
            leave_wheel(widget.native)
        self._extract_row = _row("extract", self.which, self.extract)
        self.again = Fold(
            "Other parameters, seeds, no noise",
            self.sweep,
            _row("random seeds", self.seeds, self.ensemble),
            _row("noise-free run", self.noise_free),
            _row("estimated local error", self.local_error),
            tooltip=_AGAIN,
        )
        self.onward = Fold(
            "Recipe, more steps, layers",
            _row("recipe", self.use),
            _row("more steps", self.more, self.go_on),
            self._extract_row,
            tooltip=_ONWARD,
        )
        looks = buttons(self.view, self.report)
        self.extend([self.survives, looks, self.survives.plots, self.again, self.onward])
        self.add_stretch()

    def _connect(self) -> None:
        self.view.changed.connect(self.show_filter_view)
        self.report.changed.connect(self._ask_report)
        self.ensemble.changed.connect(self.run_ensemble)
        self.noise_free.changed.connect(self.run_without_noise)
        self.local_error.changed.connect(self.show_local_error)
        self.use.changed.connect(self.use_recipe)
        self.go_on.changed.connect(self.continue_run)
        self.extract.changed.connect(self.extract_steps)

    # --- what is possible ---

    def run_changed(self) -> None:
        """Offer the parameters of another run."""
        self.sweep.show_recipe(None if self.run is None else described_recipe(self.run.record))
        self.survives.follow(self.run)

    def refresh(self) -> None:
        """Disable the buttons that can do nothing, with the reason as tooltip."""
        run, none, again = self.run, self.why_no_run, self.why_no_source
        stack = run is not None and is_stack(run.step.layer)
        for kind in self.survives.kinds:
            enable_unless(self.survives.buttons[kind.key], again, kind.about)
        enable_unless(self.view, again or why_no_flux(run), _VIEW)
        enable_unless(self.report, again, _REPORT)
        enable_unless(self.sweep.start, again or why_no_sweep(run), SWEEP)
        enable_unless(self.ensemble, again or why_not_random(run), _ENSEMBLE)
        enable_unless(self.noise_free, again or why_not_noise_free(run), _NOISE_FREE)
        enable_unless(self.local_error, again, _LOCAL_ERROR)
        enable_unless(self.use, none, _USE)
        not_continued = none or ("" if run is None else why_not_continued(run))
        enable_unless(self.go_on, not_continued, _CONTINUE)
        not_extracted = none or ("" if stack else "The steps are layers of their own already.")
        enable_unless(self.extract, not_extracted, _EXTRACT)
        self._extract_row.visible = stack
        self.seeds.enabled = self.ensemble.enabled
        self.more.enabled = self.go_on.enabled
        self.which.enabled = self.extract.enabled

    # --- what the buttons do ---

    def run_ensemble(self) -> None:
        """Run the recipe with many seeds; errors are shown, not raised."""
        run, count = self._begin(), int(self.seeds.value)
        if run is None:
            return
        with self._dock.showing_errors():
            job = rerun_job(run.step, self.viewer)
            layers = source_layers(run.step, self.viewer)
            styles = source_styles(run.step, self.viewer)
            sink = EnsembleLayerSink(self.viewer, layers, job, styles)
            work, title = ensemble_work(job, count), job.source_name
            self._dock.runner.start(work, sink, count, "seeds", sink.summary, title)

    def run_without_noise(self) -> None:
        """Add the noise-free run of the shown run as hidden layers."""
        run = self._begin()
        if run is None:
            return
        with self._dock.showing_errors():
            job, sink = noise_free_study(run, self.viewer)
            self._launch(job, sink, lambda: "noise-free run added, hidden; compare with it")

    def show_local_error(self) -> None:
        """Show the estimated local error of the shown step."""
        run = self._begin()
        if run is None:
            return
        with self._dock.showing_errors():
            local_error = StepLocalError.of(run.step, self.viewer)
            sink = LocalErrorLayerSink(local_error, self.viewer)
            work = local_error_work(local_error)
            self._dock.runner.start(work, sink, 0, "", sink.summary, "Estimated local error")

    def use_recipe(self) -> None:
        """Fill the dock of the loop with the recipe of the shown run."""
        if self.run is not None:
            with self._dock.showing_errors():
                self._dock.hand_over(recipe_with_consent(self.run.record))

    def continue_run(self) -> None:
        """Make more steps from the shown step."""
        run = self._begin()
        if run is None:
            return
        with self._dock.showing_errors():
            channels = channels_of(run.step, self.viewer)
            job = continued_job(run.step, int(self.more.value), 1, self.viewer)
            layers, styles = [each.layer for each in channels], [each.style for each in channels]
            self._launch(job, layer_sink_for(self.viewer, layers, job, styles, "auto"))

    def extract_steps(self) -> None:
        """Make layers of the named steps of the shown stack."""
        run = self._begin()
        if run is None:
            return
        step = run.step
        with self._dock.showing_errors():
            places = places_to_extract(str(self.which.value), step)
            Extraction(self.viewer, step.layer, places, self.native).start()

    def show_filter_view(self) -> None:
        """Show the edges, the conductance and the flux of the filter in the shown step."""
        run = self._begin()
        if run is not None:
            with self._dock.showing_errors():
                view = FilterView.of_step(run.step, self.viewer)
                show_filter_view(view, self._dock.runner, self.viewer)

    def _ask_report(self) -> None:
        name = "report" if self.run is None else f"{self.run.record['source']}-report"
        path = asked_for(self.native, "Write a report", name, {"html": "Web page"})
        if path is not None:
            self.write_report(path)

    def write_report(self, path: Path) -> None:
        """Write the report of the run and of the studies of it, in the background."""
        run = self._begin()
        if run is None:
            return
        with self._dock.showing_errors():
            work = report_work(run, self.viewer, self.survives.results(run), path)
            self.tasks.start(work, "Writing …", 0, "", lambda made: f"Written to {made}.")

    def _begin(self) -> StepRun | None:
        """Return the run, the viewer being as it was before a sweep."""
        if self.tasks.is_busy:
            return None
        self.sweep.close_sweep()
        return self.run

    def _launch(self, job: Job, sink: LayerSink, made: Callable[[], str] | None = None) -> None:
        recipe = job.recipe
        check_memory(job, "auto")
        total = recipe.total_steps - job.first_step + (recipe.final_filter is not None)
        work, title = loop_work(job, sink), job.source_name
        self._dock.runner.start(work, sink, total, "steps", made, title)

    def drop(self) -> None:
        """Restore the view: the dock goes."""
        super().drop()
        self.sweep.close_sweep()


def _row(name: str, *widgets: Widget) -> Box:
    """Return a named row whose parts share its width."""
    row = labelled(name, *widgets)
    for place in range(len(widgets)):
        row.native.layout().setStretch(1 + place, 2 + place)
    return row
