"""The dock *Filter*."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.filters import Filter
from napari_diffusion.loop.recipe import Recipe
from napari_diffusion.loop.registry import component_class
from napari_diffusion.widgets.docks.single_step import SingleStep
from napari_diffusion.widgets.forms.component_choice import ComponentChoice
from napari_diffusion.widgets.run.loop_run import loop_work

if TYPE_CHECKING:
    import napari

    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.loop.step import Step
    from napari_diffusion.widgets.layers.step_layers import LayerSink
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import Work


class FilterLayer(SingleStep):
    """Applies one filter to an image layer; the result is a new layer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer that the dock belongs to.
    """

    in_parts = True

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        about = "Apply the filter once. The result is a new layer; the source stays unchanged."
        super().__init__(napari_viewer, "Filter", about)
        self.filter = ComponentChoice("filter", unfolded=True)
        self.show_form([self.filter])

    @property
    def value(self) -> Filter:
        """The filter; ValueError says what is wrong with its parameters."""
        chosen = self.filter.value
        assert isinstance(chosen, Filter)
        return chosen

    @value.setter
    def value(self, chosen: Filter) -> None:
        self.filter.value = chosen

    def recipe(self) -> Recipe:
        """Return the filter as a recipe of one step without noise."""
        return Recipe(num_steps=1, noise=None, diffusion_filter=self.value)

    def show_recipe(self, recipe: Recipe) -> None:
        """Show the filter of a recipe."""
        self.filter.value = recipe.diffusion_filter

    def work(self, job: Job, layer_sink: LayerSink) -> Work:
        """Return the work of the loop, of which one step is all."""
        return loop_work(job, layer_sink)

    def title(self, step: Step, record: StepRecord) -> str:
        """Return the name of the filter, and its time where it has one."""
        del step
        made = record["recipe"]["diffusion_filter"]
        time = made.get("time")
        return component_class("filter", made["type"]).display_name + (
            f" t={time:.4g}" if isinstance(time, int | float) else ""
        )

    def set_resolved(self, recipe: Recipe | None) -> None:
        """Show the values that every "auto" stands for; None forgets them."""
        self.filter.set_resolved(recipe and recipe.diffusion_filter)
