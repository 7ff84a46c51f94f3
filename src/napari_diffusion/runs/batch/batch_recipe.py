"""The recipe of a batch, measured on each file or on the first one for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_diffusion.denoising.noise_report import noise_report
from napari_diffusion.loop.recipe_units import converted

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_diffusion.denoising.noise_report import NoiseReport
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.loop.recipe_units import LengthUnit
    from napari_diffusion.runs.batch.batch_plan import Resolve
    from napari_diffusion.runs.run_input import RunInput


class FileRecipe(NamedTuple):
    """The recipe for a file.

    Attributes
    ----------
    recipe : Recipe
        As it is asked for, or as it was measured on the first file.
    resolved_on : str
        The name of the file that it is measured on.
    report : NoiseReport or None
        What was found of the noise, where that has been measured.
    """

    recipe: Recipe
    resolved_on: str
    report: NoiseReport | None = None


class BatchRecipe:
    """Returns the recipe for one file after the other.

    Parameters
    ----------
    asked : callable
        Returns the recipe asked for, for an image.
    resolve : {"each", "first"}
        Whether it is measured on each file, or on the first one for all.
    """

    def __init__(self, asked: Callable[[RunInput], Recipe], resolve: Resolve) -> None:
        self._asked, self._resolve = asked, resolve
        self._first: tuple[FileRecipe, LengthUnit] | None = None

    def on(self, read: RunInput, name: str) -> FileRecipe:
        """Return the recipe for a file of this name."""
        if self._resolve == "each":
            return FileRecipe(self._asked(read), name)
        if self._first is None:
            asked = self._asked(read)
            found = asked.resolved_on(read.image)
            made = FileRecipe(found, name, noise_report(read.image, asked, found))
            self._first = made, read.length_unit
            return made
        first, unit = self._first
        # Lengths measured on one image are the same lengths on another.
        return FileRecipe(converted(first.recipe, unit, read.length_unit)[0], first.resolved_on)
