"""Maps on which matched key points agree, and how often chance agrees as well."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.forensics.copying.affine_map import AffineMap, fitted

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Pixels by which a matched place may miss its map.
TOLERANCE = 2.5

# Key points that must agree: fewer say nothing, whatever chance gives.
LEAST = 5

# Maps are tried through two matches that lie so far apart; neighbours of each; maps in all.
_NEAREST, _NEIGHBOURS, _MOST_MAPS = 6.0, 14, 6000

# The largest scale, or the inverse of the smallest.
_MOST_SCALE = 2.0

# Products of maps and matches held in memory at once.
_AT_ONCE = 1 << 20


@dataclass(frozen=True, eq=False)
class Agreement:
    """A map, the matches that agree on it, and log10 of its number of false alarms."""

    map: AffineMap
    inside: NDArray[np.bool_]
    log10_nfa: float


def agreement(
    sources: NDArray[Any], targets: NDArray[Any], mirrored: bool, chance: float, seed: int = 0
) -> Agreement | None:
    """Return the map on which most matches agree; None where fewer than `LEAST` do.

    Its number of false alarms is `log10_nfa`.
    """
    if len(sources) < LEAST:
        return None
    factor, shift = _maps(_complex(sources), _complex(targets), mirrored, seed)
    if not len(factor):
        return None
    inside = _most(_complex(sources), _complex(targets), mirrored, factor, shift)
    inside = inside & _counted_once(sources, targets, inside)
    count, n = int(inside.sum()), len(sources)
    if count < LEAST:
        return None
    nfa = log10_nfa(n, count, chance)
    for _ in range(3):
        found = fitted(sources[inside], targets[inside], mirrored)
        if found.is_mirrored != mirrored or not found.is_similar():
            return None
        inside = _misses(found, sources, targets) < TOLERANCE
        if inside.sum() < LEAST:
            return None
    return Agreement(found, inside, nfa)


def log10_nfa(n: int, count: int, chance: float) -> float:
    """Return log10 of how many maps chance gives on which `count` of n matches agree.

    That of all maps through two matches, times a bound of the probability that of the n − 2 others
    as many or more agree, each with the probability `chance`: C(n − 2, count − 2) chance^(count−2).
    """
    others, agree = n - 2, count - 2
    ways = math.lgamma(others + 1) - math.lgamma(agree + 1) - math.lgamma(others - agree + 1)
    tail = min(ways + agree * math.log(min(chance, 1.0)), 0.0)
    return (math.log(n * (n - 1) / 2) + tail) / math.log(10)


def chance_of(places: NDArray[Any], shape: tuple[int, int]) -> float:
    """Return the probability that a match which means nothing agrees with a map.

    That of two key points drawn at random to lie within the tolerance: they stand in clusters, so
    it is more than the disc's share of the image.
    """
    from scipy.spatial import cKDTree

    tree, n = cKDTree(places), len(places)
    disc = math.pi * TOLERANCE**2 / (shape[0] * shape[1])
    return max(float(tree.count_neighbors(tree, TOLERANCE) - n) / max(n * (n - 1), 1), disc)


def _complex(places: NDArray[Any]) -> NDArray[np.complex64]:
    return (places[:, 1] + 1j * places[:, 0]).astype(np.complex64)


def _maps(
    sources: NDArray[np.complex64], targets: NDArray[np.complex64], mirrored: bool, seed: int
) -> tuple[NDArray[np.complex64], NDArray[np.complex64]]:
    """Return the similarities through two matches each, as factors and shifts in x + iy."""
    from scipy.spatial import cKDTree

    at = np.column_stack([sources.real, sources.imag])
    near = cKDTree(at).query(at, min(_NEIGHBOURS, len(at)))[1].reshape(len(at), -1)
    one, two = np.repeat(np.arange(len(at)), near.shape[1]), near.ravel()
    if len(one) > _MOST_MAPS:  # these numbers belong to the seed alone
        random = np.random.Generator(np.random.Philox(key=np.array([seed, len(one)], np.uint64)))
        chosen = np.sort(random.permutation(len(one))[:_MOST_MAPS])
        one, two = one[chosen], two[chosen]
    own = sources.conj() if mirrored else sources
    apart, other = own[two] - own[one], targets[two] - targets[one]
    use = np.minimum(np.abs(apart), np.abs(other)) >= _NEAREST
    factor = other[use] / apart[use]
    sized = (np.abs(factor) <= _MOST_SCALE) & (np.abs(factor) * _MOST_SCALE >= 1)
    factor = factor[sized]
    return factor, targets[one[use][sized]] - factor * own[one[use][sized]]


def _most(
    sources: NDArray[np.complex64],
    targets: NDArray[np.complex64],
    mirrored: bool,
    factor: NDArray[np.complex64],
    shift: NDArray[np.complex64],
) -> NDArray[np.bool_]:
    """Return the matches that agree with the map with which most agree."""
    own = sources.conj() if mirrored else sources
    rows, counts = max(_AT_ONCE // len(own), 1), []
    for start in range(0, len(factor), rows):
        part = slice(start, start + rows)
        missed = factor[part, None] * own + (shift[part, None] - targets)
        counts.append((missed.real**2 + missed.imag**2 < TOLERANCE**2).sum(axis=1))
    best = int(np.concatenate(counts).argmax())
    return np.asarray(np.abs(factor[best] * own + shift[best] - targets) < TOLERANCE)


def _misses(found: AffineMap, sources: NDArray[Any], targets: NDArray[Any]) -> NDArray[np.float64]:
    missed = found(sources) - targets
    return np.asarray(np.hypot(missed[:, 0], missed[:, 1]))


def _counted_once(
    sources: NDArray[Any], targets: NDArray[Any], inside: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return one match of each structure: neighbours that overlap agree without being evidence.

    Nor does a pair of places count twice that is matched both ways, as in a mirrored image.
    """
    kept = np.zeros(len(sources), bool)
    used: list[NDArray[Any]] = []
    for each in np.flatnonzero(inside):
        ends = np.array([*sources[each], *targets[each]])
        both = (ends, np.roll(ends, 2))
        near = any(np.abs(other[:2] - end[:2]).max() < TOLERANCE for other in used for end in both)
        if not near:
            used.append(ends)
            kept[each] = True
    return kept
