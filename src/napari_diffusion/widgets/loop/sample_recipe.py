"""The recipe that a sample image comes with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.loop.recipe import Recipe

if TYPE_CHECKING:
    from napari.layers import Image


def sample_recipe(layer: Image) -> tuple[str, Recipe | None]:
    """Return the name of a layer's sample and the recipe that the manual shows it with.

    The name is empty and the recipe None where the layer comes with none.
    """
    sample = layer.metadata.get("napari_diffusion_sample")
    recipe = sample.get("recipe") if isinstance(sample, dict) else None
    if not isinstance(sample, dict) or not isinstance(recipe, dict):
        return "", None
    return str(sample.get("name", layer.name)), Recipe.from_dict(recipe)
