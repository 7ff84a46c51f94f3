"""Levels: which intensities occur, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from napari_diffusion.forensics.base import Evidence, Null, Trace
from napari_diffusion.forensics.reading import NOTHING, Curve, Number, Place, Reading, TraceMap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.forensics.statistics.level_counts import LevelCounts


# Ends of the colour bar: powers of ten of an area.
_LIMITS = (0.0, 5.0)

# A comb is mentioned from this share of levels on, and so many of them are named.
_COMB, _NAMED = 0.05, 6

# An end is mentioned where it has this share of the pixels, and so many times the level beside it.
_CLIPPED, _TIMES = 0.005, 4

_MOST_PLACES = 20

# Whole numbers with this step or more have levels missing between all of them.
_WIDE = 2


@dataclass(frozen=True)
class Levels(Trace):
    """Intensities that are missing, too frequent or clipped, and parts without any variation.

    ``missing: n(v) < 0.2 · mean n(v ± 1 … 4)``, ``too frequent: n(v) > 1.8 · median n(v ± 1 … 4)``,
    with the count n of a level v. The share of such levels is that of a comb. A
    constant part is a connected set of overlapping squares of 3 × 3 equal pixels.

    Parameters
    ----------
    least_area : int
        Constant parts of fewer pixels are left out of the places; the map shows all of them.

    Notes
    -----
    Use it to see whether an image was stretched, clipped or painted over. Stretched contrast leaves
    gaps, compressed contrast leaves peaks, as long as the values were not smoothed, compressed or
    rescaled since. Continuous values have no levels: then only the ends and the constant parts are
    read.

    References
    ----------
    Stamm and Liu (2010), Forensic detection of image manipulation using statistical intrinsic
    fingerprints.
    """

    null: ClassVar[Null] = "same image"
    assumes: ClassVar[str] = "The values are those of the file, not resampled or rescaled since."
    misleads: ClassVar[tuple[str, ...]] = (
        "Camera gains, white balance, gamma curves, and saving with fewer bits leave the same gaps "
        "and peaks.",
        "Saturated, masked and empty parts, drawings and labels are constant, and strong "
        "compression makes smooth parts constant.",
    )

    least_area: Annotated[
        int,
        {"min": 9, "unit": "pixels", "tooltip": "Smaller constant parts are not listed."},
    ] = 64

    def read(self, evidence: Evidence) -> Reading:
        """Return the histogram, the comb, the ends and the constant parts; see `Trace.read`."""
        from napari_diffusion.forensics.jpeg.grey_levels import stacked
        from napari_diffusion.forensics.statistics.level_counts import LevelCounts

        image = evidence.image
        parts = [_Parts(index, *found) for index, found in _constant_parts(evidence)]
        power = stacked(image, [np.log10(np.maximum(each.areas, 1))[each.labels] for each in parts])
        places = self._places(parts)
        remarks, numbers, curves = _constant_words(places), [], []
        for c, name in enumerate(_names(evidence)):
            evidence.threads.poll()
            counts = LevelCounts.of(image.data[:, c])
            numbers += _numbers(counts, name)
            curves += _curves(counts, name)
            remarks += _remarks(counts, name)
        large = sum(float(each.areas[each.areas >= self.least_area].sum()) for each in parts)
        words = f"share of constant parts of {self.least_area} pixels or more"
        return Reading(
            self,
            maps=(TraceMap("constant part (log₁₀ of its pixels)", power, "", _LIMITS),),
            curves=tuple(curves),
            places=places,
            numbers=(*numbers, Number(words, large / power.size)),
            remarks=tuple(remarks) or (NOTHING,),
        )

    def _places(self, parts: Sequence[_Parts]) -> tuple[Place, ...]:
        """Return the largest constant parts, the largest first."""
        sizes = [
            (int(area), k, label)
            for k, each in enumerate(parts)
            for label, area in enumerate(each.areas)
            if area >= self.least_area
        ]
        largest = sorted(sizes, reverse=True)[:_MOST_PLACES]
        return tuple(
            Place(parts[k].outline(label), parts[k].index, words=f"constant part of {area} pixels")
            for area, k, label in largest
        )


@dataclass(frozen=True, eq=False)
class _Parts:
    """The constant parts of a plane."""

    index: tuple[int, ...]
    labels: NDArray[np.int64]
    areas: NDArray[np.int64]

    def outline(self, label: int) -> NDArray[np.float64]:
        from napari_diffusion.forensics.copying.outlines import outlines

        return outlines(self.labels == label, 1, 1)[0]


def _constant_parts(evidence: Evidence) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Yield the index of each plane, as `Evidence.planes`, and its constant parts."""
    from napari_diffusion.forensics.statistics.constant_parts import constant_parts

    data = evidence.image.data
    rgb = evidence.image.grid.rgb
    for t, c, z in np.ndindex(data.shape[0], 1 if rgb else data.shape[1], data.shape[2]):
        evidence.threads.poll()
        at = zip("tcz", (t, c, z), strict=True)
        named = [a for a in evidence.image.grid.axes if not (rgb and a == "c")]
        channels = data[t, :, z] if rgb else data[t, c : c + 1, z]
        yield tuple(n for a, n in at if a in named), constant_parts(channels)


def _names(evidence: Evidence) -> tuple[str, ...]:
    grid = evidence.image.grid
    if grid.rgb:
        return ("red: ", "green: ", "blue: ")
    return tuple(f"channel {c}: " for c in range(grid.shape[1])) if "c" in grid.axes else ("",)


def _numbers(counts: LevelCounts, name: str) -> list[Number]:
    comb, total = counts.comb(), int(counts.counts.sum())
    ends = [float(counts.counts[k]) / total for k in (0, -1)] if counts.step else [np.nan, np.nan]
    return [
        Number(
            f"{name}share of levels missing or too frequent", comb.share, *comb.interval(),
            words=f"{len(comb.missing)} missing, {len(comb.frequent)} too frequent of {comb.read}",
        ),
        Number(f"{name}share of pixels at the lowest level, {counts.levels[0]:g}", ends[0]),
        Number(f"{name}share of pixels at the highest level, {counts.levels[-1]:g}", ends[1]),
    ]  # fmt: skip


def _curves(counts: LevelCounts, name: str) -> list[Curve]:
    labels = "intensity", "pixels"
    levels = tuple(map(float, counts.levels))
    shown = Curve(f"{name}histogram", *labels, levels, tuple(map(float, counts.counts)))
    beside = tuple(map(float, counts.expected()))
    return [shown, Curve(f"{name}levels beside", *labels, levels, beside, is_null=True)]


def _remarks(counts: LevelCounts, name: str) -> list[str]:
    if not counts.step:
        return [f"{name}The values are continuous or constant: there are no levels to read."]
    comb, found = counts.comb(), _step_words(counts, name)
    for words, levels in (("missing", comb.missing), ("too frequent", comb.frequent)):
        if comb.read and len(levels) > _COMB * comb.read:
            listed = ", ".join(f"{level:g}" for level in levels[:_NAMED])
            more = ", …" if len(levels) > _NAMED else ""
            found.append(
                f"{name}{len(levels)} of {comb.read} levels are {words} beside their neighbours "
                f"({listed}{more}). Stretched or compressed contrast does so; this also happens "
                "with camera gains, white balance and gamma curves."
            )
    total = counts.counts.sum()
    for words, end, beside in (("lowest", 0, 1), ("highest", -1, -2)):
        own = int(counts.counts[end])
        if own > _CLIPPED * total and own > _TIMES * counts.counts[beside]:
            found.append(
                f"{name}{own / total:.1%} of the pixels have the {words} level, "
                f"{counts.levels[end]:g}: intensities beyond it were clipped, or the part is empty."
            )
    return found


def _step_words(counts: LevelCounts, name: str) -> list[str]:
    """Return a remark where whole numbers have a step of 2 or more: all between are missing."""
    if counts.step < _WIDE or counts.step % 1:
        return []
    return [
        f"{name}All values are quantized in steps of {counts.step:g}. Fewer bits before, or "
        "stretched contrast, do so; this also happens with camera gains."
    ]


def _constant_words(places: Sequence[Place]) -> list[str]:
    if not places:
        return []
    y, x = places[0].outline.mean(axis=0)
    return [
        f"There is a {places[0].words} around ({y:.0f}, {x:.0f}), the largest of those without any "
        "variation. This also happens with saturation, masks, labels, empty parts and strong "
        "compression."
    ]
