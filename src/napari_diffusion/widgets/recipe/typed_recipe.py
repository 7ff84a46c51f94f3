"""A recipe as it was typed, and what it is on an image with another unit or pixel size."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_diffusion.loop.recipe_units import converted

if TYPE_CHECKING:
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.loop.recipe_units import LengthUnit


class TypedRecipe(NamedTuple):
    """A recipe, and the unit that its lengths were typed in.

    What is shown for another image is made from it each time, so that going there and back
    changes no digit.

    Attributes
    ----------
    recipe : Recipe
        As it was typed.
    unit : LengthUnit or None
        None where it is not known, as of a file without.
    """

    recipe: Recipe
    unit: LengthUnit | None

    def on(self, unit: LengthUnit) -> tuple[Recipe, str]:
        """Return the recipe for an image, and a sentence where numbers were changed."""
        return (self.recipe, "") if self.unit == unit else converted(self.recipe, self.unit, unit)
