"""Figures of a reading: places drawn over the image, and curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.report.blocks import Figure
from napari_diffusion.report.chart import Line, chart
from napari_diffusion.report.image_sections import grey_limits
from napari_diffusion.report.png_image import outlined_uri, reduced
from napari_diffusion.report.shown_part import shown_part
from napari_diffusion.report.value_text import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_diffusion.forensics.copying.panels import SharedPart
    from napari_diffusion.forensics.inspection import Inspection
    from napari_diffusion.forensics.reading import Curve, Place
    from napari_diffusion.report.chart import Chart
    from napari_diffusion.report.shown_part import ShownPart

# The most places that are drawn, charts, lines of a chart, and points of a line.
_MOST_PLACES, _MOST_CHARTS, _MOST_LINES, _MOST_POINTS = 60, 6, 8, 1000

# Colours of a chart.
_COLOURS = 4

# Orange, sky blue, yellow, blue and purple of Okabe and Ito (2008): no red beside green.
_PAIRS = ("#e69f00", "#56b4e9", "#f0e442", "#0072b2", "#cc79a7")


def places_figure(values: NDArray[Any], places: Sequence[Place], part: ShownPart) -> Figure:
    """Return the plane of the first place with all outlines in it, pairs in one colour."""
    import dataclasses

    axes = [axis for axis in "tcz" if axis in part.grid.axes and not _colours(axis, part)]
    at = dict(zip(axes, places[0].plane, strict=False))
    channel = at.pop("c", 0)
    part = dataclasses.replace(part, place={**part.place, **at})
    shown = [each for each in places if each.plane == places[0].plane][:_MOST_PLACES]
    lines = [
        (outline, _PAIRS[k % len(_PAIRS)])
        for k, place in enumerate(shown)
        for outline in _outlines(place)
    ]
    caption = f"{len(shown)} of {len(places)} places; parts that belong together have one colour."
    return _outlined(values, part, channel, lines, caption)


def shared_figures(
    found: SharedPart, first: Inspection, second: Inspection, longest: int
) -> tuple[Figure, Figure]:
    """Return two images with the outlines of the part that they share, in one colour."""
    outlines = found.place.outline, found.place.partner
    made = []
    for image, outline in zip((first, second), outlines, strict=True):
        part = shown_part(image.image.grid, None, image.values, longest)
        lines = [] if outline is None else [(outline, _PAIRS[0])]
        made.append(_outlined(image.values, part, 0, lines, shortened(image.name, 100)))
    return made[0], made[1]


def _outlined(
    values: NDArray[Any],
    part: ShownPart,
    channel: int,
    lines: Sequence[tuple[NDArray[Any], str]],
    caption: str,
) -> Figure:
    plane, factor = part.plane(values, channel), part.factor
    uri = outlined_uri(reduced(plane, factor), grey_limits(values, part, channel), lines, factor)
    return Figure(uri, part.ratio_of(plane.shape[:2]), "places", caption)


def curve_charts(title: str, curves: Sequence[Curve]) -> tuple[Chart, ...]:
    """Return the curves of a reading; those with equal labels share a chart."""
    groups: dict[tuple[str, str], list[Curve]] = {}
    for curve in curves:
        groups.setdefault((curve.x_label, curve.y_label), []).append(curve)
    found = []
    for (x, y), several in list(groups.items())[:_MOST_CHARTS]:
        lines = [_line(curve, k) for k, curve in enumerate(several[:_MOST_LINES])]
        left = len(several) - len(lines)
        name = shortened(title, 100) + (f", the first {_MOST_LINES} lines" if left else "")
        found.append(chart(name, shortened(x, 60), shortened(y, 60), lines))
    return tuple(found)


def _line(curve: Curve, k: int) -> Line:
    # Of very long ones every n-th point.
    step = -(-len(curve.x) // _MOST_POINTS)
    style = "dashed" if curve.is_null else "line"
    name = shortened(curve.name, 100)
    return Line(name, style, curve.x[::step], curve.y[::step], k % _COLOURS)


def _outlines(place: Place) -> list[NDArray[Any]]:
    """Return the polygons of a place in its plane, and the line between two that are a pair."""
    if place.partner is None or place.partner_image or place.partner_plane != place.plane:
        return [place.outline]
    between = np.stack([place.outline.mean(axis=0), place.partner.mean(axis=0)])
    return [place.outline, place.partner, between]


def _colours(axis: str, part: ShownPart) -> bool:
    return axis == "c" and part.grid.rgb
