"""The noise-and-diffusion loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from napari_diffusion.loop.noise_scales import first_noise_scale, update_noise_scale
from napari_diffusion.loop.run_state import RunState
from napari_diffusion.loop.step import Step

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import ArrayLike

    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.core.image import Image
    from napari_diffusion.core.noise_scale import NoiseScale
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.loop.recipe import Recipe


def steps(
    image: ArrayLike | Image,
    recipe: Recipe,
    *,
    region: tuple[slice, ...] | None = None,
    first_step: int = 0,
    noise_scale: NoiseScale | None = None,
    noisy: ArrayLike | Image | None = None,
    keep_noisy: bool = False,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> Generator[Step, None, None]:
    """Run the noise-and-diffusion loop and yield its steps one by one.

    Each step adds noise and applies the diffusion filter; the last one applies the final filter.
    Nothing is computed before the first step is requested.

    With ``update="reverse"`` the noise of a step is that of the image: see `Recipe`.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes. Never written. A dask
        array gives steps of lazy dask arrays.
    recipe : Recipe
        The recipe. Each "auto" in it is resolved on the whole image first.
    region : tuple of slice, optional
        One slice per axis of the image: only this part of the result is computed.
    first_step : int
        Continue with this step, `image` being the result of the step before it. The recipe must
        then be resolved.
    noise_scale : float or tuple of float, optional
        The noise scale of `first_step`, required only for a schedule that measures it:
        `next_noise_scale` of the step before.
    noisy : array_like, optional
        The noisy image of the step before `first_step`, `Step.noisy`, required only for reverse
        updates.
    keep_noisy : bool
        Whether every step of reverse updates has its noisy image, not the last one alone.
    stop : StopToken, optional
        Has ``is_set()``, like a `threading.Event`; once set, `Stopped` is raised after a tile.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    Yields
    ------
    Step
        num_steps + 1 steps. The last has index num_steps, noise_scale 0.0 and is_final; without a
        final filter its image equals the one before.

    Examples
    --------
    >>> import numpy as np, napari_diffusion as nd
    >>> recipe = nd.Recipe(num_steps=3, starting_noise_scale=0.1)
    >>> [step.index for step in nd.steps(np.eye(8), recipe)]
    [0, 1, 2, 3]
    """
    state = RunState.of(image, recipe, region, first_step, stop, options, noisy)
    image, recipe = state.start, state.recipe

    noise_scale = first_noise_scale(recipe, first_step, noise_scale)
    for step in range(first_step, recipe.total_steps):
        used = noise_scale
        image = state.add_noise(image, recipe.noise, used, step)
        image, removed = state.apply_filter(image, recipe.filter_at(step), used)
        noise_scale = update_noise_scale(used, recipe.schedule, step, recipe.num_steps, removed)
        kept = state.noisy(image) if keep_noisy or step == recipe.total_steps - 1 else None
        yield Step(step, used, state.image(image), False, noise_scale, kept)

    final_image, _ = state.apply_filter(image, recipe.final_filter)
    kept = state.noisy(final_image)
    yield Step(recipe.total_steps, 0.0, state.image(final_image), is_final=True, noisy=kept)


def run(
    image: ArrayLike | Image,
    recipe: Recipe,
    *,
    region: tuple[slice, ...] | None = None,
    first_step: int = 0,
    noise_scale: NoiseScale | None = None,
    noisy: ArrayLike | Image | None = None,
    keep_noisy: bool = False,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> Step:
    """Run the whole loop and return its final step; see `steps` for the parameters."""
    made = steps(
        image,
        recipe,
        region=region,
        first_step=first_step,
        noise_scale=noise_scale,
        noisy=noisy,
        keep_noisy=keep_noisy,
        stop=stop,
        **options,
    )
    for step in made:
        last = step
    return last
