"""Scenes for traces of JPEG."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def scene(shape, seed=0):
    """Return texture of several scales with noise, whole numbers from 0 to 255."""
    rng = np.random.default_rng(seed)
    layers = (
        gain * ndimage.gaussian_filter(rng.normal(size=shape), sigma)
        for sigma, gain in ((12, 700), (3, 90), (1, 15), (0, 1.5))
    )
    return np.clip(np.rint(128 + sum(layers)), 0, 255).astype(np.uint8)
