"""Which steps of a run are kept, in files and as layers alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_diffusion.loop.recipe import Recipe


def kept_steps(recipe: Recipe, keep_every: int | None = 1, first_step: int = 0) -> list[int]:
    """Return the indices of the steps to keep: step 0, every n-th after it, and the last one.

    The final filter's result is always kept; without a final filter that step equals the one
    before it and is left out.

    Parameters
    ----------
    recipe : Recipe
        What runs.
    keep_every : int or None
        n; None keeps the last image of the run alone.
    first_step : int
        The step that the run goes on with.
    """
    total = recipe.total_steps
    final = [] if recipe.final_filter is None else [total]
    if keep_every is None:
        return final or [total - 1]
    steps = range(first_step, total)
    return [i for i in steps if i % keep_every == 0 or i == total - 1] + final
