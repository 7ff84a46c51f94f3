"""A filter alone: what "auto" chose, and how much noise is left."""

import napari_diffusion as nd
from napari_diffusion.samples import SAMPLES

image = SAMPLES["microscopy"]()
grid = {"axes": image.axes, "spacing": image.spacing}

contrast = nd.estimate.contrast(image.image, **grid)
smooth = nd.filters.PeronaMalik(contrast=contrast, time=0.05)  # µm², as the spacing is in µm
filtered = smooth(image.image, **grid)

print(f"edges: what is steeper than {contrast:.0f} per {image.unit}")
print(f"noise before: {nd.estimate.noise_sigma(image.image, **grid):.2f}")
print(f"noise after:  {nd.estimate.noise_sigma(filtered, **grid):.2f}")
