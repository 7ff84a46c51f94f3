"""A recipe for the dock *Diffusion loop*, which is opened by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from napari_diffusion.loop.recipe_units import unit_of
from napari_diffusion.widgets.docks.dock_tabs import open_dock
from napari_diffusion.widgets.forms.box import Box

if TYPE_CHECKING:
    import napari

    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.loop.recipe_units import LengthUnit

LOOP = "Diffusion loop"


@runtime_checkable
class RecipeUser(Protocol):
    """A dock that can be filled with a recipe."""

    def use_recipe(
        self, recipe: Recipe, mask_name: str | None, made_for: LengthUnit | None
    ) -> None:
        """Show a recipe, whose lengths are in some unit, and choose the mask of that name."""


def open_loop(viewer: napari.Viewer) -> Box:
    """Open the dock of the loop, or bring it to the front, and return it."""
    return open_dock(viewer, LOOP, Box)


def hand_over(viewer: napari.Viewer, recipe: Recipe, record: StepRecord) -> None:
    """Open the dock of the loop, or bring it to the front, with a recipe filled in.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose dock.
    recipe : Recipe
        The recipe of a step, or one that was made from it.
    record : StepRecord
        Of the step: it names the mask, and the unit of the recipe's lengths.
    """
    dock = open_loop(viewer)
    assert isinstance(dock, RecipeUser)
    mask = record.get("mask")
    dock.use_recipe(recipe, None if mask is None else mask["layer"], unit_of(record))
