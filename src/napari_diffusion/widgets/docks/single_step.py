"""What docks have in common that make one new layer: the noise and the filters on their own."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, ClassVar, cast

from napari_diffusion.widgets.docks.layer_dock import LayerDock
from napari_diffusion.widgets.forms.message import Action
from napari_diffusion.widgets.forms.units import Units
from napari_diffusion.widgets.recipe.typed_recipe import TypedRecipe
from napari_diffusion.widgets.results.folder_result import FolderStart
from napari_diffusion.widgets.results.layer_sink import single_result
from napari_diffusion.widgets.run import memory
from napari_diffusion.widgets.run.run_controls import RunControls
from napari_diffusion.widgets.run.run_request import RunError

if TYPE_CHECKING:
    import napari

    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.loop.step import Step
    from napari_diffusion.widgets.forms.box import Box
    from napari_diffusion.widgets.forms.form_row import FormRow
    from napari_diffusion.widgets.layers.step_layers import LayerSink
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import Work
    from napari_diffusion.widgets.source.run_source import RunSource


class SingleStep(LayerDock):
    """Makes one new layer of the source, which stays as it is.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that the dock belongs to.
    button, about : str
        What the main button says, and what it does.
    """

    #: Whether it can be done in parts, which are written to a folder.
    in_parts: ClassVar[bool] = False

    def __init__(self, viewer: napari.Viewer, button: str, about: str) -> None:
        super().__init__(viewer, RunControls(button, about), single=True)
        self._rows: list[FormRow] = []
        self._typed: TypedRecipe | None = None
        self._units: Units | None = None
        self._is_default = True
        self._filling = False
        self.controls.run_clicked.connect(self.run)
        self.runner.resolved.connect(self.set_resolved)

    def show_form(self, rows: list[FormRow]) -> None:
        """Show the rows of the form, from top to bottom, between the source and the rest."""
        self._rows = rows
        boxes = cast("list[Box]", rows)
        self.lay_out([self.source, *boxes, self.advanced], [self.controls])
        for row in rows:
            row.changed.connect(self._edited)
        self._typed = TypedRecipe(self.recipe(), Units().of_length)
        self._source_changed()

    def recipe(self) -> Recipe:
        """Return what is to be done as a recipe of one step; ValueError says what is wrong."""
        raise NotImplementedError

    def shown_recipe(self) -> Recipe:
        """Return what is to be done; its kernels are compiled before it is run."""
        return self.recipe()

    def show_recipe(self, recipe: Recipe) -> None:
        """Show what is to be done."""
        raise NotImplementedError

    def work(self, job: Job, layer_sink: LayerSink) -> Work:
        """Return what the thread does."""
        raise NotImplementedError

    def title(self, step: Step, record: StepRecord) -> str:
        """Return what the new layer is called."""
        raise NotImplementedError

    def set_resolved(self, recipe: Recipe | None) -> None:
        """Show the values that every "auto" stands for; None forgets them."""
        raise NotImplementedError

    def run(self) -> None:
        """Make the layer; errors are shown, not raised."""
        with self.showing_errors():
            run_source = self.run_source()
            try:
                recipe = self.recipe()
            except (ValueError, TypeError) as error:
                raise RunError("form", str(error)) from None
            if self.in_parts and self._took(run_source, recipe):
                return
            job, layer_sink = single_result(self.viewer, run_source, recipe, self.title)
            self.runner.start(self.work(job, layer_sink), layer_sink, title=job.source_name)

    def _took(self, run_source: RunSource, recipe: Recipe) -> bool:
        """Start it in a folder where it does not fit into memory; see `FolderStart.took`."""
        job = run_source.job(recipe, 1, memory.free_memory())
        start = FolderStart(self.viewer, self.runner, self.title)
        return start.took(run_source, job, "layers", job.source_name)

    def form_problem(self) -> str | None:
        """Return what is wrong with the form, None where nothing is."""
        problem = next((each.problem for each in self._rows if each.problem), None)
        if problem is None:
            try:
                self.recipe()
            except (ValueError, TypeError) as error:
                return str(error)
        return problem

    def source_changed(self) -> None:
        """Show the form in the units of another source; what becomes of lengths is said."""
        self.set_resolved(None)
        units = self.units()
        if self._typed is None or units == self._units:
            return
        self._units = units
        for row in self._rows:
            row.set_units(units)
        recipe, said = self._typed.on(units.of_length)
        typed = self._typed.recipe
        self._fill(recipe)
        if said and not self._is_default and not self.runner.is_running:
            undo = Action("Undo", lambda: self._take(typed))
            self.controls.message.say(said, "warning", undo)

    def _take(self, recipe: Recipe) -> None:
        """Take numbers as they were typed, in the unit of the source."""
        self._fill(recipe)
        self._edited()

    def _fill(self, recipe: Recipe) -> None:
        self._filling = True
        try:
            self.show_recipe(recipe)
        finally:
            self._filling = False

    def _edited(self) -> None:
        if self._filling:
            return
        self._is_default = False
        with contextlib.suppress(ValueError):
            self._typed = TypedRecipe(self.recipe(), self.units().of_length)
        self.show_possible()
        self.changed.emit(self)
