"""A face put into a photograph, and the loop on the face or on all of it."""

from __future__ import annotations

from typing import Any

import numpy as np

import napari_diffusion as nd
from benchmarks.traces.changes import sampled
from benchmarks.traces.pictures import jpeg, rng_of, rounded, whole_picture
from benchmarks.traces.regions import feathered

# Corners (top, bottom, left, right) of two faces, and the size at which each is drawn.
FACES = {"astronaut": ((56, 184, 168, 280), 0.9), "chelsea": ((40, 200, 120, 280), 0.75)}

# Starting noise of the loop in grey levels; the total time is a quarter of it.
STRENGTHS = (0, 1, 2, 4, 8, 16)
_STEPS = 10


def face(name: str) -> Any:
    """Return a face of about 110 × 100 with a history of its own: JPEG-80, then another size."""
    (top, bottom, left, right), size = FACES[name]
    found = jpeg(whole_picture(name), 80)[top:bottom, left:right]
    shape = tuple(round(size * n) for n in found.shape)
    return sampled(found, np.eye(2) / size, (0, 0), (0, 0), shape=shape)


def inserted(below: Any, name: str, seed: str) -> tuple[Any, Any]:
    """Return a picture with a face in it, brightness and contrast matched, and where it is."""
    above, rng = face(name), rng_of(seed, name)
    h, w = above.shape
    y, x = (int(rng.integers(8, n - m - 8)) for n, m in zip(below.shape, (h, w), strict=True))
    across, down = (np.mgrid[:h, :w].T - np.array([h - 1, w - 1]) / 2).T
    inside = (across / (0.46 * h)) ** 2 + (down / (0.46 * w)) ** 2 < 1
    here = below[y : y + h, x : x + w]
    gain = np.clip(max(here[inside].std(), 12.0) / above[inside].std(), 0.5, 1.5)
    above = (above - above[inside].mean()) * gain + here[inside].mean()
    weight = feathered(inside, 2.5)
    made, mask = below.copy(), np.zeros(below.shape, bool)
    made[y : y + h, x : x + w] = here * (1 - weight) + above * weight
    mask[y : y + h, x : x + w] = weight > 0.5
    return rounded(made), mask


def looped(values: Any, strength: float, seed: int = 1) -> Any:
    """Return what the loop makes: noise, diffusion, less noise, ten times, then a little heat."""
    if not strength:
        return values
    recipe = nd.Recipe(
        num_steps=_STEPS,
        starting_noise_scale=float(strength),
        noise=nd.noise.Gaussian(),
        schedule=nd.schedules.Geometric(end=0.1),
        diffusion_filter=nd.filters.PeronaMalik(time=strength / 4 / _STEPS, smoothing=0.7),
        final_filter=nd.filters.Heat(time=0.25),
        seed=seed,
    )
    return np.asarray(nd.run(values.astype(np.float32), recipe).image, np.float64)
