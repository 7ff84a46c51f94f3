"""The dock *Diffusion loop*."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

from magicgui.widgets import CheckBox, PushButton

from napari_diffusion.widgets.docks.dock_tabs import open_dock
from napari_diffusion.widgets.docks.layer_dock import LayerDock
from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.forms.fold import Fold
from napari_diffusion.widgets.forms.form_row import problem_of
from napari_diffusion.widgets.forms.message import Action
from napari_diffusion.widgets.loop.evidence import EvidenceBox, about
from napari_diffusion.widgets.loop.evidence_work import evidence_work, with_evidence
from napari_diffusion.widgets.loop.preview_row import PreviewRow
from napari_diffusion.widgets.loop.sample_recipe import sample_recipe
from napari_diffusion.widgets.recipe.recipe_form import RecipeForm
from napari_diffusion.widgets.recipe.saved_recipes import SavedRecipes
from napari_diffusion.widgets.recipe.typed_recipe import TypedRecipe
from napari_diffusion.widgets.results.layer_sink import layer_sink_for
from napari_diffusion.widgets.results.noise_free_layers import with_noise_free_runs
from napari_diffusion.widgets.run import memory
from napari_diffusion.widgets.run.loop_run import loop_work
from napari_diffusion.widgets.run.memory_check import check_memory, need_of, offers
from napari_diffusion.widgets.run.result_choice import ResultChoice, need_words
from napari_diffusion.widgets.run.run_controls import RunControls
from napari_diffusion.widgets.run.run_request import Job, RunError
from napari_diffusion.widgets.source.noise_measurement import measuring_work, rounded_noise
from napari_diffusion.widgets.source.noise_meter import NoiseMeter

if TYPE_CHECKING:
    import napari

    from napari_diffusion.estimate import Evidence, NoiseModel
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.loop.recipe_units import LengthUnit
    from napari_diffusion.widgets.forms.theme import Role
    from napari_diffusion.widgets.run.memory import Result
    from napari_diffusion.widgets.source.run_source import RunSource

_ABOUT = "Run the recipe on the image; every step becomes a layer, the image stays as it is."
_ESTIMATE = "Measure the image: the values behind every auto are shown beside it."
_NOISE_FREE = (
    "Also run the same recipe without noise, as hidden layers; each record gets the distance of "
    "its step from the noise-free one. Shows the effect of the noise."
)


class DiffusionLoop(LayerDock):
    """Runs the noise-and-diffusion loop on an image layer, each step a new layer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        self.recipe = RecipeForm()
        self.result = ResultChoice()
        self.saved_recipes = SavedRecipes(self.recipe)
        self.evidence = EvidenceBox()
        self.noise_free_run = CheckBox(text="Also run without noise", tooltip=_NOISE_FREE)
        self.estimate_button = PushButton(text="Estimate", tooltip=_ESTIMATE)
        self._offers: list[Action] = []
        self._said_of_units = self._said_of_preview = ""
        super().__init__(napari_viewer, RunControls("Run", _ABOUT, many=True), single=False)
        self.meter = NoiseMeter(self.viewer, self.source)
        self.preview = PreviewRow(self)
        self._lay_out()
        self._connect()
        self._source_changed()

    def _lay_out(self) -> None:
        self.recipe.noise_buttons.insert(0, self.estimate_button)
        self.recipe.noise.add_details(Fold("Measure noise", self.meter))
        self.recipe.diffusion_filter.add_details(self.preview)
        own = (self.recipe.advanced, self.result, self.noise_free_run)
        for place, widget in enumerate(own):
            self.advanced.body.insert(place, widget)
        self.advanced.body.extend([self.saved_recipes, self.evidence])
        self.evidence.show_evidence(None, self.units())
        self._area = self.lay_out([self.source, self.recipe, self.advanced], [self.controls])

    def _connect(self) -> None:
        self.recipe.changed.connect(self._edited)
        self.recipe.problem_changed.connect(self.show_possible)
        self.result.changed.connect(self.show_possible)
        self.noise_free_run.changed.connect(self.show_possible)
        self.controls.run_clicked.connect(self.run)
        self.controls.running.connect(self._show_running)
        self.estimate_button.changed.connect(self.estimate)
        self.meter.clicked.connect(self.measure)
        self.evidence.taken.connect(self.take_number)
        self.runner.resolved.connect(self.recipe.set_resolved)
        self.runner.measured.connect(self.fill_noise)
        self.runner.found.connect(self._show_evidence)
        self.preview.live.reported.connect(self._say_of_preview)
        self.saved_recipes.reported.connect(self.controls.message.say)
        self.saved_recipes.loaded.connect(self._loaded)

    @property
    def value(self) -> Recipe:
        """The recipe; ValueError says in one sentence what is wrong with the form."""
        return self.recipe.value

    @value.setter
    def value(self, recipe: Recipe) -> None:
        self.recipe.value = recipe

    # --- what the buttons do ---

    def run(self) -> None:
        """Run the recipe on the source; errors are shown, not raised."""
        with self.showing_errors():
            run_source = self.run_source()
            job, result = self.job(run_source), self.result.value[0]
            self._check_memory(job, result)
            self.preview.live.stop()
            chosen = self.viewer, run_source.layers, job, run_source.styles, result
            layer_sink = layer_sink_for(*chosen)
            if job.noise_free_run:
                layer_sink = with_noise_free_runs(layer_sink, *chosen)
            total = job.recipe.total_steps + (job.recipe.final_filter is not None)
            steps = Action("Show steps", lambda: open_dock(self.viewer, "Steps", Box))
            self.runner.start(
                loop_work(job, layer_sink), layer_sink, total,
                title=f"Diffusion loop on {run_source.name!r}", actions=(steps,),
                remark=_rounding(job),
            )  # fmt: skip

    def estimate(self) -> None:
        """Find the value behind every "auto", and show what it and others were read from."""
        with self.showing_errors():
            job = self.job(self.run_source())
            self.runner.start(evidence_work(job), title=f"Estimate on {job.source_name!r}")

    def measure(self) -> None:
        """Measure the noise of the source, and fill the form with it."""
        with self.showing_errors():
            options = self.meter.measuring_options()
            work = measuring_work(self.job(self.run_source()), options)
            self.runner.start(work, title="Measure noise")

    def take_number(self, name: str, number: float) -> None:
        """Fill the form with a number of the evidence: a noise scale, a contrast or a time."""
        with self.showing_errors():
            self.value = with_evidence(self.job(self.run_source()).recipe, name, number)
            self.controls.say(f"Filled in {name.replace('_', ' ')} {number:g}.")

    def fill_noise(self, model: NoiseModel) -> None:
        """Fill the form with the noise that was measured, where the recipe has noise at all."""
        done = "The recipe has no noise: choose one to fill in the measurement."
        with contextlib.suppress(ValueError):
            recipe = self.value
            if recipe.noise is not None:
                noise, scale = rounded_noise(model)
                self.value = recipe.replaced(noise=noise, starting_noise_scale=scale)
                done = "Filled in this noise and its scale."
        self.meter.show_model(model)
        role: Role = "warning" if model.warnings else "good"
        details = "\n\n".join(model.warnings)
        self.controls.conclude(f"{model.in_words()} {done}", role, details=details)

    def use_recipe(
        self, recipe: Recipe, mask_name: str = "", made_for: LengthUnit | None = None
    ) -> None:
        """Fill the form with the recipe of a step, and choose the mask that it had.

        Parameters
        ----------
        recipe : Recipe
            The recipe.
        mask_name : str
            Name of the layer of the mask, empty where there was none.
        made_for : LengthUnit, optional
            What its lengths are in; without, they are in the unit of the image.
        """
        self.recipe.take(TypedRecipe(recipe, made_for or self.recipe.unit))
        said = "Filled in the recipe"
        if mask_name and self.source.mask.set_named(mask_name):
            said += " and the mask"
        elif mask_name:
            said += f"; its mask {mask_name!r} was removed or does not fit the image"
        self._loaded(said)

    # --- from the form to a run ---

    def job(self, run_source: RunSource) -> Job:
        """Return the job of a run on a source; `RunError` says what is wrong with the form."""
        try:
            recipe, keep_every = self.value, self.result.value[1]
        except ValueError as error:
            raise RunError("recipe", str(error)) from None
        job = run_source.job(recipe, keep_every, memory.free_memory())
        wanted = bool(self.noise_free_run.value) and recipe.noise is not None
        return dataclasses.replace(job, noise_free_run=wanted)

    def form_problem(self) -> str | None:
        """Return what is wrong with the form, None where nothing is."""
        return self.recipe.problem or problem_of(self.result)

    def _check_memory(self, job: Job, result: Result) -> None:
        try:
            check_memory(job, result)
        except RunError:
            self._offers = offers(job, result, self._keep, self._fewer)
            raise

    def _keep(self, result: Result, keep_every: int) -> None:
        self.result.value = result, keep_every

    def _fewer(self, num_steps: int) -> None:
        self.value = self.value.replaced(num_steps=num_steps, stop_at=None)

    def let_go(self, closed: bool) -> None:
        """Stop what is computed; of a dock that is closed the preview goes."""
        super().let_go(closed)
        if closed:
            self.preview.live.stop()
        self.preview.live.drop()

    # --- what the dock shows ---

    def shown_recipe(self) -> Recipe:
        """Return the recipe; its kernels are compiled before it is run."""
        return self.value

    def source_changed(self) -> None:
        """Follow another image: its sample's recipe, its unit and its pixel size."""
        self.recipe.set_resolved(None)
        self.evidence.show_evidence(None, self.units())
        layer = self.source.layer()
        if layer is not None:
            self.recipe.presets.offer_sample(*sample_recipe(layer))
            self.recipe.set_units(self.units())

    def show_possible(self) -> None:
        """Enable what there is something to do for, and say what stands in the way."""
        super().show_possible()
        possible, idle = bool(self.controls.run.enabled), not self.runner.is_running
        for widget in (self.estimate_button, self.preview.tick):
            widget.enabled = possible
        self.meter.set_possible(idle and self.source.problem is None)
        self._show_need()
        if possible and self.recipe.note:
            self._say_of_units(self.recipe.note)
        else:
            self._take_back(self._said_of_units)

    def _edited(self) -> None:
        self.show_possible()
        recipe = self.value
        self.noise_free_run.enabled = recipe.noise is not None
        self.changed.emit(self)

    def _show_need(self) -> None:
        words = ""
        with contextlib.suppress(ValueError, RunError):
            run_source = self.source.value
            job, result = self.job(run_source), self.result.value[0]
            kind = memory.chosen_result(result, len(job.kept))
            words = need_words(need_of(job, result), kind, len(run_source.layers))
        self.result.show_need(words and f"A run makes {words}.")
        self.controls.run.tooltip = f"{_ABOUT} It makes {words}." if words else _ABOUT

    def _show_running(self, on: bool) -> None:
        for widget in (self.estimate_button, self.preview.tick, *self.evidence.buttons.values()):
            widget.enabled = not on
        self.meter.set_possible(not on and self.source.problem is None)

    def _say_of_units(self, sentence: str) -> None:
        undo = (Action("Undo", self.recipe.keep_as_typed),) if self.recipe.is_converted else ()
        self._said_of_units = sentence
        self.controls.message.say(sentence, "warning", *undo)

    def _loaded(self, said: str) -> None:
        if self.recipe.note:
            self._say_of_units(f"{said}. {self.recipe.note}")
        else:
            self.controls.message.say(f"{said}.", "good")

    def _say_of_preview(self, sentence: str, bad: bool) -> None:
        if not sentence:
            self._take_back(self._said_of_preview)
            return
        self._said_of_preview = sentence
        self.controls.message.say(sentence, "error" if bad else "help")

    def _take_back(self, said: str) -> None:
        """Take a message away unless another has come in its place."""
        if self.controls.message.sentence == said:
            self.controls.say("")

    def _show_evidence(self, evidence: Evidence) -> None:
        self.evidence.show_evidence(evidence, self.units())
        warnings = () if evidence.model is None else evidence.model.warnings
        self.controls.conclude(
            f"Estimated; the values stand beside the fields. {about(evidence)}",
            "warning" if warnings else "good",
            Action("Show evidence", self._open_evidence),
            details="\n\n".join(warnings),
        )

    def _open_evidence(self) -> None:
        self.advanced.open = self.evidence.open = True
        self._area.ensureWidgetVisible(self.evidence.native)

    def show_error(self, error: RunError) -> None:
        """Say what is wrong, mark where it is, and offer what would fit."""
        super().show_error(error)
        if error.part == "recipe":
            self.recipe.mark(str(error))
        elif error.part == "memory":
            self.controls.message.say(str(error), "error", *self._offers)


def _rounding(job: Job) -> str:
    """Return what becomes of colours with noise, where steps are rounded to the image's type."""
    if job.cast is None or not job.cast.record()["rounded"] or job.recipe.noise is None:
        return ""
    return f", rounded to {job.cast.dtype}, as RGB layers are"
