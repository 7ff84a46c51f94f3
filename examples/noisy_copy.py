"""A noisy copy alone: the same seed and step give the same noise, in a crop too."""

import numpy as np

import napari_diffusion as nd
from napari_diffusion.samples import SAMPLES

truth = SAMPLES["phantom"]().truth
gaussian = nd.noise.Gaussian()

noisy = gaussian(truth, noise_scale=0.1, seed=7)
again = gaussian(truth, noise_scale=0.1, seed=7)
other = gaussian(truth, noise_scale=0.1, seed=7, step=1)
corner = gaussian(truth[:10, :20, :30], noise_scale=0.1, seed=7)

print(f"standard deviation of what was added: {np.std(noisy - truth):.4f}")
print(f"twice the same: {np.array_equal(noisy, again)}")
print(f"another step, the same: {np.array_equal(noisy, other)}")
print(f"a crop, the same: {np.array_equal(noisy[:10, :20, :30], corner)}")
