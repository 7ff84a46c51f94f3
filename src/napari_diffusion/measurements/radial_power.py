"""The power of an image at frequencies of each size, and what it says of those not measured."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image


def missing_variance(image: Image, known: NDArray[np.bool_], noise: float) -> float:
    """Return the variance that an image is expected to have at frequencies that were not measured.

    ``Σ max(P(|f|) / N − noise, 0) / N`` over these frequencies, with P the mean of ``|F x|²`` over
    the measured frequencies of about the same size, and N the number of pixels. Sizes none of
    which was measured do not count.

    Parameters
    ----------
    image : Image
        Without missing pixels; its power is the mean over channels and all that is not `along`.
    known : ndarray of bool
        Which frequencies of a real transform along `along` were measured.
    noise : float
        Variance of white noise in the image, per pixel.
    """
    from scipy import fft

    from napari_diffusion.noise.sampling.spectral_field import frequencies, multiplicity

    grid = image.grid
    axes, others = grid.along_axes, tuple(set(range(5)) - set(grid.along_axes))
    pixels = math.prod(grid.shape[axis] for axis in axes)
    spectrum = fft.rfftn(image.data.astype(np.float64), axes=axes)
    power = np.mean(spectrum.real**2 + spectrum.imag**2, axis=others)
    count = np.broadcast_to(multiplicity(grid), power.shape)
    extent = max(grid.shape[axis] * grid.length(axis) for axis in axes)
    squares = np.sum(np.broadcast_arrays(*(each**2 for each in frequencies(grid))), axis=0)
    size = np.rint(np.sqrt(squares) * extent).astype(np.int64).ravel()

    def summed(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(size, values.ravel(), int(size.max()) + 1).astype(np.float64)

    seen, unseen = summed(count * known), summed(count * ~known)
    mean = summed(count * known * power) / np.maximum(seen, 1)
    expected = np.where(seen > 0, np.maximum(mean / pixels - noise, 0), 0)
    return float(np.sum(expected * unseen)) / pixels
