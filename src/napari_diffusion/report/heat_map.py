"""The kept share of known objects over size and contrast, as positions for a template."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeGuard

import numpy as np

from napari_diffusion.report.chart import Curve, Tick
from napari_diffusion.report.colour_bar import ColourBar
from napari_diffusion.report.palette import colour_at
from napari_diffusion.report.value_text import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike

_CELL_WIDTH, _CELL_HEIGHT = 78, 32
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 14, 26, 46


@dataclass(frozen=True)
class Cell:
    """One value of a heat map: where it is, its colour, and the text in it."""

    x: float
    y: float
    fill: str
    label: str
    dark: bool


@dataclass(frozen=True)
class HeatMap:
    """A heat map in units of the drawing; sizes go right, contrasts up, one cell for each value.

    Attributes
    ----------
    cells : tuple of Cell
        The values.
    curves : tuple of Curve
        The limits of detection, where they lie within the contrasts that were tried.
    outside : tuple of Tick
        Above the column of a size, a limit outside of them, such as "95 %: >12".
    """

    kind: ClassVar[str] = "heat_map"
    cell: ClassVar[tuple[int, int]] = (_CELL_WIDTH, _CELL_HEIGHT)
    title: str
    x_label: ClassVar[str] = "radius (pixels)"
    y_label: ClassVar[str] = "contrast (× noise σ)"
    width: int
    height: int
    frame: tuple[int, int, int, int]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    cells: tuple[Cell, ...]
    curves: tuple[Curve, ...]
    outside: tuple[Tick, ...] = ()
    bar: ClassVar[ColourBar] = ColourBar(diverging=False, labels=("0", "0.5", "1"))


@dataclass(frozen=True)
class Limit:
    """A contrast for each size with its text, drawn as a line; None where it is not known."""

    label: str
    style: str
    contrasts: Sequence[float | None]
    texts: Sequence[str]


def heat_map(
    title: str,
    sizes: Sequence[float],
    contrasts: Sequence[float],
    values: ArrayLike,
    limits: Sequence[Limit] = (),
) -> HeatMap:
    """Return a heat map of shares from 0 to 1.

    Parameters
    ----------
    title : str
        What is shown.
    sizes, contrasts : sequence of float
        Radius in pixels, and contrast in multiples of the noise sigma, both ascending.
    values : array_like
        (sizes, contrasts).
    limits : sequence of Limit
        Lines over the sizes.
    """
    rows = np.asarray(values, float).tolist()
    right = _LEFT + _CELL_WIDTH * len(sizes)
    bottom = _TOP + _CELL_HEIGHT * len(contrasts)
    xs = [_LEFT + _CELL_WIDTH * (k + 0.5) for k in range(len(sizes))]
    ys = [bottom - _CELL_HEIGHT * (k + 0.5) for k in range(len(contrasts))]
    cells = [_cell(x, y, rows[i][k]) for i, x in enumerate(xs) for k, y in enumerate(ys)]
    curves = [_limit(limit, xs, ys, contrasts) for limit in limits]
    return HeatMap(
        title=title,
        width=right + _RIGHT,
        height=bottom + _BOTTOM,
        frame=(_LEFT, _TOP, right, bottom),
        x_ticks=tuple(Tick(x, number(size)) for x, size in zip(xs, sizes, strict=True)),
        y_ticks=tuple(Tick(y, number(each)) for y, each in zip(ys, contrasts, strict=True)),
        cells=tuple(cells),
        curves=tuple(curve for curve in curves if curve.points),
        outside=tuple(_outside(limits, xs, contrasts)),
    )


def _cell(x: float, y: float, value: float) -> Cell:
    left, top = x - _CELL_WIDTH / 2, y - _CELL_HEIGHT / 2
    if math.isnan(value):
        return Cell(left, top, "none", "–", dark=False)
    fill, dark = colour_at(value)
    return Cell(left, top, fill, f"{value:.2f}".replace("-", "\N{MINUS SIGN}"), dark)


def _limit(
    limit: Limit, xs: Sequence[float], ys: Sequence[float], contrasts: Sequence[float]
) -> Curve:
    points = [
        (x, _height(each, ys, contrasts))
        for x, each in zip(xs, limit.contrasts, strict=True)
        if _is_tried(each, contrasts)
    ]
    return Curve(limit.label, limit.style, tuple(points))


def _outside(
    limits: Sequence[Limit], xs: Sequence[float], contrasts: Sequence[float]
) -> Iterator[Tick]:
    for k, x in enumerate(xs):
        said = [
            f"{limit.label.removeprefix('found in ')}: {limit.texts[k]}"
            for limit in limits
            if limit.texts[k] and not _is_tried(limit.contrasts[k], contrasts)
        ]
        if said:
            yield Tick(x, ", ".join(said))


def _is_tried(value: float | None, contrasts: Sequence[float]) -> TypeGuard[float]:
    return value is not None and contrasts[0] <= value <= contrasts[-1]


def _height(value: float, ys: Sequence[float], contrasts: Sequence[float]) -> float:
    """Return the height of a contrast, between the rows by its logarithm."""
    above = min(max(bisect.bisect_left(contrasts, value), 1), len(contrasts) - 1)
    if len(contrasts) == 1:
        return ys[0]
    low, high = contrasts[above - 1], contrasts[above]
    share = math.log(value / low) / math.log(high / low) if low > 0 else 0.5
    return ys[above - 1] + share * (ys[above] - ys[above - 1])
