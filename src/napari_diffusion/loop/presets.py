"""Recipes that come with the program, for a pixel size of 1; see `Recipe.scaled`."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from napari_diffusion.filters import (
    Blend,
    Filter,
    HaarDiffusion,
    Heat,
    LearnedDiffusion,
    NonLocalBayes,
    NonLocalDiffusion,
    Opponent,
    PeronaMalik,
    PlanesOrVolumes,
    ReactionDiffusion,
)
from napari_diffusion.loop.recipe import Recipe
from napari_diffusion.loop.restoration_presets import RESTORATIONS
from napari_diffusion.noise import Gaussian
from napari_diffusion.schedules import Constant, Geometric

if TYPE_CHECKING:
    from collections.abc import Iterable

# Digits of the parameters that are scaled to the pixel size of an image.
DIGITS = 3


def pixel_size(spacing: Iterable[float]) -> float:
    """Return the pixel size that presets and defaults are scaled to: the smallest of an image."""
    return min(spacing)


def _denoiser(fast: bool) -> Filter:
    """Return the blend for planes or for volumes, around which colours become opponent ones."""
    return Opponent(PlanesOrVolumes(_planar(fast), _solid(fast)))


def _planar(fast: bool) -> Filter:
    """Return learned diffusion; unless fast, its blend with filters that err in other ways."""
    pilot = LearnedDiffusion()
    if fast:
        return pilot
    other = HaarDiffusion(levels=5)
    large = ReactionDiffusion(pilot=other, window=16, stride=3)
    widest = ReactionDiffusion(pilot=other, window=32, stride=8)
    return Blend((NonLocalBayes(pilot=pilot), pilot, large, widest))


def _solid(fast: bool) -> Filter:
    """Return windows, means and groups through planes, and learned diffusion within each."""
    pilot, other = LearnedDiffusion(), HaarDiffusion(levels=3)
    windows = ReactionDiffusion(pilot=other, window=8, stride=3 if fast else 2)
    if fast:
        similar = NonLocalDiffusion(pilot=windows, radius=3, strength=0.3)
        return Blend((similar, windows, pilot))
    near = NonLocalDiffusion(pilot=windows, patch=1, strength=0.15)
    similar = NonLocalDiffusion(pilot=windows, patch=1, strength=0.4)
    guide = Blend((pilot, near), weights=(0.5, 0.5))
    groups = NonLocalBayes(pilot=guide, radius=3, patch=5, stride=5)
    return Blend((groups, pilot, other, windows, near, similar))


PRESETS = MappingProxyType(
    {
        "explore": Recipe(
            num_steps=10,
            starting_noise_scale="5 % of range",
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
            diffusion_filter=_denoiser(fast=False),
            domain="auto",
        ),
        "denoise fast": Recipe(
            num_steps=1,
            starting_noise_scale=0.0,
            noise=None,
            schedule=Constant(),
            diffusion_filter=_denoiser(fast=True),
            domain="auto",
        ),
        "smooth": Recipe(
            num_steps=8,
            starting_noise_scale=0.0,
            noise=None,
            schedule=Constant(),
            diffusion_filter=PeronaMalik(contrast="auto", smoothing=0.7, time=0.2),
            final_filter=None,
        ),
        **RESTORATIONS,
    }
)
