"""Maps on which matched key points agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.forensics.copying.affine_map import AffineMap, fitted
from napari_diffusion.forensics.copying.chance import TOLERANCE, TWIST_TOLERANCE, Chance, log10_nfa

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.forensics.copying.key_points import KeyPoints

    Maps = tuple[NDArray[np.complex64], NDArray[np.complex64]]

# Key points that must agree: fewer say nothing, whatever chance gives.
LEAST = 5

# Pixels within which descriptors see much of the same.
SAME_SEEN = 8.0

# Maps are tried through two matches that lie so far apart; neighbours of each; maps in all.
_NEAREST, _NEIGHBOURS, _MOST_MAPS = 6.0, 14, 6000

# The largest scale, or the inverse of the smallest.
_MOST_SCALE = 2.0

# Products of maps and matches held in memory at once.
_AT_ONCE = 1 << 20


@dataclass(frozen=True, eq=False)
class Matches:
    """Key points and their partners.

    Attributes
    ----------
    sources, targets : ndarray, shape (n, 2)
        Places of the key points, and of their partners.
    twists : ndarray of complex64, shape (n,)
        Scale times exp(i turn), by which each key point alone comes to look like its partner.
    mirrored : bool
        Whether left and right change sides.
    """

    sources: NDArray[np.float64]
    targets: NDArray[np.float64]
    twists: NDArray[np.complex64]
    mirrored: bool

    @classmethod
    def of(
        cls, first: KeyPoints, second: KeyPoints, pairs: NDArray[np.intp], mirrored: bool
    ) -> Matches:
        """Return those of pairs of indices."""
        own, other = first.forms[pairs[:, 0]], second.forms[pairs[:, 1]]
        twists = other / (own.conj() if mirrored else own)
        return cls(first.places[pairs[:, 0]], second.places[pairs[:, 1]], twists, mirrored)

    def __len__(self) -> int:
        return len(self.sources)

    def where(self, kept: NDArray[np.bool_]) -> Matches:
        """Return some of them."""
        return Matches(self.sources[kept], self.targets[kept], self.twists[kept], self.mirrored)

    def on_map(self, found: AffineMap) -> NDArray[np.bool_]:
        """Say which of them a map takes to their partner."""
        missed = found(self.sources) - self.targets
        return np.asarray(np.hypot(missed[:, 0], missed[:, 1]) < TOLERANCE)


@dataclass(frozen=True, eq=False)
class Agreement:
    """A map, the matches that agree on it, and log10 of its number of false alarms."""

    map: AffineMap
    inside: NDArray[np.bool_]
    log10_nfa: float


def agreement(matches: Matches, chance: Chance, seed: int = 0) -> Agreement | None:
    """Return the map on which most matches agree; None where fewer than `LEAST` do.

    They agree where the map takes them to their partner, and turns and scales about as each of
    them does alone. Its number of false alarms is `log10_nfa`.
    """
    if len(matches) < LEAST:
        return None
    own, targets = _complex(matches.sources), _complex(matches.targets)
    own = own.conj() if matches.mirrored else own
    maps = _maps(own, targets, matches.twists, seed)
    if not len(maps[0]):
        return None
    factor, inside = _most(own, targets, matches.twists, maps)
    inside = inside & _counted_once(matches.sources, matches.targets, inside)
    count = int(inside.sum())
    if count < LEAST:
        return None
    nfa = log10_nfa(len(matches), count, chance(factor))
    for _ in range(3):
        found = fitted(matches.sources[inside], matches.targets[inside], matches.mirrored)
        if found.is_mirrored != matches.mirrored or not found.is_similar():
            return None
        inside = matches.on_map(found)
        if inside.sum() < LEAST:
            return None
    return Agreement(found, inside, nfa)


def _complex(places: NDArray[Any]) -> NDArray[np.complex64]:
    return (places[:, 1] + 1j * places[:, 0]).astype(np.complex64)


def _maps(
    own: NDArray[np.complex64],
    targets: NDArray[np.complex64],
    twists: NDArray[np.complex64],
    seed: int,
) -> Maps:
    """Return the similarities through two matches each, as factors and shifts in x + iy."""
    from scipy.spatial import cKDTree

    at = np.column_stack([own.real, own.imag])
    near = cKDTree(at).query(at, min(_NEIGHBOURS, len(at)))[1].reshape(len(at), -1)
    one, two = np.repeat(np.arange(len(at)), near.shape[1]), near.ravel()
    apart, other = own[two] - own[one], targets[two] - targets[one]
    use = np.minimum(np.abs(apart), np.abs(other)) >= _NEAREST
    one, two, factor = one[use], two[use], other[use] / apart[use]
    use = (np.abs(factor) <= _MOST_SCALE) & (np.abs(factor) * _MOST_SCALE >= 1)
    use &= _as_turned(twists[one], factor) & _as_turned(twists[two], factor)
    one, factor = one[use], factor[use]
    if len(one) > _MOST_MAPS:  # these numbers belong to the seed alone
        random = np.random.Generator(np.random.Philox(key=np.array([seed, len(one)], np.uint64)))
        chosen = np.sort(random.permutation(len(one))[:_MOST_MAPS])
        one, factor = one[chosen], factor[chosen]
    return factor, targets[one] - factor * own[one]


def _as_turned(twists: NDArray[np.complex64], factor: Any) -> NDArray[np.bool_]:
    return np.asarray(np.abs(twists - factor) < TWIST_TOLERANCE * np.abs(factor))


def _most(
    own: NDArray[np.complex64],
    targets: NDArray[np.complex64],
    twists: NDArray[np.complex64],
    maps: Maps,
) -> tuple[complex, NDArray[np.bool_]]:
    """Return the factor of the map with which most matches agree, and these."""
    rows, counts = max(_AT_ONCE // len(own), 1), []
    factor, shift = maps
    for start in range(0, len(factor), rows):
        f, s = factor[start : start + rows, None], shift[start : start + rows, None]
        missed = f * own + (s - targets)
        agree = (missed.real**2 + missed.imag**2 < TOLERANCE**2) & _as_turned(twists, f)
        counts.append(agree.sum(axis=1))
    best = int(np.concatenate(counts).argmax())
    near = np.abs(factor[best] * own + shift[best] - targets) < TOLERANCE
    return complex(factor[best]), np.asarray(near & _as_turned(twists, factor[best]))


def _counted_once(
    sources: NDArray[Any], targets: NDArray[Any], inside: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return one match of each structure: key points of one edge agree without being evidence.

    Nor does a pair of places count twice that is matched both ways, as in a mirrored image.
    """
    kept = np.zeros(len(sources), bool)
    used = np.empty((0, 2))
    for each in np.flatnonzero(inside):
        ends = np.array([sources[each], targets[each]])
        if not (np.abs(used[:, None] - ends).max(axis=-1) < SAME_SEEN).any():
            used = np.concatenate([used, sources[each : each + 1]])
            kept[each] = True
    return kept
