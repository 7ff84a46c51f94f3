"""Parts that stand twice in one plane or in two, found by key points and grown to their edges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.forensics.copying.agreement import Agreement, Matches, agreement
from napari_diffusion.forensics.copying.chance import Chance
from napari_diffusion.forensics.copying.detail import SHARED, shared_detail
from napari_diffusion.forensics.copying.growing import LEAST_AREA, grown
from napari_diffusion.forensics.copying.matching import ONE_THREAD, matched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_diffusion.engine.threads import Threads
    from napari_diffusion.forensics.copying.affine_map import AffineMap
    from napari_diffusion.forensics.copying.key_points import KeyPoints

# Share of the key points that agree whose surroundings must be alike as well: between two planes,
# and within one, where railings, windows and stripes repeat about, but not quite.
FOLLOW, FOLLOW_WITHIN = 0.5, 0.8

# Maps looked for between two planes, in each of the two senses of turning.
_MOST_MAPS = 6


@dataclass(frozen=True, eq=False)
class Repeat:
    """A part that stands a second time.

    Attributes
    ----------
    map : AffineMap
        From the part to the other part.
    log10_nfa : float
        Logarithm of the number of false alarms.
    part : ndarray of bool
        The part, in the first plane.
    likeness : ndarray
        Correlation in windows with the other part.
    detail : float
        Correlation of the fine detail with that of the other part.
    """

    map: AffineMap
    log10_nfa: float
    part: NDArray[np.bool_]
    likeness: NDArray[np.float64]
    detail: float

    @property
    def is_copy(self) -> bool:
        """Whether the parts share their fine detail, which similar objects do not."""
        return self.detail >= SHARED


def agreements(
    first: KeyPoints,
    second: KeyPoints,
    apart: float,
    log10_most: float,
    threads: Threads = ONE_THREAD,
) -> Iterator[tuple[Agreement, NDArray[Any]]]:
    """Yield maps on which key points agree, and the places of those, the best of each sense first.

    With `apart` both are the same plane. `log10_most` is log10 of the number of false alarms
    allowed; that of each map counts both senses of turning.
    """
    if not len(first) or not len(second):
        return
    for mirrored in (False, True):
        chance = Chance.of(first, second, mirrored)
        pairs = matched(first, second.mirrored() if mirrored else second, apart, threads)
        matches = Matches.of(first, second, pairs, mirrored)
        for seed in range(_MOST_MAPS):
            found = agreement(matches, chance, seed)
            if found is None or found.log10_nfa + math.log10(2) > log10_most:
                break
            nfa = found.log10_nfa + math.log10(2)
            yield Agreement(found.map, found.inside, nfa), matches.sources[found.inside]
            left = ~found.inside
            if apart:  # the same pairs, seen from the other part
                back = found.map(matches.targets) - matches.sources
                left &= np.hypot(back[:, 0], back[:, 1]) > apart / 2
            matches = matches.where(left)


def repeats(
    points: tuple[KeyPoints, KeyPoints],
    planes: tuple[NDArray[Any], NDArray[Any]],
    apart: float,
    log10_most: float,
    threads: Threads = ONE_THREAD,
) -> Iterator[Repeat]:
    """Yield the parts of the first plane that stand a second time, in it or in the second.

    Parts that only the map joins, whose intensities do not follow, are left out.
    """
    for found, places in agreements(*points, apart, log10_most, threads):
        refined, part, likeness = grown(*planes, found.map, places, apart)
        within = part[tuple(np.rint(places).astype(int).T)]
        if part.sum() >= LEAST_AREA and within.mean() >= (FOLLOW_WITHIN if apart else FOLLOW):
            detail = shared_detail(planes[0], refined, part, planes[1])
            yield Repeat(refined, found.log10_nfa, part, likeness, detail)
