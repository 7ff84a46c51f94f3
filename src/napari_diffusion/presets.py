"""Recipes with a name, written for samples at a distance of 1; see `Recipe.scaled`."""

from __future__ import annotations

from types import MappingProxyType

from napari_diffusion.filters import (
    Blend,
    HaarDiffusion,
    Heat,
    NonLocalDiffusion,
    PeronaMalik,
    ReactionDiffusion,
)
from napari_diffusion.noise import Gaussian
from napari_diffusion.recipe import Recipe
from napari_diffusion.schedules import Constant, Geometric

# Of the numbers that the window and the command line make for a picture's spacing.
DIGITS = 3


def _denoiser(strides: tuple[int, int], radii: tuple[int, ...], local: bool) -> Blend:
    """Return windows of two sizes and non-local means, all behind one pilot, and their blend."""
    pilot = HaarDiffusion()
    small = ReactionDiffusion(pilot=pilot, window=8, stride=strides[0])
    large = ReactionDiffusion(pilot=pilot, window=16, stride=strides[1])
    both = Blend((small, large), weights=(0.5, 0.5))
    strengths = (0.15, 0.3)
    further = (
        NonLocalDiffusion(pilot=both, radius=radius, patch=1 + k, strength=strengths[k])
        for k, radius in enumerate(radii)
    )
    return Blend((both, small, *further), local=local)


PRESETS = MappingProxyType(
    {
        "explore": Recipe(
            num_steps=10,
            starting_noise_scale="auto",
            noise=Gaussian(),
            schedule=Geometric(end=0.1),
            diffusion_filter=PeronaMalik(contrast="auto", smoothing=0.7, time=0.3),
            final_filter=Heat(time=0.25),
        ),
        "denoise": Recipe(
            num_steps=1,
            starting_noise_scale=0.0,
            noise=None,
            schedule=Constant(),
            diffusion_filter=_denoiser(strides=(2, 3), radii=(7, 7), local=True),
        ),
        "denoise fast": Recipe(
            num_steps=1,
            starting_noise_scale=0.0,
            noise=None,
            schedule=Constant(),
            diffusion_filter=_denoiser(strides=(3, 5), radii=(5,), local=False),
        ),
        "smooth": Recipe(
            num_steps=8,
            starting_noise_scale=0.0,
            noise=None,
            schedule=Constant(),
            diffusion_filter=PeronaMalik(contrast="auto", smoothing=0.7, time=0.2),
            final_filter=None,
        ),
    }
)
