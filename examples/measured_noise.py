"""Measure the noise of frames of the same scene, and add that noise to another image."""

from __future__ import annotations

import numpy as np
from skimage import data

import napari_diffusion as nd

# A camera of 2 intensities a photon, an offset of 100 and a read noise of 8.
camera = nd.noise.PoissonGaussian(gain=2.0, offset=100.0, read_noise=8.0)
scene = 100 + 4.0 * data.camera()[::2, ::2]
frames = np.stack([camera(scene, None, seed=k) for k in range(8)])

model = nd.estimate.noise_model(frames, axes="tyx", repeats="t", offset=100.0)
print(model.in_words())
for warning in model.warnings:
    print("But:", warning)

other = 100 + 4.0 * data.moon()[::2, ::2]
noisy = model.noise()(other, None, seed=100)
print(f"Its noise: {np.std(noisy - other):.1f}")
