"""A scene of known ground truth, recorded with known noise."""

from __future__ import annotations

import functools

import numpy as np
from scipy import ndimage

SHAPE = (600, 700)


@functools.cache
def scene(shape=SHAPE, seed=0):
    """Return soft blobs, hard discs and a ramp, from 0 to 1."""
    random = np.random.default_rng(seed)
    soft = ndimage.gaussian_filter(random.random(shape), 14)
    soft = (soft - soft.min()) / np.ptp(soft)
    discs = ndimage.gaussian_filter(random.random(shape), 9) > 0.52
    return 0.45 * soft + 0.2 * discs + 0.35 * np.linspace(0, 1, shape[1])


def recorded(clean, gain=0.0, read=0.0, offset=0.0, seed=1):
    """Return what a camera of so many intensities a photon makes of a scene."""
    random = np.random.default_rng(seed)
    counted = gain * random.poisson(clean / gain) if gain else clean
    return offset + counted + read * random.normal(size=clean.shape)
