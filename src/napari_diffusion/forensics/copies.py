"""Copies: parts that stand twice, moved, turned, mirrored, scaled or with another contrast."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from napari_diffusion.forensics.base import Evidence, Null, Trace, planes_of
from napari_diffusion.forensics.copying.detail import SHARED
from napari_diffusion.forensics.copying.growing import LEAST_AREA
from napari_diffusion.forensics.copying.key_points import KeyPoints, key_points
from napari_diffusion.forensics.copying.outlines import outlines
from napari_diffusion.forensics.copying.repeats import Repeat, repeats
from napari_diffusion.forensics.jpeg.grey_levels import stacked
from napari_diffusion.forensics.parameters import FALSE_ALARMS
from napari_diffusion.forensics.reading import NOTHING, Place, Reading, TraceMap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_diffusion.engine.threads import Threads

    Index = tuple[int, ...]
    Plane = tuple[Index, NDArray[np.float64], KeyPoints]


@dataclass(frozen=True)
class Copies(Trace):
    """Parts that stand twice, in an image or in it and a reference, also turned or mirrored.

    Key points x and their most similar partners y agree on a map y = A x + b. The number of false
    alarms of a map on which k of n pairs agree is ``n (n − 1) / 2 · C(n − 2, k − 2) · p^(k − 2)``,
    with p the probability that two key points lie as near to each other as the tolerance, and
    differ in direction and size about as the map says; it counts both senses of turning and all
    planes compared. The part then grows to where the intensities themselves no longer follow the
    map. Within an image a part counts only where its fine detail, 1 to 2 pixels wide, correlates
    with that of its partner: windows of one design and the halves of a symmetric object have the
    same shape, but each its own noise; the remarks name them.

    Parameters
    ----------
    false_alarms : float
        How many such places chance may give in this image: smaller values show fewer places.
    apart : float
        Distance in pixels between a part and its copy, at least. Larger values leave out the
        neighbours in a periodic structure.

    Notes
    -----
    Use it for figures with several panels, for images from one folder, and where a structure
    seems to occur twice. It sees copies turned by any angle, mirrored, 0.6 to 1.6 × as large and
    with another contrast or gamma, and it survives moderate JPEG compression.

    Smooth parts have no key points, and their copies are not seen. For parts copied without any
    change `ExactCopies` sees smaller ones, in files without loss.

    References
    ----------
    Lowe (2004), Distinctive image features from scale-invariant keypoints.
    Moisan and Stival (2004), A probabilistic criterion to detect rigid point matches between two
    images and estimate the fundamental matrix.
    Amerini, Ballan, Caldelli, Del Bimbo and Serra (2011), A SIFT-based forensic method for
    copy-move attack detection and transformation recovery.
    """

    null: ClassVar[Null] = "a-contrario"
    assumes: ClassVar[str] = (
        "Parts that have nothing to do with each other do not have many details in the same "
        "arrangement."
    )
    misleads: ClassVar[tuple[str, ...]] = (
        "Periodic and printed structures repeat: gratings, lattices, tiles, letters, stamps.",
        "Overlapping fields of view, stitching, and frames of one series show the same part twice.",
        "Symmetric objects are similar to their own mirror image.",
        "Dust on the sensor and fixed patterns stand at the same place in every image.",
    )

    false_alarms: Annotated[float, FALSE_ALARMS] = 0.001
    apart: Annotated[
        float,
        {
            "min": 8.0,
            "max": 1000.0,
            "tooltip": "Distance between a part and its copy, at least, in pixels.",
        },
    ] = 24.0

    def worthless(self, evidence: Evidence) -> str:
        """Return why there is nothing to read; see `Trace.worthless`."""
        if min(evidence.image.grid.shape[-2:]) < 2 * self.apart:
            return f"It needs planes of {2 * self.apart:g} pixels or more along y and x."
        return ""

    def read(self, evidence: Evidence) -> Reading:
        """Return the parts that stand twice; see `Trace.read`."""
        own = [_with_points(each) for each in evidence.planes()]
        reference = evidence.reference
        others = [] if reference is None else [_with_points(p) for p in planes_of(reference)]
        pairs = [(each, each, True) for each in own]
        pairs += [(one, two, False) for one, two in _between(own, others)]
        places: list[Place] = []
        similar: list[Repeat] = []
        likeness = {index: np.zeros(plane.shape, np.float32) for index, plane, _ in own}
        for first, second, same in pairs:
            evidence.threads.poll()
            for found in self._repeats(first, second, same, len(pairs), evidence.threads):
                if same and not found.is_copy:
                    similar.append(found)
                    continue
                places += _places(found, first, second, same)
                inside = np.where(found.part, found.likeness, 0)
                np.maximum(likeness[first[0]], inside, out=likeness[first[0]])
        places.sort(key=lambda each: each.log10_nfa or 0.0)
        shown = (_map(evidence, likeness),) if places else ()
        return Reading(self, maps=shown, places=tuple(places), remarks=_remarks(places, similar))

    def _repeats(
        self, first: Plane, second: Plane, same: bool, tests: int, threads: Threads
    ) -> Iterator[Repeat]:
        most = math.log10(self.false_alarms / tests)
        planes, points = (first[1], second[1]), (first[2], second[2])
        for each in repeats(points, planes, self.apart if same else 0.0, most, threads):
            nfa = each.log10_nfa + math.log10(tests)
            yield replace(each, log10_nfa=nfa)


def _with_points(plane: tuple[Index, NDArray[np.float64]]) -> Plane:
    return (*plane, key_points(plane[1]))


def _between(own: list[Plane], others: list[Plane]) -> list[tuple[Plane, Plane]]:
    """Return which planes are compared: one by one where both have as many, else all pairs."""
    if len(own) == len(others):
        return list(zip(own, others, strict=True))
    return [(one, two) for one in own for two in others]


def _places(found: Repeat, first: Plane, second: Plane, same: bool) -> list[Place]:
    least = max(LEAST_AREA, int(found.part.sum()) // 20)
    return [
        Place(
            outline,
            first[0],
            found.log10_nfa,
            f"{found.map.words()}; correlation of the fine detail {found.detail:.2f}",
            partner=found.map(outline),
            partner_image="" if same else "reference",
            partner_plane=second[0],
        )
        for outline in outlines(found.part, least)
    ]


def _map(evidence: Evidence, likeness: dict[Index, NDArray[Any]]) -> TraceMap:
    values = stacked(evidence.image, list(likeness.values()))
    return TraceMap("correlation with the other part", values, "", (0.0, 1.0))


def _remarks(places: list[Place], similar: list[Repeat]) -> tuple[str, ...]:
    said = [
        f"This part also stands elsewhere{' in the reference' if p.partner_image else ''}: "
        f"{p.words}. Chance gives {_count(p.log10_nfa)} such places in this image."
        for p in places[:10]
    ]
    said += [
        f"A part is similar to another ({each.map.words()}), but their fine detail differs "
        f"(correlation {each.detail:.2f}; copies have {SHARED:g} or more): similar objects."
        for each in similar[:10]
    ]
    return tuple(said) or (NOTHING,)


def _count(log10_nfa: float | None) -> str:
    exponent = math.ceil(log10_nfa or 0.0)
    return "fewer than 10⁻¹⁰⁰" if exponent < -100 else f"fewer than 1e{exponent}"
