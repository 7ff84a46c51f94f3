"""White noise from the principal components of windows: it has the same power in all of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.estimate.window_spectrum import SIZE, Windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image

# Windows too few for the powers of all components.
FEWEST = 10 * SIZE * SIZE


def sigma_of_components(image: Image, axes: tuple[int, ...]) -> float | None:
    """Return the noise in the weakest components of all windows, None where there are too few."""
    size = SIZE * SIZE - 1
    total, count = np.zeros((size, size)), 0
    for c in Windows(image, axes).coefficients():
        # The cosine transform turns the components and leaves their powers; the mean is left out.
        vectors = c.reshape(len(c), -1)[:, 1:]
        total += vectors.T @ vectors
        count += len(vectors)
    if count < FEWEST:
        return None
    return math.sqrt(max(weakest(np.linalg.eigvalsh(total / count)), 0.0))


def weakest(powers: NDArray[Any]) -> float:
    """Return the mean of as many of the smallest powers as have no more than their median."""
    ordered = np.sort(powers)
    for count in range(len(ordered), 1, -1):
        part = ordered[:count]
        if part.mean() <= np.median(part):
            return float(part.mean())
    return float(ordered[0])
