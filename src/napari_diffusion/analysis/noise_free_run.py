"""A run and its noise-free run: the same recipe with and without noise, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from napari_diffusion.core.image import Image
from napari_diffusion.loop.loop import steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.loop.step import Step


def noise_free_run(
    image: ArrayLike | Image,
    recipe: Recipe,
    *,
    region: tuple[slice, ...] | None = None,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> Iterator[tuple[Step, Step]]:
    """Run a recipe with and without its noise; yield each step and its noise-free counterpart.

    The filters have the same parameters in both, resolved on the image once, so the noise alone
    makes the difference: `noise_effect` measures it.

    Parameters
    ----------
    image, recipe, region, stop, **options
        As for `steps`.

    Yields
    ------
    step, quiet : Step
        What `steps` yields for the recipe, and for the same parameters without noise.

    Raises
    ------
    ValueError
        If the recipe has no noise.

    Examples
    --------
    >>> import numpy as np, napari_diffusion as nd
    >>> recipe = nd.Recipe(num_steps=2, starting_noise_scale=0.1)
    >>> pairs = nd.analysis.noise_free_run(np.eye(8), recipe)
    >>> [bool((step.image == quiet.image).all()) for step, quiet in pairs]
    [False, False, False]
    """
    source = Image.of(image, **options)
    resolved = recipe.resolved_on(source)
    run, quiet = (
        steps(source, each, region=region, stop=stop)
        for each in (resolved, without_noise(resolved))
    )
    yield from zip(run, quiet, strict=True)


def can_be_noise_free(recipe: Recipe) -> bool:
    """Return whether a recipe has noise, and can do without."""
    told = any(each.set_by_step() for each in recipe.filters)
    return recipe.noise is not None and recipe.update == "whole" and not told


def without_noise(recipe: Recipe) -> Recipe:
    """Return a resolved recipe without its noise, all other parameters unchanged."""
    if recipe.noise is None:
        raise ValueError(
            "A noise-free run shows the effect of the noise, but this recipe adds none: choose a "
            "noise."
        )
    if not can_be_noise_free(recipe):
        raise ValueError(
            "There is no noise-free run of reverse updates, nor of a filter with "
            'noise_sigma="step": both take their steps from the noise. Use update="whole" and a '
            "number for noise_sigma."
        )
    return recipe.replaced(noise=None, starting_noise_scale=0.0)


def noise_effect(step: Step, quiet: Step, mask: NDArray[Any] | None = None) -> float:
    """Return the root mean square of a step minus its noise-free run, in intensity units.

    Parameters
    ----------
    step, quiet : Step
        As `noise_free_run` yields them.
    mask : ndarray of bool, optional
        Where to measure, in the step's axes; values that are not finite are always excluded.
    """
    difference = np.subtract(step.image, quiet.image, dtype=np.float64)
    if mask is not None:
        difference = difference[mask]
    difference = difference[np.isfinite(difference)]
    return float(np.sqrt(np.mean(np.square(difference)))) if difference.size else 0.0
