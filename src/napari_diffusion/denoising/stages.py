"""The stages of a denoiser: the result of each filter of its blend, and its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from napari_diffusion.core.image import Image
from napari_diffusion.engine.block import Block
from napari_diffusion.engine.threads import Threads
from napari_diffusion.filters import Blend, Opponent

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.core.grid import Grid, GridOptions
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.filters import Filter
    from napari_diffusion.loop.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Stage:
    """One filter of a blend.

    Attributes
    ----------
    name : str
        Its number and type, such as "1 ReactionDiffusion".
    image : ndarray
        The result of the filter, in intensities.
    weights : ndarray
        Its weight in the blend at each pixel; for joint colours that of the first channel, which is
        brightness.
    weight : float
        The mean of `weights`.
    """

    name: str
    image: NDArray[Any]
    weights: NDArray[Any]
    weight: float


def stages(
    image: ArrayLike | Image,
    recipe: Recipe,
    *,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> list[Stage]:
    """Return the stages of a recipe's first filter: those of a `Blend`, as in the preset denoise.

    Any other filter is its own only stage.

    Parameters
    ----------
    image : array_like
        The source; never written.
    recipe : Recipe
        Resolved on it, or not yet.
    stop : StopToken, optional
        Once it is set, `Stopped` is raised within a tile.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    Examples
    --------
    >>> import numpy as np, napari_diffusion as nd
    >>> from napari_diffusion.denoising.stages import stages
    >>> noisy = np.random.default_rng(0).normal(size=(32, 32))
    >>> [stage.name for stage in stages(noisy, nd.PRESETS["denoise fast"])]
    ['0 Learned diffusion']
    """
    source, threads = Image.of(image, **options), Threads(stop=stop)
    if not recipe.is_resolved:
        recipe = recipe.resolved_on(source)
    colours, blend = _blend_of(recipe.filters[0], source.grid)
    grid, domain = source.grid, recipe.working_domain
    values = source.data if domain is None else domain.stabilise(source.data, threads)
    values = values if colours is None else colours.to_opponent(values, grid)
    made = []
    block = Block(np.ascontiguousarray(values), grid, threads=threads)
    for name, stage, weights in blend.weighted_stages(block):
        shown = stage
        if colours is not None:
            shown = colours.to_colours(stage, grid)
        if domain is not None:
            shown = domain.intensity(np.ascontiguousarray(shown), threads)
        joint = colours is not None and grid.rgb
        spread = np.broadcast_to(weights[:, :1], weights.shape) if joint else weights
        mean = float(spread.mean(dtype=np.float64))
        made.append(Stage(name, source.restored(shown), source.restored(spread), mean))
    return made


def _blend_of(chosen: Filter, grid: Grid) -> tuple[Opponent | None, Blend]:
    """Return the colour transform around a blend, if there is one, and the blend."""
    colours = chosen if isinstance(chosen, Opponent) else None
    inner = chosen if colours is None else colours.inner(grid)
    if not isinstance(inner, Blend):
        inner = Blend((inner,), weights=(1.0,), noise_sigma=0.0)
    return colours, inner
