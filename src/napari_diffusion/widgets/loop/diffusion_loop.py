"""The dock *Diffusion loop*."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

from magicgui.widgets import CheckBox

from napari_diffusion.analysis.noise_free_run import can_be_noise_free
from napari_diffusion.widgets.docks.dock_tabs import open_dock
from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.forms.form_row import problem_of
from napari_diffusion.widgets.forms.message import Action
from napari_diffusion.widgets.loop.filter_view_button import FilterViewButton
from napari_diffusion.widgets.loop.preview_row import PreviewRow
from napari_diffusion.widgets.loop.recipe_dock import RecipeDock
from napari_diffusion.widgets.recipe.saved_recipes import SavedRecipes
from napari_diffusion.widgets.results.folder_result import FolderStart
from napari_diffusion.widgets.results.layer_sink import layer_sink_for
from napari_diffusion.widgets.results.noise_free_layers import with_noise_free_runs
from napari_diffusion.widgets.run import memory
from napari_diffusion.widgets.run.loop_run import loop_work
from napari_diffusion.widgets.run.memory_check import check_memory, need_of, offers
from napari_diffusion.widgets.run.result_choice import ResultChoice, need_words
from napari_diffusion.widgets.run.run_controls import RunControls
from napari_diffusion.widgets.run.run_request import Job, RunError

if TYPE_CHECKING:
    import napari

    from napari_diffusion.widgets.run.memory import Result
    from napari_diffusion.widgets.source.run_source import RunSource

_ABOUT = "Run the recipe on the image; every step becomes a layer, the image stays as it is."
_NOISE_FREE = (
    "Also run the same recipe without noise, as hidden layers; each record gets the distance of "
    "its step from the noise-free one. Shows the effect of the noise."
)

_NO_REGION = (
    "A measurement restores the image as a whole, and a region of it is chosen: choose the whole "
    "under Advanced, or crop the layer first."
)


class DiffusionLoop(RecipeDock):
    """Runs the noise-and-diffusion loop on an image layer, each step a new layer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        self.result = ResultChoice()
        self.noise_free_run = CheckBox(text="Also run without noise", tooltip=_NOISE_FREE)
        self._offers: list[Action] = []
        self._said_of_preview = ""
        super().__init__(napari_viewer, RunControls("Run", _ABOUT, many=True))
        self.saved_recipes = SavedRecipes(self.recipe)
        self.preview = PreviewRow(self)
        self.filter_view = FilterViewButton(self)
        self._lay_out()
        self._connect()
        self._source_changed()

    def _lay_out(self) -> None:
        self.recipe.diffusion_filter.add_details(self.preview, self.filter_view)
        own = (self.recipe.advanced, self.result, self.noise_free_run)
        for place, widget in enumerate(own):
            self.advanced.body.insert(place, widget)
        self.advanced.body.extend([self.saved_recipes, self.evidence])
        self._area = self.lay_out([self.source, self.recipe, self.advanced], [self.controls])

    def _connect(self) -> None:
        self.result.changed.connect(self.show_possible)
        self.noise_free_run.changed.connect(self.show_possible)
        self.controls.run_clicked.connect(self.run)
        self.preview.live.reported.connect(self._say_of_preview)
        self.saved_recipes.reported.connect(self.controls.message.say)
        self.saved_recipes.loaded.connect(lambda name: self.say_filled_in(f"Loaded {name}"))

    # --- from the form to a run ---

    def run(self) -> None:
        """Run the recipe on the source; errors are shown, not raised."""
        with self.showing_errors():
            run_source = self.run_source()
            job, result = self.job(run_source), self.result.value[0]
            title = f"Diffusion loop on {run_source.name!r}"
            steps = Action("Show steps", lambda: open_dock(self.viewer, "Steps", Box))
            self._offers = []
            in_folder = FolderStart(self.viewer, self.runner)
            if in_folder.took(run_source, job, result, title, steps):
                self.preview.live.stop()
                return
            self._check_memory(job, result)
            self.preview.live.stop()
            chosen = self.viewer, run_source.layers, job, run_source.styles, result
            layer_sink = layer_sink_for(*chosen)
            if job.noise_free_run:
                layer_sink = with_noise_free_runs(layer_sink, *chosen)
            total = job.recipe.total_steps + (job.recipe.final_filter is not None)
            self.runner.start(
                loop_work(job, layer_sink), layer_sink, total, title=title, actions=(steps,),
                remark=_rounding(job),
            )  # fmt: skip

    def job(self, run_source: RunSource) -> Job:
        """Return the job of a run on a source; `RunError` says what is wrong with the form."""
        try:
            recipe, keep_every = self.value, self.result.value[1]
        except ValueError as error:
            raise RunError("recipe", str(error)) from None
        if recipe.measurement is not None and run_source.region is not None:
            raise RunError("source", _NO_REGION)
        job = run_source.job(recipe, keep_every, memory.free_memory())
        wanted = bool(self.noise_free_run.value) and can_be_noise_free(recipe)
        return dataclasses.replace(job, noise_free_run=wanted)

    def form_problem(self) -> str | None:
        """Return what is wrong with the form, None where nothing is."""
        return super().form_problem() or problem_of(self.result)

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

    def recipe_changed(self) -> None:
        """Follow an edit: there is not always a noise-free run beside."""
        self.noise_free_run.enabled = can_be_noise_free(self.value)
        super().recipe_changed()

    def show_possible(self) -> None:
        """Enable what there is something to do for, and say what a run takes."""
        super().show_possible()
        words = ""
        with contextlib.suppress(ValueError, RunError):
            run_source = self.source.value
            job, result = self.job(run_source), self.result.value[0]
            kind = memory.chosen_result(result, len(job.kept))
            words = need_words(need_of(job, result), kind, len(run_source.layers))
        self.result.show_need(words and f"A run makes {words}.")
        self.controls.run.tooltip = f"{_ABOUT} It makes {words}." if words else _ABOUT

    def show_measurable(self) -> None:
        """Enable what measures where that can be done now; the preview and the view likewise."""
        super().show_measurable()
        possible, recipe = bool(self.controls.run.enabled), None
        self.preview.tick.enabled = possible
        with contextlib.suppress(ValueError):
            recipe = self.value
        self.filter_view.set_possible(possible, recipe)

    def _say_of_preview(self, sentence: str, bad: bool) -> None:
        if not sentence:
            self.take_back(self._said_of_preview)
            return
        self._said_of_preview = sentence
        self.controls.message.say(sentence, "error" if bad else "help")

    def show_error(self, error: RunError) -> None:
        """Say what is wrong, and offer what would fit into memory."""
        super().show_error(error)
        if error.part == "memory":
            self.controls.message.say(str(error), "error", *self._offers)


def _rounding(job: Job) -> str:
    """Return what becomes of colours with noise, where steps are rounded to the image's type."""
    if job.cast is None or not job.cast.record()["rounded"] or job.recipe.noise is None:
        return ""
    return f", rounded to {job.cast.dtype}, as RGB layers are"
