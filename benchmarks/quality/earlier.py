"""The denoiser before anything was learned, as a measure of what was won."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import napari_diffusion as nd
from napari_diffusion.filters import (
    Blend,
    HaarDiffusion,
    NonLocalDiffusion,
    Opponent,
    PlanesOrVolumes,
    ReactionDiffusion,
)

if TYPE_CHECKING:
    from napari_diffusion.filters import Filter

NAME = "denoise before learning"


def _planes(noise_sigma: Any) -> Filter:
    pilot = HaarDiffusion(levels=5)
    small = ReactionDiffusion(pilot=pilot, window=8, stride=2)
    large = ReactionDiffusion(pilot=pilot, window=16, stride=3)
    both = Blend((small, large), weights=(0.5, 0.5))
    near = NonLocalDiffusion(pilot=both, patch=1, strength=0.15)
    similar = NonLocalDiffusion(pilot=both, patch=2, strength=0.3)
    widest = ReactionDiffusion(pilot=pilot, window=32, stride=8)
    return Blend((both, small, near, similar, widest), noise_sigma=noise_sigma, local=True)


def _volumes(noise_sigma: Any) -> Filter:
    windows = ReactionDiffusion(pilot=HaarDiffusion(levels=3), window=8, stride=2)
    near = NonLocalDiffusion(pilot=windows, patch=1, strength=0.15)
    similar = NonLocalDiffusion(pilot=windows, patch=1, strength=0.4)
    again = ReactionDiffusion(pilot=near, window=8, stride=2)
    return Blend((similar, near, windows, again), noise_sigma=noise_sigma)


def denoise(noisy: Any, noise_sigma: float | None = None, **options: Any) -> Any:
    """Return what it makes of an image, with the noise measured or given."""
    sigma: Any = "auto" if noise_sigma is None else noise_sigma
    recipe = nd.PRESETS["denoise"].replaced(
        diffusion_filter=Opponent(PlanesOrVolumes(_planes(sigma), _volumes(sigma)))
    )
    if noise_sigma is not None:
        recipe = recipe.replaced(domain=None)
    return nd.run(noisy, recipe, **options).image
