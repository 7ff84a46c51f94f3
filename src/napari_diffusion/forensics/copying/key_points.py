"""Key points of a plane and descriptors of what surrounds them, invariant to turns and size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Width of the finest blobs, in pixels: finer ones survive neither JPEG nor a turn.
FINEST = 0.7

# Octaves of widths looked through, each in a plane of half the side.
OCTAVES = 4

# Least height of a blob in the evened plane; its least roundness.
LEAST_HEIGHT, MOST_EDGE = 0.004, 15.0

# Blobs per pixel, and in all, of each octave: noise has many more, and comparing them takes the
# square of the time.
DENSITY, MOST = 0.015, 1400

# Width of the surroundings whose spread is evened, in pixels; the spread, as a share of the range
# of intensities, that is not raised much.
_AROUND, _FLOOR = 12.0, 0.02

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
    forms : ndarray of complex64, shape (n,)
        Size times exp(i direction), the direction from x towards y.
    shape : tuple of int
        Of the plane.
    """

    places: NDArray[np.float64]
    descriptors: NDArray[np.float32]
    forms: NDArray[np.complex64]
    shape: tuple[int, int]

    def __len__(self) -> int:
        return len(self.places)

    def mirrored(self) -> KeyPoints:
        """Return the same places and forms with the descriptors of the mirror image.

        Along its own direction a descriptor stays; across it cells and directions change sides.
        """
        cells = self.descriptors.reshape(-1, CELLS, CELLS, DIRECTIONS)
        back = cells[:, :, ::-1][..., (-np.arange(DIRECTIONS)) % DIRECTIONS]
        return KeyPoints(self.places, back.reshape(len(self), -1), self.forms, self.shape)


def key_points(plane: NDArray[Any]) -> KeyPoints:
    """Return the key points of a plane y, x; none where it has no contrast.

    Contrast is evened first, and each octave of sizes has its own share: else one bright part, or
    the noise, takes them all, and there is none where two panels overlap.
    """
    low, high = np.quantile(plane, (0.005, 0.995))
    found: list[tuple[NDArray[Any], ...]] = [
        (np.zeros((0, 2)), np.zeros((0, CELLS**2 * DIRECTIONS)), np.zeros(0))
    ]
    if high > low:
        level = _evened(((plane - low) / (high - low)).astype(np.float32))
        for octave in range(OCTAVES):
            if min(level.shape) < LEAST_SIDE:
                break
            found += _octave(level, 2**octave)
            level = _halved(level)
    places, descriptors, forms = (np.concatenate(each) for each in zip(*found, strict=True))
    counts = descriptors.astype(np.float32)
    counts /= np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return KeyPoints(places, np.sqrt(counts), forms.astype(np.complex64), _sides(plane))


def _evened(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a plane without its coarse brightness, divided by its spread around each pixel."""
    from scipy import ndimage

    rest = plane - ndimage.gaussian_filter(plane, _AROUND)
    spread = np.sqrt(ndimage.gaussian_filter(rest * rest, _AROUND))
    return np.asarray(0.2 * rest / (spread + _FLOOR), np.float32)


def _halved(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    from scipy import ndimage

    return np.asarray(ndimage.gaussian_filter(plane, 1.0)[::2, ::2])


def _octave(plane: NDArray[np.float32], step: int) -> list[tuple[NDArray[Any], ...]]:
    """Return places, counts and forms of the blobs of one octave; an empty list for none."""
    from skimage.feature import SIFT

    sift = SIFT(upsampling=1, n_octaves=1, sigma_min=FINEST, c_dog=_least_height(plane),
                c_edge=MOST_EDGE)  # fmt: skip
    try:
        sift.detect(plane)
    except RuntimeError:  # it found none
        return []
    # Directions come half a bin too far round, which the mirror image would double.
    sift.orientations = sift.orientations - np.pi / sift.n_bins
    sift.extract(plane)
    # Theirs go from y towards x.
    forms = 1j * step * np.asarray(sift.sigmas) * np.exp(-1j * sift.orientations)
    places = np.asarray(sift.positions, np.float64) * step
    return [(places, np.asarray(sift.descriptors), forms)]


def _least_height(plane: NDArray[np.float32]) -> float:
    """Return how high a blob must be for no more than a number of them to be left."""
    from scipy import ndimage

    blobs = np.abs(
        ndimage.gaussian_filter(plane, FINEST * 2 ** (1 / 3))
        - ndimage.gaussian_filter(plane, FINEST)
    )
    heights = blobs[blobs == ndimage.maximum_filter(blobs, 3)]
    most = min(int(DENSITY * plane.size), MOST)
    if len(heights) <= most:
        return LEAST_HEIGHT
    return max(float(np.partition(heights, -most)[-most]), LEAST_HEIGHT)


def _sides(plane: NDArray[Any]) -> tuple[int, int]:
    return int(plane.shape[0]), int(plane.shape[1])
