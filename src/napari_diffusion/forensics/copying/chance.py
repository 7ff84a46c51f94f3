"""How often matches that mean nothing agree with a map."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.forensics.copying.key_points import KeyPoints

# Pixels by which a matched place may miss its map.
TOLERANCE = 2.5

# How far the turn and scale of a match alone may lie from those of its map, as a share of these.
TWIST_TOLERANCE = 0.5

# Key points of each plane whose pairs are counted.
_COUNTED = 400


@dataclass(frozen=True, eq=False)
class Chance:
    """How often two key points drawn at random agree with a map.

    Attributes
    ----------
    near : float
        How often in place.
    twists : ndarray of complex64
        Turns and scales from key points of one plane to key points of the other.
    """

    near: float
    twists: NDArray[np.complex64]

    @classmethod
    def of(cls, first: KeyPoints, second: KeyPoints, mirrored: bool) -> Chance:
        """Return it for the matches of two planes."""
        own, other = (points.forms[:: -(-len(points) // _COUNTED)] for points in (first, second))
        if mirrored:
            own = own.conj()
        return cls(_near(second.places, second.shape), (other[None] / own[:, None]).ravel())

    def __call__(self, factor: complex) -> float:
        """Return it for a map that turns and scales by the factor."""
        agree = np.abs(self.twists - factor) < TWIST_TOLERANCE * abs(factor)
        return self.near * max(float(agree.mean()), 1 / len(self.twists))


def _near(places: NDArray[np.float64], shape: tuple[int, int]) -> float:
    """Return how often two key points of different structures lie within the tolerance.

    They stand in clusters, so it is more than the disc's share of the image. Those of one
    structure are left out by looking at a ring: in a map they count once.
    """
    from scipy.spatial import cKDTree

    tree, n = cKDTree(places), len(places)
    ring = float(tree.count_neighbors(tree, 3 * TOLERANCE) - tree.count_neighbors(tree, TOLERANCE))
    disc = math.pi * TOLERANCE**2 / (shape[0] * shape[1])
    return max(ring / 8 / max(n * (n - 1), 1), disc)


def log10_nfa(n: int, count: int, chance: float) -> float:
    """Return log10 of how many maps chance gives on which `count` of n matches agree.

    That of all maps through two matches, times a bound of the probability that of the n − 2 others
    as many or more agree, each with the probability `chance`: C(n − 2, count − 2) chance^(count−2).
    """
    others, agree = n - 2, count - 2
    ways = math.lgamma(others + 1) - math.lgamma(agree + 1) - math.lgamma(others - agree + 1)
    tail = min(ways + agree * math.log(min(chance, 1.0)), 0.0)
    return (math.log(n * (n - 1) / 2) + tail) / math.log(10)
