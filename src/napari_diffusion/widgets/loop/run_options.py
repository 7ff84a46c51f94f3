"""Beside a run: its preview, its twin without noise, many seeds, and the risk of a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QCheckBox, QGridLayout, QPushButton, QSpinBox, QWidget

from napari_diffusion.analysis.ensemble import check_random
from napari_diffusion.widgets.forms.form_rows import GREY, RED, Message
from napari_diffusion.widgets.loop.preview import LivePreview
from napari_diffusion.widgets.results.step_actions import chosen_step
from napari_diffusion.widgets.run.run_request import Refused
from napari_diffusion.widgets.study.ensemble_layers import EnsembleOutlet, ensemble_of
from napari_diffusion.widgets.study.local_error_layer import RiskOf, RiskOutlet, risk_of

if TYPE_CHECKING:
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.widgets.loop.diffusion_loop import DiffusionLoop


class Variants(QWidget):
    """Buttons for what can be made beside the run of the form.

    Parameters
    ----------
    dock : DiffusionLoop
        The dock whose form and whose runner they use.
    """

    def __init__(self, dock: DiffusionLoop) -> None:
        super().__init__()
        self._dock = dock
        self.live = LivePreview(dock)
        self.preview = QPushButton("Preview")
        self.step = QSpinBox()
        self.twin = QCheckBox("Twin")
        self.ensemble = QPushButton("Ensemble")
        self.seeds = QSpinBox()
        self.risk = QPushButton("Local risk")
        self.message = Message(GREY)
        self._lay_out()
        self._connect()
        self._follow_layers()

    def _lay_out(self) -> None:
        self.preview.setCheckable(True)
        self.preview.setToolTip(
            "Show what the form would make of the part on the canvas, while you change it. The "
            "layer goes when the preview is switched off, and with a run."
        )
        self.step.setRange(-1, 9999)
        self.step.setSpecialValueText("last step")
        self.step.setPrefix("step ")
        self.step.setValue(-1)
        self.step.setToolTip("Which step the preview shows: the last one, or any before it.")
        self.twin.setToolTip(
            "Run the same recipe without noise beside: hidden layers “twin”, and in the records "
            "how far each step is from its twin. It shows what the noise did."
        )
        self.ensemble.setToolTip(
            "Run the recipe with so many seeds: a layer of the mean of the last step, and one of "
            "its sensitivity, the standard deviation over the seeds, which is no error."
        )
        self.seeds.setRange(2, 9999)
        self.seeds.setValue(8)
        self.seeds.setSuffix(" seeds")
        self.risk.setToolTip(
            "Where the selected step is nearer to the truth than its source, and where it is "
            "farther, in intensity units: Stein's estimate, for white noise."
        )
        layout = QGridLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        layout.setSpacing(4)
        rows = ((self.preview, self.step, self.twin), (self.ensemble, self.seeds, self.risk))
        for row, widgets in enumerate(rows):
            for column, widget in enumerate(widgets):
                layout.addWidget(widget, row, column)
                layout.setColumnStretch(column, 1)
        layout.addWidget(self.message, 2, 0, 1, 3)

    def _connect(self) -> None:
        self.preview.toggled.connect(self._toggled)
        self.live.switched.connect(self._switched)
        self.live.said.connect(self._say)
        self.step.valueChanged.connect(self._step_chosen)
        self.ensemble.clicked.connect(self.run_ensemble)
        self.risk.clicked.connect(self.show_risk)
        self._dock.viewer.layers.selection.events.active.connect(self._follow_layers)

    def show_recipe(self, recipe: Recipe | None) -> None:
        """Follow the form: without noise there is neither a twin nor an ensemble."""
        noisy = recipe is None or recipe.noise is not None
        self.twin.setEnabled(noisy)
        self.ensemble.setEnabled(noisy)
        self.seeds.setEnabled(noisy)
        if recipe is not None:
            self.step.setMaximum(recipe.total_steps - 1)

    def wants_twin(self) -> bool:
        """Whether runs are to have a twin."""
        return self.twin.isChecked() and self.twin.isEnabled()

    def run_ensemble(self) -> None:
        """Run the form's recipe with many seeds; what is wrong is said and not raised."""
        dock, count = self._dock, self.seeds.value()
        with dock.refusing():
            picked = dock.picked()
            job = dock.job(picked)
            try:
                if job.recipe.is_resolved:
                    check_random(job.recipe)
                if job.lazy:
                    raise ValueError("An ensemble needs its picture in memory: take a part of it.")
            except ValueError as error:
                raise Refused("recipe", str(error)) from None
            self.live.stop()
            outlet = EnsembleOutlet(dock.viewer, picked.layers, job, picked.looks)
            work = ensemble_of(job, count)
            dock.runner.start(work, outlet, count, "seeds", outlet.said)

    def show_risk(self) -> None:
        """Tell the local risk of the selected step; what is wrong is said and not raised."""
        dock, step = self._dock, chosen_step(self._dock.viewer)
        with dock.refusing():
            dock.check_idle()
            if step is None:
                raise Refused("steps", "Local risk is told of a step: select the layer of one.")
            self.live.stop()
            risk = RiskOf.of(step, dock.viewer)
            outlet = RiskOutlet(risk, dock.viewer)
            dock.runner.start(risk_of(risk), outlet, 1, "", outlet.said)

    def _toggled(self, on: bool) -> None:
        (self.live.start if on else self.live.stop)()

    def _switched(self, on: bool) -> None:
        self.preview.setChecked(on)

    def _step_chosen(self, number: int) -> None:
        self.live.show_step(None if number < 0 else number)

    def _follow_layers(self, event: object = None) -> None:
        del event
        self.risk.setEnabled(chosen_step(self._dock.viewer) is not None)

    def _say(self, sentence: str, bad: bool) -> None:
        self.message.say(sentence, RED if bad else GREY)
