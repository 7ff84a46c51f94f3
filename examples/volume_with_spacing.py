"""A volume whose slices are four times as far apart as its pixels, and its steps on disk."""

import numpy as np

import napari_diffusion as nd
from napari_diffusion.samples import SAMPLES

volume = SAMPLES["phantom"]()
crop = (slice(10, 30), slice(30, 110), slice(30, 110))
recipe = nd.PRESETS["smooth"].replaced(
    num_steps=6,
    # In µm²: equal to a Gaussian of σ = √(2 · 6 · 0.05) ≈ 0.8 µm where there are no edges.
    diffusion_filter=nd.filters.PeronaMalik(contrast="auto", smoothing=0.5, time=0.05),
)


def error(image):
    """Return the root mean square distance to the ground truth."""
    return float(np.sqrt(np.mean((image - volume.truth[crop]) ** 2)))


print(f"spacing {volume.spacing} {volume.unit}")
print(f"before: {error(volume.image[crop]):.3f} away from the ground truth")
grid = {"axes": "zyx", "spacing": volume.spacing}
for step in nd.steps(volume.image, recipe, region=crop, **grid):
    if step.is_final:
        break  # no final filter: it equals the one before
    print(f"step {step.index}: {error(step.image):.3f} away from the ground truth")
