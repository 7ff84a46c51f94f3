"""Recipes with a name, written for samples at a distance of 1; see `Recipe.scaled`."""

from __future__ import annotations

from types import MappingProxyType

from napari_diffusion.filters import Heat, PeronaMalik
from napari_diffusion.noise import Gaussian
from napari_diffusion.recipe import Recipe
from napari_diffusion.schedules import Constant, Geometric

# Of the numbers that the window and the command line make for a picture's spacing.
DIGITS = 3

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
            num_steps=8,
            starting_noise_scale=0.0,
            noise=None,
            schedule=Constant(),
            diffusion_filter=PeronaMalik(contrast="auto", smoothing=0.7, time=0.2),
            final_filter=None,
        ),
    }
)
