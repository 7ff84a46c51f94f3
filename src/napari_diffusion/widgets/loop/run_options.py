"""Preview, noise-free run, ensemble of seeds, and the estimated local error of a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QCheckBox, QGridLayout, QPushButton, QSpinBox, QWidget

from napari_diffusion.analysis.ensemble import check_random
from napari_diffusion.widgets.analysis.ensemble_layers import EnsembleLayerSink, ensemble_work
from napari_diffusion.widgets.analysis.local_error_layer import (
    LocalErrorLayerSink,
    StepLocalError,
    local_error_work,
)
from napari_diffusion.widgets.forms.form_rows import GREY, RED, MessageLabel
from napari_diffusion.widgets.loop.preview import LivePreview
from napari_diffusion.widgets.results.chosen_step import chosen_step
from napari_diffusion.widgets.run.run_request import RunError

if TYPE_CHECKING:
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.widgets.docks.recipe_dock import RecipeDock


class RunOptions(QWidget):
    """Buttons for previews and for runs derived from the recipe in the form.

    Parameters
    ----------
    dock : RecipeDock
        The dock whose form and whose runner they use.
    """

    def __init__(self, dock: RecipeDock) -> None:
        super().__init__()
        self._dock = dock
        self.live = LivePreview(dock)
        self.preview = QPushButton("Preview")
        self.step = QSpinBox()
        self.noise_free_run = QCheckBox("Noise-free run")
        self.ensemble = QPushButton("Ensemble")
        self.seeds = QSpinBox()
        self.local_error = QPushButton("Estimated local error")
        self.message = MessageLabel(GREY)
        self._lay_out()
        self._connect()
        self._follow_layers()

    def _lay_out(self) -> None:
        self.preview.setCheckable(True)
        self.preview.setToolTip(
            "Preview the recipe on the visible part of the image while you edit it. The "
            "preview layer is removed when you switch it off or start a run."
        )
        self.step.setRange(-1, 9999)
        self.step.setSpecialValueText("last step")
        self.step.setPrefix("step ")
        self.step.setValue(-1)
        self.step.setToolTip("Which step the preview shows: the last or any before it.")
        self.noise_free_run.setToolTip(
            "Also run the same recipe without noise, as hidden layers; each record gets "
            "the distance of its step from the noise-free one. Shows the effect of the "
            "noise."
        )
        self.ensemble.setToolTip(
            "Run the recipe with this many random seeds: adds the mean of the last step "
            "and its sensitivity, the standard deviation over the seeds (not an error)."
        )
        self.seeds.setRange(2, 9999)
        self.seeds.setValue(8)
        self.seeds.setSuffix(" seeds")
        self.local_error.setToolTip(
            "Map where the selected step is closer to the ground truth than its source, "
            "and where farther, in intensity units. Stein's unbiased risk estimate, for "
            "white noise."
        )
        layout = QGridLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        layout.setSpacing(4)
        rows = (
            (self.preview, self.step, self.noise_free_run),
            (self.ensemble, self.seeds, self.local_error),
        )
        for row, widgets in enumerate(rows):
            for column, widget in enumerate(widgets):
                layout.addWidget(widget, row, column)
        layout.setColumnStretch(1, 1)
        layout.addWidget(self.message, 2, 0, 1, 3)

    def _connect(self) -> None:
        self.preview.toggled.connect(self._toggled)
        self.live.switched.connect(self._switched)
        self.live.reported.connect(self._say)
        self.step.valueChanged.connect(self._step_chosen)
        self.ensemble.clicked.connect(self.run_ensemble)
        self.local_error.clicked.connect(self.show_local_error)
        self._dock.viewer.layers.selection.events.active.connect(self._follow_layers)

    def show_recipe(self, recipe: Recipe | None) -> None:
        """Follow the form: without noise there is neither a noise-free run nor an ensemble."""
        noisy = recipe is None or recipe.noise is not None
        self.noise_free_run.setEnabled(noisy)
        self.ensemble.setEnabled(noisy)
        self.seeds.setEnabled(noisy)
        if recipe is not None:
            self.step.setMaximum(recipe.total_steps - 1)

    def wants_noise_free_run(self) -> bool:
        """Whether runs are to have a noise-free run."""
        return self.noise_free_run.isChecked() and self.noise_free_run.isEnabled()

    def run_ensemble(self) -> None:
        """Run the form's recipe with many seeds; errors are shown, not raised."""
        dock, count = self._dock, self.seeds.value()
        with dock.showing_errors():
            run_source = dock.run_source()
            job = dock.job(run_source)
            try:
                if job.recipe.is_resolved:
                    check_random(job.recipe)
                if job.lazy:
                    raise ValueError("An ensemble needs the image in memory: use a smaller region.")
            except ValueError as error:
                raise RunError("recipe", str(error)) from None
            self.live.stop()
            layer_sink = EnsembleLayerSink(dock.viewer, run_source.layers, job, run_source.styles)
            work = ensemble_work(job, count)
            title = job.source_name
            dock.runner.start(work, layer_sink, count, "seeds", layer_sink.summary, title)

    def show_local_error(self) -> None:
        """Show the estimated local error of the selected step, or what is wrong."""
        dock, step = self._dock, chosen_step(self._dock.viewer)
        with dock.showing_errors():
            dock.check_idle()
            if step is None:
                raise RunError("steps", "Select a step layer to estimate its local error.")
            self.live.stop()
            local_error = StepLocalError.of(step, dock.viewer)
            layer_sink = LocalErrorLayerSink(local_error, dock.viewer)
            work, title = local_error_work(local_error), step.layer.name
            dock.runner.start(work, layer_sink, 1, "", layer_sink.summary, title)

    def _toggled(self, on: bool) -> None:
        (self.live.start if on else self.live.stop)()

    def _switched(self, on: bool) -> None:
        self.preview.setChecked(on)

    def _step_chosen(self, number: int) -> None:
        self.live.show_step(None if number < 0 else number)

    def _follow_layers(self) -> None:
        self.local_error.setEnabled(chosen_step(self._dock.viewer) is not None)

    def _say(self, sentence: str, bad: bool) -> None:
        self.message.say(sentence, RED if bad else GREY)
