"""The sections of studies: any result in words, tables and maps, and the heat map of survival."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from napari_diffusion.report.blocks import (
    Block,
    Figure,
    Gallery,
    Plots,
    Section,
    Verbatim,
    table,
    text,
)
from napari_diffusion.report.colour_bar import ColourBar
from napari_diffusion.report.heat_map import Limit, heat_map
from napari_diffusion.report.png_image import map_uri, reduced
from napari_diffusion.report.value_text import number, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.analysis.study_result import StudyResult
    from napari_diffusion.core.results import ResultMap
    from napari_diffusion.report.heat_map import HeatMap
    from napari_diffusion.report.report import Report
    from napari_diffusion.report.shown_part import ShownPart

    # Sizes, contrasts, and a value for each pair.
    Shares = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]

# The most maps of a study or a trace that are shown.
_MOST_MAPS = 6

_LONGEST_JSON = 200_000

# The longest side of a map in pixels, beside images of 1024.
_MAP_SHARE = 2


class DetectionLimitLike(Protocol):
    """A limit of detection."""

    kind: str
    size: float
    share: float
    contrast: float | None
    text: str


@runtime_checkable
class KeptShares(Protocol):
    """A study with kept and lost shares for every size and contrast of each kind of object."""

    @property
    def limits_of_detection(self) -> Sequence[DetectionLimitLike]:
        """The contrasts that are found in a share of the cases."""

    def kept_table(self, kind: str) -> Shares:
        """Return sizes, contrasts, and the kept share of the contrast in rows of one size."""

    def lost_table(self, kind: str) -> Shares:
        """Return sizes, contrasts, and the share of lost objects."""


def study_blocks(study: StudyResult, part: ShownPart) -> list[Block]:
    """Return what a study found: sentences, charts, tables, maps, limits, values."""
    blocks: list[Block] = [*text(study.sentences())]
    if isinstance(study, KeptShares):
        blocks += [Plots(tuple(_shares(study)))]
    blocks += map_gallery(study.maps(), part)
    blocks += [table(each.title, each.columns, each.rows) for each in study.tables()]
    blocks += text(study.limits(), "limits", "What was tried, on what, and with what limits")
    said = json.dumps(study.to_dict(), indent=1, ensure_ascii=False, default=str)
    return [*blocks, values_block(study.title, said)]


def study_section(report: Report, name: str, anchor: str, title: str, part: ShownPart) -> Section:
    """Return the section of the studies of one class, or why there is none."""
    blocks: list[Block] = []
    for study in studies_of(report, name):
        blocks += study_blocks(study, part)
    if not blocks:
        why = report.missing.get(anchor) or report.missing.get("source")
        blocks += text([why or "This was not studied."], "missing")
    return Section(anchor, title, tuple(blocks))


def further_sections(report: Report, known: Iterable[str], part: ShownPart) -> list[Section]:
    """Return a section for each study of a class that has no place of its own."""
    apart = set(known)
    found = [each for each in report.studies if type(each).__name__ not in apart]
    return [
        Section(
            f"study-{k}-{re.sub(r'[^a-z0-9]+', '-', study.title.lower()).strip('-')}",
            shortened(study.title, 100),
            tuple(study_blocks(study, part)),
        )
        for k, study in enumerate(found)
    ]


def studies_of(report: Report, name: str) -> list[StudyResult]:
    """Return the studies of one class, by its name."""
    return [each for each in report.studies if type(each).__name__ == name]


def _shares(study: KeptShares) -> Iterator[HeatMap]:
    """Yield the kept share and the share found of each kind of object."""
    for kind in dict.fromkeys(each.kind for each in study.limits_of_detection):
        sizes, contrasts, kept = study.kept_table(kind)
        lost = study.lost_table(kind)[2]
        known = {
            (round(each.size, 6), each.share): each
            for each in study.limits_of_detection
            if each.kind == kind
        }
        lines = []
        for share, style in ((0.5, "line"), (0.95, "dashed")):
            found = [known.get((round(float(size), 6), share)) for size in sizes]
            contrast = [None if each is None else each.contrast for each in found]
            words = ["" if each is None else each.text for each in found]
            lines.append(Limit(f"found in {100 * share:.0f} %", style, contrast, words))
        x, y = [float(each) for each in sizes], [float(each) for each in contrasts]
        yield heat_map(f"Kept share of the contrast, {kind}", x, y, kept, lines)
        yield heat_map(f"Share of the objects found, {kind}", x, y, 1.0 - lost, lines)


def map_gallery(
    maps: Sequence[ResultMap], part: ShownPart, before: Sequence[Figure] = ()
) -> tuple[Gallery, ...]:
    """Return figures and the first maps side by side; nothing without any."""
    figures = (*before, *(_map_figure(each, part) for each in maps[:_MOST_MAPS]))
    left = len(maps) - _MOST_MAPS
    note = f"{left} further maps are not shown." if left > 0 else ""
    return (Gallery(figures, note=note),) if figures else ()


def values_block(title: str, said: str) -> Verbatim:
    """Return all values of a study or a trace, JSON, folded and not on paper."""
    named = f"All values of “{title}” (JSON)"
    return Verbatim(shortened(said, _LONGEST_JSON), named, folded=True, printed=False)


def _map_figure(found: ResultMap, part: ShownPart) -> Figure:
    """Return a map in the colours of its palette, with its bar."""
    plane, where = _plane(np.asarray(found.values), part)
    factor = -(-max(plane.shape) // max(part.longest // _MAP_SHARE, 1))
    low, high = (float(each) for each in found.limits)
    uri = map_uri(reduced(plane, factor), (low, high), found.diverging)
    labels = (f"≤ {number(low)}", number((low + high) / 2), f"≥ {number(high)}")
    unit = shortened(found.unit, 40)
    name = shortened(found.name, 200)
    caption = f"{name}{f' ({unit})' if unit else ''}{where}"
    if plane.shape[-len(part.extent) :] != tuple(part.extent.values()):
        caption += ", of the part that was studied"
    bar = ColourBar(found.diverging, labels)
    return Figure(
        uri, part.ratio_of(plane.shape), name, caption, bar, sharp=max(plane.shape) <= 300
    )


def _plane(values: NDArray[Any], part: ShownPart) -> tuple[NDArray[np.float64], str]:
    """Return one plane of a map, and which one it is.

    A map has the axes of the source, without c for colours, or is of a part of it: its middle is
    shown where it has not the size of the source.
    """
    axes = part.grid.axes.replace("c", "") if part.grid.rgb else part.grid.axes
    if values.ndim != len(axes):
        axes = axes.replace("c", "")[-values.ndim :]
    sizes = dict(zip("tczyx", part.grid.shape, strict=True))
    shown = part.plane_axes
    index: list[slice | int] = []
    said = ""
    for axis, size in zip(axes.rjust(values.ndim, "?"), values.shape, strict=True):
        if axis in shown:
            index.append(slice(None))
            continue
        whole = sizes.get(axis) == size
        at = part.place.get(axis, 0) if whole and axis != "c" else 0 if axis == "c" else size // 2
        said += f", {axis} = {at}" if size > 1 else ""
        index.append(at)
    plane = np.asarray(values[tuple(index)], np.float64)
    left = [axis for axis in axes if axis in shown]
    if plane.ndim == len(shown) == 2 and left != list(shown):
        plane = plane.T
    return np.atleast_2d(plane), said
