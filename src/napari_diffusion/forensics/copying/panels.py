"""Which panels of a folder share a part: all pairs compared."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.image import Image
from napari_diffusion.engine.threads import Threads
from napari_diffusion.forensics.base import planes_of
from napari_diffusion.forensics.copying.growing import LEAST_AREA
from napari_diffusion.forensics.copying.key_points import KeyPoints, key_points
from napari_diffusion.forensics.copying.outlines import outlines
from napari_diffusion.forensics.copying.repeats import Repeat, repeats
from napari_diffusion.forensics.reading import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.engine.threads import StopToken

# log10 of the number of false alarms up to which a part counts whatever its fine detail: JPEG
# leaves little of it in smooth parts, and two recordings of one field do not share their noise.
# Similar objects of untouched images stay above -20.
_WITHOUT_DETAIL = -30.0


@dataclass(frozen=True, eq=False)
class SharedPart:
    """A part that two panels share.

    Attributes
    ----------
    first, second : str
        Names of the panels.
    place : Place
        The part in the first panel, with its partner in the second.
    """

    first: str
    second: str
    place: Place


def compare_panels(
    images: Sequence[tuple[str, ArrayLike | Image]],
    *,
    false_alarms: float = 0.01,
    stop: StopToken | None = None,
) -> tuple[SharedPart, ...]:
    """Return the parts that images share with one another, the least likely by chance first.

    Key points are found once for each image; pairs of images whose key points do not agree on a
    map are left at once. Where few of them agree, the parts must share their fine detail as well:
    similar objects do not. Within an image nothing is compared: that is `Copies`.

    Parameters
    ----------
    images : sequence of (name, array)
        Planes y, x, or y, x, c in colour.
    false_alarms : float
        How many shared parts chance may give in this folder. It counts every pair compared.
    stop : StopToken, optional
        Once set, `Stopped` is raised.
    """
    planes = [_plane(name, values) for name, values in images]
    points: list[KeyPoints | None] = [None] * len(planes)
    threads = Threads(stop=stop)

    def find(at: int) -> None:
        points[at] = key_points(planes[at])

    threads.each(find, [(at,) for at in range(len(planes))])
    found: list[list[SharedPart]] = [[] for _ in planes]
    pairs = len(planes) * (len(planes) - 1) // 2
    names = [name for name, _ in images]

    def compare(at: int) -> None:
        for other in range(at + 1, len(planes)):
            threads.poll()
            both = (points[at], points[other])
            for each in _shared(both, (planes[at], planes[other]), false_alarms, pairs):
                found[at].append(SharedPart(names[at], names[other], each))

    threads.each(compare, [(at,) for at in range(len(planes))])
    every = [each for several in found for each in several]
    return tuple(sorted(every, key=lambda each: each.place.log10_nfa or 0.0))


def _plane(name: str, values: ArrayLike | Image) -> NDArray[np.float64]:
    array = values if isinstance(values, Image) else np.asarray(values)
    in_colour = not isinstance(array, Image) and array.ndim == 3
    image = Image.of(array, axes="yxc", rgb=True) if in_colour else Image.of(array)
    every = [plane for _, plane in planes_of(image)]
    if len(every) != 1:
        raise ValueError(f"{name!r} has {len(every)} planes: give one plane, or its colours.")
    return every[0]


def _shared(
    points: tuple[Any, Any], planes: tuple[NDArray[Any], NDArray[Any]], most: float, pairs: int
) -> list[Place]:
    found: list[Place] = []
    for each in repeats(points, planes, 0.0, math.log10(most / pairs)):
        if each.is_copy or each.log10_nfa + math.log10(pairs) < _WITHOUT_DETAIL:
            found += _places(each, math.log10(pairs))
    return found


def _places(found: Repeat, log10_pairs: float) -> list[Place]:
    nfa, words = found.log10_nfa + log10_pairs, found.map.words()
    least = max(LEAST_AREA, int(found.part.sum()) // 4)
    return [
        Place(outline, (), nfa, words, partner=found.map(outline))
        for outline in outlines(found.part, least)[:1]
    ]
