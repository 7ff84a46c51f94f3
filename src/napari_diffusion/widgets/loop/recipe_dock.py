"""A dock with a recipe, whose values can be measured on the image."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from magicgui.widgets import PushButton
from qtpy.QtCore import QTimer

from napari_diffusion.loop.sampling import sampling_note
from napari_diffusion.widgets.docks.layer_dock import LayerDock
from napari_diffusion.widgets.forms.fold import Fold
from napari_diffusion.widgets.forms.message import Action
from napari_diffusion.widgets.loop.evidence import EvidenceBox
from napari_diffusion.widgets.loop.evidence_work import evidence_work, with_evidence
from napari_diffusion.widgets.loop.sample_recipe import sample_recipe
from napari_diffusion.widgets.recipe.recipe_form import RecipeForm
from napari_diffusion.widgets.recipe.typed_recipe import TypedRecipe
from napari_diffusion.widgets.run.found_message import caution_of, found_message
from napari_diffusion.widgets.source.noise_measurement import measuring_work, rounded_noise
from napari_diffusion.widgets.source.noise_meter import NoiseMeter

if TYPE_CHECKING:
    from collections.abc import Sequence

    import napari
    from qtpy.QtWidgets import QScrollArea

    from napari_diffusion.estimate import NoiseModel
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.loop.recipe_units import LengthUnit
    from napari_diffusion.widgets.forms.theme import Role
    from napari_diffusion.widgets.run.run_controls import RunControls
    from napari_diffusion.widgets.run.run_request import EvidenceReady, Job, RunError
    from napari_diffusion.widgets.source.run_source import RunSource

_ESTIMATE = "Measure the image: the values behind every auto are shown beside it."


class RecipeDock(LayerDock):
    """Shows a recipe in the unit of the image, and measures what it leaves open.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that the dock belongs to.
    controls : RunControls
        The buttons.
    """

    _area: QScrollArea

    def __init__(self, viewer: napari.Viewer, controls: RunControls) -> None:
        self.recipe = RecipeForm()
        self.evidence = EvidenceBox()
        self.estimate_button = PushButton(text="Estimate", tooltip=_ESTIMATE)
        self._said_of_units = self._said_of_sampling = ""
        super().__init__(viewer, controls, single=False)
        self.meter = NoiseMeter(self.viewer, self.source)
        self.recipe.noise_buttons.insert(0, self.estimate_button)
        self.recipe.noise.add_details(Fold("Measure noise", self.meter))
        self._scroller = QTimer(self.native)
        self._scroller.setSingleShot(True)
        self._scroller.timeout.connect(self._scroll_to_evidence)
        self.recipe.changed.connect(self.recipe_changed)
        self.recipe.problem_changed.connect(self.show_possible)
        self.estimate_button.changed.connect(self.estimate)
        self.meter.clicked.connect(self.measure)
        self.evidence.taken.connect(self.take_number)
        self.runner.resolved.connect(self.recipe.set_resolved)
        self.runner.measured.connect(self.fill_noise)
        self.runner.found.connect(self._show_evidence)
        self.controls.running.connect(self.show_measurable)

    @property
    def value(self) -> Recipe:
        """The recipe; ValueError says in one sentence what is wrong with the form."""
        return self.recipe.value

    @value.setter
    def value(self, recipe: Recipe) -> None:
        self.recipe.value = recipe

    def job(self, run_source: RunSource) -> Job:
        """Return the job of a run on a source; `RunError` says what is wrong with the form."""
        raise NotImplementedError

    def shown_recipe(self) -> Recipe:
        """Return the recipe; its kernels are compiled before it is run."""
        return self.value

    def form_problem(self) -> str | None:
        """Return what is wrong with the form, None where nothing is."""
        return self.recipe.problem

    def use_recipe(
        self, recipe: Recipe, mask_name: str | None = None, made_for: LengthUnit | None = None
    ) -> None:
        """Fill the form with the recipe of a step, and choose the mask that it had.

        Parameters
        ----------
        recipe : Recipe
            The recipe.
        mask_name : str, optional
            Name of the layer of the mask, where there was one.
        made_for : LengthUnit, optional
            What its lengths are in; without, they are in the unit of the image.
        """
        self.recipe.take(TypedRecipe(recipe, made_for or self.recipe.unit))
        said = "Filled in the recipe"
        if mask_name and self.source.mask.set_named(mask_name):
            said += " and the mask"
        elif mask_name:
            said += f"; its mask {mask_name!r} was removed or does not fit the image"
        self.say_filled_in(said)

    # --- what is measured ---

    def estimate(self) -> None:
        """Find the value behind every "auto", and show what it and others were read from."""
        with self.showing_errors():
            job = self.job(self.run_source())
            self.runner.start(evidence_work(job), title=f"Estimate on {job.source_name!r}")

    def measure(self) -> None:
        """Measure the noise of the source, and fill the form with it."""
        with self.showing_errors():
            options = self.meter.measuring_options()
            job = self.job(self.run_source())
            title = f"Measure the noise of {job.source_name!r}"
            self.runner.start(measuring_work(job, options), title=title)

    def take_number(self, name: str, number: float) -> None:
        """Fill the form with a number of the evidence: a noise scale, a contrast or a time."""
        with self.showing_errors():
            self.value = with_evidence(self.job(self.run_source()).recipe, name, number)
            self.controls.say(f"Filled in {name.replace('_', ' ')} {number:g}.")

    def fill_noise(self, model: NoiseModel) -> None:
        """Fill the form with the noise that was measured, where the recipe has noise at all."""
        words = model.in_words().removesuffix(".")
        said = f"Measured: {words}. The recipe has no noise: choose one to fill this in."
        with contextlib.suppress(ValueError):
            recipe = self.value
            if recipe.noise is not None:
                noise, scale = rounded_noise(model)
                kind = {"noise": noise} if recipe.update == "whole" else {}
                self.value = recipe.replaced(starting_noise_scale=scale, **kind)
                said = f"Filled in what was measured: {words}."
        self.meter.show_model(model)
        self._conclude(said, model.warnings)

    def _show_evidence(self, news: EvidenceReady) -> None:
        self.evidence.show_evidence(news.evidence, self.units())
        sentence, role, details = found_message(news.report)
        said = f"{sentence}; all estimates stand beside the fields. {caution_of(news.report)}"
        action = Action("Show evidence", self._open_evidence)
        self.controls.conclude(said.strip(), role, action, details=details)

    def _conclude(self, sentence: str, warnings: Sequence[str], *actions: Action) -> None:
        role: Role = "warning" if warnings else "good"
        self.controls.conclude(sentence, role, *actions, details="\n\n".join(warnings))

    def _open_evidence(self) -> None:
        self.advanced.open = self.evidence.open = True
        # What has been unfolded has a place once it is laid out.
        self._scroller.start(0)

    def _scroll_to_evidence(self) -> None:
        native, bar = self.evidence.native, self._area.verticalScrollBar()
        if bar is not None:
            bar.setValue(native.mapTo(self._area.widget(), native.rect().topLeft()).y())

    # --- what the dock shows ---

    def source_changed(self) -> None:
        """Follow another image: its sample's recipe, its unit and its pixel size."""
        self.recipe.set_resolved(None)
        self.evidence.show_evidence(None, self.units())
        layer = self.source.layer()
        if layer is not None:
            self.recipe.presets.offer_sample(sample_recipe(layer))
            self.recipe.set_units(self.units())

    def recipe_changed(self) -> None:
        """Follow an edit; docks extend this."""
        self.show_possible()
        self._say_of_sampling(sampling_note(self.value))
        self.changed.emit(self)

    def show_possible(self) -> None:
        """Enable what there is something to do for, and say what stands in the way."""
        super().show_possible()
        self.show_measurable()
        if self.controls.run.enabled and self.recipe.note:
            self._say_of_units(self.recipe.note)
        else:
            self.take_back(self._said_of_units)

    def show_measurable(self) -> None:
        """Enable what measures, and what fills in a number, where that can be done now."""
        idle = not self.controls.is_running
        self.estimate_button.enabled = bool(self.controls.run.enabled)
        self.meter.set_possible(idle and self.source.problem is None)
        self.evidence.body.enabled = idle

    def say_filled_in(self, said: str) -> None:
        """Say that a recipe was filled in, and what became of its lengths."""
        if self.recipe.note:
            self._say_of_units(f"{said}. {self.recipe.note}")
        else:
            self.controls.message.say(f"{said}.", "good")

    def _say_of_units(self, sentence: str) -> None:
        undo = (Action("Undo", self.recipe.keep_as_typed),) if self.recipe.is_converted else ()
        self._said_of_units = sentence
        self.controls.message.say(sentence, "warning", *undo)

    def _say_of_sampling(self, sentence: str) -> None:
        if sentence:
            self.controls.message.say(sentence, "warning")
        else:
            self.take_back(self._said_of_sampling)
        self._said_of_sampling = sentence

    def take_back(self, said: str) -> None:
        """Take a message away unless another has come in its place."""
        if said and self.controls.message.sentence == said:
            self.controls.say("")

    def show_error(self, error: RunError) -> None:
        """Say what is wrong, and mark the field that it names."""
        super().show_error(error)
        if error.part == "recipe":
            self.recipe.mark(str(error))
