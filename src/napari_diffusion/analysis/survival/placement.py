"""Where objects are placed: a lattice with jitter, at addressed random places."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# What lies between two objects, for the filter not to see both, in pixels.
_GAP = 12

# How far a place moves from its lattice point, as a part of the pitch.
_JITTER = 0.15


@dataclass(frozen=True)
class Lattice:
    """Places for objects in a part of an image.

    Attributes
    ----------
    shape : tuple of int
        Size of the part, canonical, with the channels that objects are placed in.
    object_axes : tuple of int
        Canonical axes along which objects extend.
    apart_axes : tuple of int
        Canonical axes along which objects in different planes must keep apart too.
    reach : float
        How far the largest object extends, in pixels.
    thinning : float
        Factor of the distances, 1 or more.
    """

    shape: tuple[int, ...]
    object_axes: tuple[int, ...]
    apart_axes: tuple[int, ...]
    reach: float
    thinning: float = 1.0

    @property
    def pitch(self) -> float:
        """Mean distance between neighbours along the axes of the objects, in pixels."""
        least = max(2 * self.reach, 12) + _GAP
        return self.thinning * least / (1 - _JITTER)

    def places(self, random: np.random.Generator) -> NDArray[np.float64]:
        """Return the places of a run, canonical, one row each, in random order."""
        ticks = []
        for axis, n in enumerate(self.shape):
            if axis in self.object_axes:
                margin = min(math.ceil(self.reach) + 1, (n - 1) // 2)
                ticks.append(_ticks(margin, n - 1 - margin, self.pitch, random))
            elif axis in self.apart_axes:
                ticks.append(_ticks(0, n - 1, _GAP, random))
            else:
                ticks.append(np.arange(n, dtype=np.float64))
        found = np.stack(np.meshgrid(*ticks, indexing="ij"), -1).reshape(-1, len(self.shape))
        for axis in self.object_axes:
            n = self.shape[axis]
            moved = found[:, axis] + (random.random(len(found)) - 0.5) * _JITTER * self.pitch
            margin = min(math.ceil(self.reach) + 1, (n - 1) // 2)
            found[:, axis] = np.clip(moved, margin, n - 1 - margin)
        return np.asarray(found[random.permutation(len(found))])


def _ticks(
    start: float, stop: float, pitch: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Return positions a pitch apart; the first is random."""
    first = start + random.random() * min(pitch, stop - start)
    return np.arange(first, stop + 1e-9, pitch)


def unmasked(
    places: NDArray[np.float64],
    mask: NDArray[np.bool_] | None,
    object_axes: Sequence[int],
    reach: float,
) -> NDArray[np.float64]:
    """Return the places around which all pixels are inside the mask."""
    if mask is None:
        return places
    from scipy.ndimage import minimum_filter

    size = [2 * math.ceil(reach) + 1 if axis in object_axes else 1 for axis in range(mask.ndim)]
    inside = minimum_filter(mask.astype(np.uint8), size, mode="nearest")
    index = tuple(np.rint(places).astype(np.int64).T)
    return np.asarray(places[inside[index] > 0])


def generator(seed: int, purpose: int) -> np.random.Generator:
    """Return the random numbers of a seed for a purpose, always the same ones."""
    return np.random.Generator(np.random.Philox(key=np.array([seed, purpose], np.uint64)))


def as_index(places: NDArray[Any]) -> NDArray[np.int64]:
    """Return the nearest pixels."""
    return np.rint(places).astype(np.int64)
