"""The recipe that a sample image comes with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.loop.recipe import Recipe

if TYPE_CHECKING:
    from napari.layers import Image


def sample_recipe(layer: Image) -> Recipe | None:
    """Return the recipe that the manual shows a sample image with; None for any other layer."""
    sample = layer.metadata.get("napari_diffusion_sample")
    recipe = sample.get("recipe") if isinstance(sample, dict) else None
    if not isinstance(recipe, dict):
        return None
    try:
        return Recipe.from_dict(recipe)
    except (ValueError, TypeError):
        return None  # what a layer from elsewhere brings is no recipe of a sample
