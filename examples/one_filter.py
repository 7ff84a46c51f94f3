"""A filter alone: what "auto" chose, and how much noise is left."""

import napari_diffusion as nd
from napari_diffusion.samples import SAMPLES

picture = SAMPLES["microscopy"]()
grid = {"axes": picture.axes, "spacing": picture.spacing}

contrast = nd.estimate.contrast(picture.image, **grid)
smooth = nd.filters.PeronaMalik(contrast=contrast, time=0.05)  # µm², as the spacing is in µm
filtered = smooth(picture.image, **grid)

print(f"edges: what is steeper than {contrast:.0f} per {picture.unit}")
print(f"noise before: {nd.estimate.noise_sigma(picture.image, **grid):.2f}")
print(f"noise after:  {nd.estimate.noise_sigma(filtered, **grid):.2f}")
