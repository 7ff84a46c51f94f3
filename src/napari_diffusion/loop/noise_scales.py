"""The noise scale of each step of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.core.noise_scale import checked_scale

if TYPE_CHECKING:
    from napari_diffusion.core.noise_scale import NoiseScale
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.schedules import Schedule


def first_noise_scale(
    recipe: Recipe, first_step: int, given: NoiseScale | None = None
) -> NoiseScale:
    """Return the noise scale of the first step of a run of a resolved recipe.

    Raises
    ------
    ValueError
        If the schedule measures its noise scales and that of the first step is not given.
    """
    if given is not None:
        return checked_scale(given)
    scale = recipe.starting_noise_scale
    assert scale is not None
    assert not isinstance(scale, str)
    if recipe.schedule.tabulated or recipe.noise is None:
        for step in range(first_step):
            scale = update_noise_scale(scale, recipe.schedule, step, recipe.num_steps, removed=0.0)
    elif 0 < first_step < recipe.total_steps:
        raise ValueError(
            f"first_step={first_step} with the schedule {type(recipe.schedule).__name__} needs "
            "noise_scale, which the step before measured: use next_noise_scale of that step or "
            "of its record."
        )
    return scale


def update_noise_scale(
    noise_scale: NoiseScale,
    schedule: Schedule,
    step: int,
    num_steps: int,
    removed: NoiseScale | None = None,
) -> NoiseScale:
    """Return the noise scale of the step after `step`, for each channel if it has many."""
    if not isinstance(noise_scale, tuple):
        assert not isinstance(removed, tuple)
        return schedule.next_scale(noise_scale, step, num_steps, removed)
    each = removed if isinstance(removed, tuple) else (removed,) * len(noise_scale)
    return tuple(
        schedule.next_scale(scale, step, num_steps, taken)
        for scale, taken in zip(noise_scale, each, strict=True)
    )
