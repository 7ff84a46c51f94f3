"""The noise-and-diffusion loop, its recipe and its components by name."""

from __future__ import annotations

from napari_diffusion.loop import recipe_units, registry
from napari_diffusion.loop.loop import run, steps
from napari_diffusion.loop.presets import PRESETS
from napari_diffusion.loop.recipe import Recipe
from napari_diffusion.loop.step import Step

__all__ = ["PRESETS", "Recipe", "Step", "recipe_units", "registry", "run", "steps"]
