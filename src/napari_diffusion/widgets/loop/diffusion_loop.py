"""The dock *Diffusion loop*."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

from napari_diffusion.loop.presets import pixel_size
from napari_diffusion.records.provenance import recipe_of
from napari_diffusion.widgets.analysis.sweep_form import SweepRow
from napari_diffusion.widgets.denoise.denoise_form import DenoiseWidget
from napari_diffusion.widgets.docks.dock import notify
from napari_diffusion.widgets.docks.recipe_dock import RecipeDock
from napari_diffusion.widgets.forms.form_rows import MessageLabel
from napari_diffusion.widgets.layers.step_records import records_of
from napari_diffusion.widgets.loop.evidence import EvidencePanel, evidence_work, with_evidence
from napari_diffusion.widgets.loop.run_options import RunOptions
from napari_diffusion.widgets.recipe.saved_recipes import SavedRecipes
from napari_diffusion.widgets.results.continued_run import channels_of, continued_job
from napari_diffusion.widgets.results.extract_steps import Extraction, places_named
from napari_diffusion.widgets.results.layer_sink import layer_sink_for
from napari_diffusion.widgets.results.noise_free_layers import with_noise_free_runs
from napari_diffusion.widgets.results.step_actions import StepActions
from napari_diffusion.widgets.run import memory
from napari_diffusion.widgets.run.loop_run import loop_work
from napari_diffusion.widgets.run.memory_check import check_memory, need_of, offers
from napari_diffusion.widgets.run.result_choice import ResultWidget
from napari_diffusion.widgets.run.run_request import Job, RunError
from napari_diffusion.widgets.source.noise_meter import rounded_noise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import napari
    from napari.layers import Image

    from napari_diffusion.estimate import Evidence, NoiseModel
    from napari_diffusion.widgets.layers.layer_style import LayerStyle
    from napari_diffusion.widgets.results.chosen_step import ChosenStep
    from napari_diffusion.widgets.source.run_source import RunSource


class DiffusionLoop(RecipeDock):
    """Runs the noise-and-diffusion loop on an image layer, each step a new layer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer)
        self.denoise = DenoiseWidget(self)
        self.saved_recipes = SavedRecipes(self.recipe)
        self.result = ResultWidget()
        self.steps = StepActions(self.viewer)
        self.run_options = RunOptions(self)
        self.evidence = EvidencePanel()
        self.parameter_sweep = SweepRow(self)
        self.recipe.noise.add_beside(self.meter.unfold)
        self.lay_out(
            [self.denoise, self.evidence, self.parameter_sweep, self.saved_recipes, self.recipe],
            [self.result, self.controls, self.run_options, self.steps],
        )
        self._connect()
        self.parameter_sweep.show_recipe(self.recipe.value())
        self._source_changed()

    def _connect(self) -> None:
        self.source.changed.connect(self._source_changed)
        self.recipe.changed.connect(self._show_need)
        self.recipe.changed.connect(self.run_options.show_recipe)
        self.recipe.changed.connect(self.parameter_sweep.show_recipe)
        self.run_options.noise_free_run.toggled.connect(self._show_need)
        self.result.changed.connect(self._show_need)
        self.controls.run_clicked.connect(self.run)
        self.controls.estimate_clicked.connect(self.estimate)
        self.runner.resolved.connect(self.recipe.set_resolved)
        self.meter.clicked.connect(self.measure)
        self.runner.measured.connect(self.fill_noise)
        self.runner.found.connect(self._show_evidence)
        self.evidence.taken.connect(self.take_number)
        self.steps.use_clicked.connect(self.use_recipe)
        self.steps.continue_clicked.connect(self.go_on)
        self.steps.extract_clicked.connect(self.extract)

    # --- what the buttons do ---

    def run(self) -> None:
        """Run the recipe on the source; errors are shown, not raised."""
        with self.showing_errors():
            run_source = self.run_source()
            if self.source.warning():
                notify("warning", self.source.warning())
            self._launch(self.job(run_source), run_source.layers, run_source.styles, self._fewer)

    def estimate(self) -> None:
        """Find the number behind every "auto", and show what it and others were read from."""
        with self.showing_errors():
            job = self.job(self.run_source())
            self.source.say(None)
            self.runner.start(evidence_work(job), title=job.source_name)

    def take_number(self, name: str, number: float) -> None:
        """Fill the form with a number of the evidence: a noise scale, a contrast or a time."""
        with self.showing_errors():
            self.recipe.set_value(with_evidence(self.job(self.run_source()).recipe, name, number))
            self.controls.say(f"Filled in {name.replace('_', ' ')} {number:g}.")

    def _show_evidence(self, evidence: Evidence) -> None:
        self.evidence.show_evidence(evidence)
        self._area.ensureWidgetVisible(self.evidence.fold)

    def measure(self) -> None:
        """Measure the noise of the source, and fill the form with it."""
        with self.showing_errors():
            self.start_measuring(self.job(self.run_source()))

    def fill_noise(self, model: NoiseModel) -> None:
        """Fill the form with the noise that was measured, where the recipe has noise at all."""
        message = "The recipe has no noise: choose one to fill in the measurement."
        with contextlib.suppress(ValueError):
            recipe = self.recipe.value()
            if recipe.noise is not None:
                noise, scale = rounded_noise(model)
                self.recipe.set_value(recipe.replaced(noise=noise, starting_noise_scale=scale))
                message = "Filled in this noise and its scale."
        self.meter.show_model(model, message)

    def use_recipe(self, step: ChosenStep) -> None:
        """Fill the form with the recipe that made a step, and choose the mask that it had."""
        self.recipe.set_value(recipe_of(step.record))
        message = f"Filled in the recipe of {step.title}."
        if "mask" in step.record:
            name = step.record["mask"]["layer"]
            if self.source.mask_choice.set_named(name):
                message = f"Filled in the recipe and the mask of {step.title}."
            else:
                message += f" Its mask {name!r} was removed or does not fit the source."
        self.controls.say(message)

    def go_on(self, step: ChosenStep, more_steps: int) -> None:
        """Make more steps from a step, as if its run had been longer."""
        with self.showing_errors():
            self.check_idle()
            channels = channels_of(step, self.viewer)
            job = continued_job(step, more_steps, self.result.value()[1], self.viewer)
            layers, styles = [each.layer for each in channels], [each.style for each in channels]
            self._launch(job, layers, styles, self.steps.more.setValue)

    def extract(self, step: ChosenStep, which: str) -> None:
        """Make layers of the named steps of a stack."""
        with self.showing_errors():
            try:
                places = places_named(which, records_of(step.layer))
            except ValueError as error:
                raise RunError("steps", str(error)) from None
            need, free = len(places) * step.data.nbytes, memory.free_memory()
            if need > free:
                raise RunError(
                    "steps",
                    f"{len(places)} layers need {memory.written_bytes(need)}, but only "
                    f"{memory.written_bytes(free)} are free: extract fewer steps, such as "
                    "0-9.",
                )
            Extraction(self.viewer, step.layer, places, self).start()

    # --- from the form to a run ---

    def job(self, run_source: RunSource) -> Job:
        """Return the job of a run on a source; `RunError` says what is wrong with the form."""
        job = run_source.job(self.recipe_value(), self.result.value()[1], memory.free_memory())
        return dataclasses.replace(job, noise_free_run=self.run_options.wants_noise_free_run())

    def stop_preview(self) -> None:
        """Remove the preview before something else is computed."""
        self.run_options.live.stop()

    def _launch(
        self,
        job: Job,
        layers: Sequence[Image],
        styles: Sequence[LayerStyle],
        fewer: Callable[[int], None],
    ) -> None:
        result = self.result.value()[0]
        try:
            check_memory(job, result)
        except RunError as error:
            self.result.show_error(str(error), offers(job, result, self.result.set_value, fewer))
            raise
        self.source.say(None)
        self.recipe.say("")
        self.result.show_error("", [])
        self.stop_preview()
        layer_sink = layer_sink_for(self.viewer, layers, job, styles, result)
        if job.noise_free_run:
            layer_sink = with_noise_free_runs(layer_sink, self.viewer, layers, job, styles, result)
        total = job.recipe.total_steps - job.first_step + (job.recipe.final_filter is not None)
        work = loop_work(job, layer_sink)
        self.runner.start(work, layer_sink, total, title=job.source_name)

    def _fewer(self, num_steps: int) -> None:
        self.recipe.set_value(self.recipe.value().replaced(num_steps=num_steps, stop_at=None))

    def let_go(self, closed: bool) -> None:
        """Stop what is computed; of a dock that is closed the preview goes."""
        super().let_go(closed)
        if closed:
            self.stop_preview()
            self.parameter_sweep.close_sweep()
        self.run_options.live.drop()

    # --- what the form says ---

    def _source_changed(self) -> None:
        self.recipe.set_resolved(None)
        self.evidence.show_evidence(None)
        self.recipe.set_world_unit(self.source.axes.unit())
        with contextlib.suppress(ValueError):
            self.recipe.set_pixel_size(pixel_size(self.source.value().options["spacing"]))
        self._show_need()

    def _show_need(self) -> None:
        if not self.runner.is_running:
            self.controls.say("")
        try:
            run_source = self.source.value()
            job = self.job(run_source)
        except (ValueError, RunError):
            self.result.show_need(None, "auto")
            return
        self.warm(job)
        result = self.result.value()[0]
        kind = memory.chosen_result(result, len(job.kept))
        self.result.show_need(need_of(job, result), kind, len(run_source.layers))

    def show_error(self, error: RunError) -> None:
        """Say what is wrong next to where it is."""
        sentence = str(error)
        match error.part:
            case "memory":
                if not self.result.message.text():
                    self.result.show_error(sentence, [])
            case "recipe":
                self.recipe.say(sentence)
                self.controls.say("Not started: see the message in red.", bad=True)
                for message in self.recipe.findChildren(MessageLabel):
                    if message.text() == sentence:
                        self._area.ensureWidgetVisible(message)
            case _:
                super().show_error(error)
