"""What the loop of a recipe may be taken for, and what a result of it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.filters import Custom
from napari_diffusion.filters.denoisers.guided_filter import has_noise_sigma

if TYPE_CHECKING:
    from napari_diffusion.loop.recipe import Recipe

#: What a result of reverse updates is, wherever it is named.
PLAUSIBLE = "one plausible image, not a measurement"


def sampling_note(recipe: Recipe) -> str:
    """Return in a sentence why a recipe that looks like sampling is none, nothing for others.

    Samples are made by reverse updates with a filter that is told the noise of each step. Whole
    updates with such a filter forget the image little by little, and with a filter that is told
    another noise they end in patterns of its own.
    """
    # Of what a user's own filters know nothing is known, nor of one filter for each step.
    if any(isinstance(each, Custom) for each in recipe.filters):
        return ""
    if len(recipe.filters) >= recipe.total_steps > 1:
        return ""
    if recipe.update == "reverse":
        untold = [each for each in recipe.filters if not each.set_by_step()]
        return (
            "Reverse updates make samples only with a filter that is told the noise of each step, "
            f"and {untold[0].display_name} is not: use LearnedDiffusion with noise_sigma=step."
            if untold
            else ""
        )
    repeated = recipe.noise is not None and recipe.total_steps > 1
    if not repeated or not any(map(has_noise_sigma, recipe.filters)):
        return ""
    return (
        "This loop looks like sampling and is none: repeated whole updates lose what the image "
        "shows. Use update=reverse with noise_sigma=step."
    )
