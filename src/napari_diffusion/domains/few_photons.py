"""The strength of the stabilised noise where photons are few."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.domains.expected_values import mean_of_f

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image

# From so many photons on the variance is 1 to within some per cent.
_MANY = 12.0

# Photons are counted in blocks of so many pixels along the last two axes.
_BLOCK = 6

# Nodes of the table, denser for few photons.
_NODES = 48

# Photons that the darkest blocks count as, so that an image without any has a mean.
_DARK = 1e-3

# The least variance: an image without any light has none.
_LEAST = 0.05


def mean_variance(image: Image, gain: float, offset: float, squared: float) -> float:
    """Return the mean variance of stabilised values, weighted with √photons, 0.05 or more.

    An error of a stabilised value is the larger in intensity the more photons there are; but where
    they are few, noise that is taken to be too strong costs more than noise taken to be too weak.

    Parameters
    ----------
    image : Image
        Noisy, in intensities.
    gain, offset : float
        Of the camera.
    squared : float
        Its read noise, in photons².
    """
    nodes, variances = _table(squared)
    total, count = 0.0, 0.0
    for values in _blocks(image):
        photons = np.maximum((values - offset) / gain, _DARK)
        found = np.interp(photons, nodes, variances)
        weights = np.sqrt(photons)
        total += float((weights * found).sum())
        count += float(weights.sum())
    return max(total / count, _LEAST) if count else 1.0


@functools.lru_cache(maxsize=16)
def _table(squared: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return means of photons, and the variance of f at each."""
    nodes = _MANY * np.linspace(0.0, 1.0, _NODES) ** 2
    return nodes, mean_of_f(nodes, squared, 2.0) - mean_of_f(nodes, squared) ** 2


def _blocks(image: Image) -> Iterator[NDArray[np.float64]]:
    """Yield the mean intensities of the blocks inside the mask, plane by plane."""
    t, c, z, y, x = image.data.shape
    high, wide = min(_BLOCK, y), min(_BLOCK, x)
    whole = (slice(y // high * high), slice(x // wide * wide))
    for place in np.ndindex(t, c, z):
        means = _means(np.asarray(image.data[place], np.float64)[whole], high, wide)
        if image.mask is not None:
            inside = np.asarray(image.mask[place], np.float64)[whole]
            means = means[_means(inside, high, wide) == 1]
        yield means.ravel()


def _means(plane: NDArray[Any], high: int, wide: int) -> NDArray[Any]:
    rows, columns = plane.shape[0] // high, plane.shape[1] // wide
    return np.asarray(plane.reshape(rows, high, columns, wide).mean(axis=(1, 3)))
