"""A dock whose runs follow the recipe in its form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.widgets.docks.dock import Dock
from napari_diffusion.widgets.recipe.recipe_form import RecipeWidget
from napari_diffusion.widgets.run.run_controls import Controls
from napari_diffusion.widgets.run.run_request import RunError

if TYPE_CHECKING:
    import napari

    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.source.run_source import RunSource


class RecipeDock(Dock):
    """A source and a recipe, from which previews, sweeps and ensembles start as well as runs.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__(viewer, Controls())
        self.recipe = RecipeWidget()

    def recipe_value(self) -> Recipe:
        """Return the form's recipe; `RunError` says what is wrong with the form."""
        try:
            return self.recipe.value()
        except ValueError as error:
            raise RunError("recipe", str(error)) from None

    def job(self, run_source: RunSource) -> Job:
        """Return the job of a run on a source; `RunError` says what is wrong with the form."""
        raise NotImplementedError

    def stop_preview(self) -> None:
        """Remove the preview before something else is computed."""
        raise NotImplementedError
