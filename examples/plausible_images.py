"""Reverse updates: plausible images behind a noisy one, and their mean, which is nearer to it."""

import numpy as np
from skimage import data

import napari_diffusion as nd

sigma = 0.1
truth = data.camera()[:128, 160:288] / 255
noisy = nd.noise.Gaussian()(truth, sigma, seed=100)

recipe = nd.Recipe(
    num_steps=30,
    starting_noise_scale=sigma,  # that of the noisy image; "auto" measures it
    schedule=nd.schedules.Karras(end=0.02),
    diffusion_filter=nd.filters.LearnedDiffusion(noise_sigma="step"),
    update="reverse",
)
images = [nd.run(noisy, recipe.replaced(seed=seed)).image for seed in range(4)]


def error(image: np.ndarray) -> float:
    """Return the root mean square error of an image."""
    return float(np.sqrt(np.mean((image - truth) ** 2)))


print(f"the noisy image: error {error(noisy):.4f}")
print(f"one plausible image, not a measurement: error {error(images[0]):.4f}")
print(f"the mean of {len(images)}: error {error(np.mean(images, axis=0)):.4f}")
print(f"they differ by {np.std(images, axis=0, ddof=1).mean():.4f} on average")
