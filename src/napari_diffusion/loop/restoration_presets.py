"""Recipes that restore an image from what was measured of it, or from little light."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.filters import LearnedDiffusion
from napari_diffusion.filters.denoisers.guided_filter import with_strength
from napari_diffusion.loop.recipe import Recipe
from napari_diffusion.measurements import Binned, Blurred, Masked, Wedge
from napari_diffusion.schedules import Karras

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_diffusion.measurements import Measurement

# How many times as much noise as there is the filter is told in restorations.
_TOLD = 2.0

# Where frequencies are measured, and not pixels, even more brings results nearer to the image.
_TOLD_OF_FREQUENCIES = 4.0


def _restoring(
    measurement: Measurement, told: float = _TOLD, end: float = 0.005, start: str = "100 % of range"
) -> Recipe:
    """Return reverse steps from noise that hides what is missing to next to none.

    The filter is told more noise than there is. Results of several seeds then differ less than
    samples would, and each is nearer to the image: smooth ones hold less texture of photographs.
    """
    return Recipe(
        num_steps=30,
        starting_noise_scale=start,
        schedule=Karras(end=end),
        diffusion_filter=with_strength(LearnedDiffusion(noise_sigma="step"), told),
        update="reverse",
        measurement=measurement,
    )


RESTORATIONS: Mapping[str, Recipe] = {
    "restore holes": _restoring(Masked()),
    "sharpen": _restoring(Blurred(), _TOLD_OF_FREQUENCIES, end=0.015),
    "enlarge": _restoring(Binned()),
    "fill the wedge": _restoring(Wedge(), _TOLD_OF_FREQUENCIES, end=0.1, start="auto"),
    # The image itself is what the first step has noise in: white where photons are stabilised.
    "low light": Recipe(
        num_steps=30,
        starting_noise_scale="auto",
        schedule=Karras(end=0.05),
        diffusion_filter=LearnedDiffusion(noise_sigma="step"),
        domain="auto",
        update="reverse",
    ),
}
