"""Key points of a plane and descriptors of what surrounds them, invariant to turns and size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Width of the finest blobs, in pixels: finer ones survive neither JPEG nor a turn.
FINEST = 0.8

# Least height of a blob, of the range of intensities; its least roundness.
LEAST_HEIGHT, MOST_EDGE = 0.004, 15.0

# Key points per pixel; noise has many more, and comparing them takes the square of the time.
DENSITY = 0.006

# Cells of a descriptor along each axis, and directions in each.
CELLS, DIRECTIONS = 4, 8

# Pixels along each axis below which nothing is looked for.
LEAST_SIDE = 24


@dataclass(frozen=True, eq=False)
class KeyPoints:
    """Key points of one plane.

    Attributes
    ----------
    places : ndarray of float64, shape (n, 2)
        y and x in pixels.
    descriptors : ndarray of float32, shape (n, 128)
        Of length 1: the roots of histograms of gradient directions.
    shape : tuple of int
        Of the plane.
    """

    places: NDArray[np.float64]
    descriptors: NDArray[np.float32]
    shape: tuple[int, int]

    def __len__(self) -> int:
        return len(self.places)

    def mirrored(self) -> KeyPoints:
        """Return the same places with the descriptors that the mirror image has there.

        Along its own direction a descriptor stays; across it cells and directions change sides.
        """
        cells = self.descriptors.reshape(-1, CELLS, CELLS, DIRECTIONS)
        back = cells[:, :, ::-1][..., (-np.arange(DIRECTIONS)) % DIRECTIONS]
        return KeyPoints(self.places, back.reshape(len(self), -1), self.shape)


def key_points(plane: NDArray[Any]) -> KeyPoints:
    """Return the key points of a plane y, x; none where it has no contrast."""
    none = KeyPoints(
        np.zeros((0, 2)), np.zeros((0, CELLS**2 * DIRECTIONS), np.float32), _sides(plane)
    )
    low, high = np.quantile(plane, (0.005, 0.995))
    if min(plane.shape) < LEAST_SIDE or not high > low:
        return none
    from skimage.feature import SIFT

    stretched = ((plane - low) / (high - low)).astype(np.float32)
    sift = SIFT(upsampling=1, n_octaves=5, sigma_min=FINEST, c_dog=_least_height(stretched),
                c_edge=MOST_EDGE)  # fmt: skip
    try:
        sift.detect(stretched)
    except RuntimeError:  # it found none
        return none
    # Directions come half a bin too far round, which the mirror image would double.
    sift.orientations = sift.orientations - np.pi / sift.n_bins
    sift.extract(stretched)
    counts = np.array(sift.descriptors, np.float32)
    counts /= np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return KeyPoints(np.asarray(sift.positions, np.float64), np.sqrt(counts), _sides(plane))


def _least_height(plane: NDArray[np.float32]) -> float:
    """Return how high a blob must be for no more than a number of them to be left."""
    from scipy import ndimage

    blobs = np.abs(
        ndimage.gaussian_filter(plane, FINEST * 2 ** (1 / 3))
        - ndimage.gaussian_filter(plane, FINEST)
    )
    heights = blobs[blobs == ndimage.maximum_filter(blobs, 3)]
    most = int(DENSITY * plane.size)
    if len(heights) <= most:
        return LEAST_HEIGHT
    return max(float(np.partition(heights, -most)[-most]), LEAST_HEIGHT)


def _sides(plane: NDArray[Any]) -> tuple[int, int]:
    return int(plane.shape[0]), int(plane.shape[1])
