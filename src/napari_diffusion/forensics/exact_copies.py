"""Exact copies: parts that stand twice to the bit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from napari_diffusion.forensics.base import Evidence, Null, Trace
from napari_diffusion.forensics.copying.outlines import outlines
from napari_diffusion.forensics.copying.window_hash import (
    LEAST_WINDOWS,
    SIDE,
    SYMMETRIES,
    Equal,
    equal_parts,
    textured_windows,
)
from napari_diffusion.forensics.parameters import FALSE_ALARMS
from napari_diffusion.forensics.reading import NOTHING, Place, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray


@dataclass(frozen=True)
class ExactCopies(Trace):
    """Parts that stand twice to the bit, moved, turned by quarter turns or mirrored.

    Windows of 12² pixels are equal where their hashes are; pairs with the same symmetry and shift
    form a part. With N windows, the 8 symmetries of the square and a part of A pixels, chance
    gives ``8 N² p^(A / 4)`` such parts: p is the probability that two differences of neighbours
    are equal, and every fourth counts, for neighbours follow each other.

    Parameters
    ----------
    false_alarms : float
        How many such places chance may give in this image: smaller values show fewer places.

    Notes
    -----
    Use it for images in files without loss: microscopes' own files, TIFF, PNG. It finds parts that
    were retouched with a clone stamp, from 12 × 12 pixels on.

    After JPEG compression, a change of contrast or any other turn nothing is equal to the bit any
    more: use `Copies`. Flat and clipped parts, and windows in which few neighbours differ, are
    left out.

    References
    ----------
    Fridrich, Soukal and Lukáš (2003), Detection of copy-move forgery in digital images.
    """

    null: ClassVar[Null] = "a-contrario"
    assumes: ClassVar[str] = (
        "The intensities are those of the file, with noise: two parts with the same structure "
        "differ by a few levels."
    )
    misleads: ClassVar[tuple[str, ...]] = (
        "Drawn, computed and noise-free images repeat to the bit: letters, symbols, gradients.",
        "Padding, stitching and tiles of a scan show the same pixels twice.",
    )

    false_alarms: Annotated[float, FALSE_ALARMS] = 0.001

    def worthless(self, evidence: Evidence) -> str:
        """Return why there is nothing to read; see `Trace.worthless`."""
        if min(evidence.image.grid.shape[-2:]) < 2 * SIDE:
            return f"It needs planes of {2 * SIDE} pixels or more along y and x."
        return ""

    def read(self, evidence: Evidence) -> Reading:
        """Return the parts that stand twice; see `Trace.read`."""
        places: list[Place] = []
        count = math.prod(evidence.image.grid.shape[:3])
        for index, plane in evidence.planes():
            for found, nfa in self._parts(plane, count, evidence.threads.poll):
                places += _places(found, index, nfa)
        places.sort(key=lambda each: each.log10_nfa or 0.0)
        remarks = [f"This part also stands elsewhere, to the bit: {p.words}." for p in places[:10]]
        return Reading(
            self,
            places=tuple(places),
            remarks=tuple(remarks) or (NOTHING,),
        )

    def _parts(
        self, plane: NDArray[np.float64], count: int, poll: Callable[[], None]
    ) -> Iterator[tuple[Equal, float]]:
        textured = textured_windows(plane)
        if textured.sum() < LEAST_WINDOWS:
            return
        windows = 2 * math.log10(textured.sum()) + math.log10(count * (len(SYMMETRIES) + 1))
        chance = math.log10(_equal_by_chance(plane, textured))
        for found in equal_parts(plane, textured, poll):
            nfa = windows + chance * float(found.part.sum()) / 4
            if nfa <= math.log10(self.false_alarms):
                yield found, nfa


def _equal_by_chance(plane: NDArray[Any], textured: NDArray[np.bool_]) -> float:
    """Return the probability that two differences of neighbours, drawn at random, are equal."""
    height, width = textured.shape
    differences = np.diff(plane, axis=1)[:height, :width][textured]
    counts = np.unique(differences, return_counts=True)[1]
    return float(((counts / counts.sum()) ** 2).sum())


def _places(found: Equal, index: tuple[int, ...], nfa: float) -> list[Place]:
    words = found.map.words()
    return [
        Place(outline, index, nfa, words, partner=found.map(outline), partner_plane=index)
        for outline in outlines(found.part, SIDE**2)
    ]
