"""The row of a random seed."""

from __future__ import annotations

import secrets

from napari_diffusion.core.parameter import Parameter
from napari_diffusion.loop.recipe import Recipe
from napari_diffusion.widgets.forms.field import Field

_SEED = Parameter("seed", "int", 0, tooltip="Random seed: the same seed gives the same noise.")


class SeedField(Field):
    """A random seed, typed or drawn."""

    def __init__(self) -> None:
        super().__init__(_SEED, lambda seed: Recipe(seed=seed).seed)

    def draw(self) -> None:
        """Put another random seed."""
        # 32 bits are short enough to be read out and plenty to be new.
        self.value = secrets.randbits(32)
