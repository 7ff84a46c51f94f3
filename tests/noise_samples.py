"""What the tests of noises share: the noise of a component alone, and how far from chance it is."""

from __future__ import annotations

import numpy as np
from scipy import stats


def noise_of(component, shape, scale=1.0, dtype=np.float64, seed=0, **options):
    """Return the noise that a component adds to an image of zeros."""
    return component(np.zeros(shape, dtype), scale, seed=seed, **options)


def distance(sample, cdf):
    """Return the Kolmogorov–Smirnov distance times √n, above 2 once in 1500 pixels."""
    found = stats.kstest(sample.ravel(), cdf)
    return found.statistic * np.sqrt(sample.size)


def correlation(a, b):
    """Return the correlation of two pixels times √n, a standard normal number if there is none."""
    return np.corrcoef(a.ravel(), b.ravel())[0, 1] * np.sqrt(a.size)
