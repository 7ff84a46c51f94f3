"""Block grid: where the 8 × 8 blocks of a JPEG begin, region by region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from napari_diffusion.forensics.base import Evidence, Null, Trace
from napari_diffusion.forensics.reading import NOTHING, Curve, Number, Place, Reading, TraceMap
from napari_diffusion.forensics.statistics.plane_choice import plane_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_diffusion.forensics.jpeg.positions import Positions

_SIDE = 8

# Ends of the colour bar, in powers of ten.
_LIMITS = (-10.0, 10.0)


@dataclass(frozen=True)
class BlockGrid(Trace):
    """Regions in which the 8 × 8 blocks of JPEG compression begin elsewhere than in the rest.

    Each pixel votes for the one of 64 positions whose block has most coefficients below ½ grey
    level. Without blocks all positions are equally likely, so that a window in which k of n blocks
    vote for one position has ``NFA = 64 W · P(Binomial(n, 1/64) ≥ k)`` false alarms, W windows in
    the image. The usual position is that of most votes, or that at which the coefficients lie at
    equal steps in most parts of the image.

    Parameters
    ----------
    window : int
        Side of the windows in pixels, a multiple of 8. Small windows show small regions, large
        ones also the blocks of weak compression.

    Notes
    -----
    Use it on PNG, TIFF and screen copies to see whether a region has a compression history of its
    own. After a second JPEG compression at or below a quality of about 95 only the last blocks are
    seen. Where the usual position is seen in some windows and not in others says nothing: in
    clipped, constant and finely textured parts it is not seen either. One region in 64 is placed so
    that its blocks fall on the usual ones, and is not seen.

    References
    ----------
    Nikoukhah and others (2021), ZERO: a local JPEG grid origin detector based on the number of DCT
    zeros and its applications in image forensics.
    """

    null: ClassVar[Null] = "a-contrario"
    assumes: ClassVar[str] = (
        "The pixels are those of the file: not resampled, turned by other angles than 90°, or "
        "compressed again."
    )
    misleads: ClassVar[tuple[str, ...]] = (
        "A figure assembled from JPEG panels, tiled scans, stitched mosaics and pasted labels have "
        "regions with blocks of their own.",
        "Periodic textures, screens and halftones with a period of 8 pixels or a divisor of it, "
        "drawings, and enlargement by a whole factor look like blocks.",
        "Frames of a video have blocks that move with the objects.",
    )

    window: Annotated[
        int,
        {
            "min": 32,
            "max": 256,
            "unit": "pixels",
            "tooltip": "Small windows show small regions; large ones also weak compression.",
        },
    ] = 64

    def worthless(self, evidence: Evidence) -> str:
        """Return why no blocks can be seen here; see `Trace.worthless`."""
        from napari_diffusion.forensics.jpeg.grey_levels import why_no_blocks

        return why_no_blocks(evidence.image, self.window)

    def read(self, evidence: Evidence) -> Reading:
        """Return the regions, and maps of numbers of false alarms; see `Trace.read`."""
        from napari_diffusion.forensics.jpeg.grey_levels import unit_of

        unit = unit_of(evidence.image) or 1.0
        seen = [self._seen(evidence, index, plane / unit) for index, plane in evidence.planes()]
        places = tuple(place for each in seen for place in each.places)
        return Reading(
            self,
            maps=_maps(evidence, seen),
            curves=tuple(curve for each in seen[:1] for curve in each.curves()),
            places=tuple(sorted(places, key=lambda place: place.log10_nfa or 0.0)),
            numbers=tuple(number for each in seen for number in each.numbers()),
            remarks=_remarks(seen, places),
        )

    def _seen(self, evidence: Evidence, index: tuple[int, ...], plane: NDArray[Any]) -> _Seen:
        from napari_diffusion.forensics.jpeg.positions import positions
        from napari_diffusion.forensics.jpeg.regions import foreign_places
        from napari_diffusion.forensics.jpeg.votes import Counts, votes

        voted = votes(plane, evidence.threads.poll)
        counts = Counts(voted, self.window // _SIDE)
        found = positions(plane, counts)
        places = tuple(foreign_places(found, voted, plane, index))
        total = counts.total()
        return _Seen(index, plane.shape, found, total / max(1, total.sum()), places)


@dataclass(frozen=True, eq=False)
class _Seen:
    """What is seen in one plane."""

    index: tuple[int, ...]
    shape: tuple[int, ...]
    found: Positions
    shares: NDArray[np.float64]
    places: tuple[Place, ...]

    @property
    def named(self) -> str:
        return f" in {plane_name(self.index)}" if self.index else ""

    def map_of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.found.around_pixels(values, self.shape)

    def curves(self) -> tuple[Curve, Curve]:
        words = "position of the blocks (8 y + x)", "share of the votes"
        x, chance = tuple(map(float, range(_SIDE**2))), (1 / _SIDE**2,) * _SIDE**2
        found = Curve("votes", *words, x, tuple(map(float, self.shares)))
        return found, Curve("without blocks", *words, x, chance, is_null=True)

    def numbers(self) -> tuple[Number, ...]:
        other = -float(self.found.other.max())
        name = f"log₁₀ of the number of false alarms of blocks elsewhere{self.named}"
        return (Number(name, other, words="0 or more is what chance gives"),)

    def usual_words(self) -> tuple[str, ...]:
        from napari_diffusion.forensics.jpeg.regions import origin_words

        usual, by_steps = self.found.usual, self.found.by_steps
        if usual < 0:
            return (f"No usual position of blocks is seen{self.named}.",)
        share = float((self.found.own > 0).mean())
        words = f"The usual {origin_words(usual)}{self.named}, seen in {share:.0%} of the windows."
        if by_steps in (-1, usual):
            return (words,)
        return words, (
            f"The steps of the coefficients also show that {origin_words(by_steps)}{self.named}: "
            "the whole image was compressed before, and cropped or moved since."
        )


def _maps(evidence: Evidence, seen: list[_Seen]) -> tuple[TraceMap, ...]:
    from napari_diffusion.forensics.jpeg.grey_levels import stacked

    named = {
        "blocks begin elsewhere (−log₁₀ NFA)": [each.map_of(each.found.other) for each in seen],
        "blocks at the usual position (−log₁₀ NFA)": [each.map_of(each.found.own) for each in seen],
    }
    return tuple(
        TraceMap(name, stacked(evidence.image, planes), "", _LIMITS, diverging=True)
        for name, planes in named.items()
    )


def _remarks(seen: list[_Seen], places: tuple[Place, ...]) -> tuple[str, ...]:
    usual = tuple(words for each in seen for words in each.usual_words())
    if not places:
        return (NOTHING, *usual)
    first = min(places, key=lambda place: place.log10_nfa or 0.0)
    y, x = first.outline.mean(axis=0)
    count = f"{len(places)} regions differ" if len(places) > 1 else "A region differs"
    return (
        f"{count} from the rest in the position of JPEG blocks; around ({y:.0f}, {x:.0f}) "
        f"{first.words}, 10^{first.log10_nfa:.0f} false alarms. This also happens in figures "
        "assembled from JPEG panels, tiled scans and mosaics.",
        *usual,
    )
