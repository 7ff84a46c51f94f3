"""Charts as lists of positions, which a template writes as SVG."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from napari_diffusion.report.value_text import number

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Size of a chart, and of its margins, in the units of the drawing.
WIDTH, HEIGHT = 460, 300
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 12, 46

_MOST_TICKS = 6


@dataclass(frozen=True)
class Tick:
    """A mark at an axis: where, and its number."""

    at: float
    label: str


@dataclass(frozen=True)
class Curve:
    """What is drawn: points, or a line through them; `style` is "points", "line" or "dashed"."""

    label: str
    style: str
    points: tuple[tuple[float, float], ...]
    colour: int = 0

    @property
    def path(self) -> str:
        """The points as SVG writes them."""
        return " ".join(f"{x:.2f},{y:.2f}" for x, y in self.points)


@dataclass(frozen=True)
class Chart:
    """A chart in units of the drawing.

    Attributes
    ----------
    title, x_label, y_label : str
        What is shown, with units.
    x_ticks, y_ticks : tuple of Tick
        Marks of the axes.
    curves : tuple of Curve
        What is drawn, the later ones above.
    """

    kind: ClassVar[str] = "chart"
    width: ClassVar[int] = WIDTH
    height: ClassVar[int] = HEIGHT
    frame: ClassVar[tuple[int, int, int, int]] = (LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM)
    title: str
    x_label: str
    y_label: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    curves: tuple[Curve, ...]


@dataclass(frozen=True)
class Line:
    """Values to be drawn; see `Curve` for `style`."""

    label: str
    style: str
    x: Sequence[float]
    y: Sequence[float]
    colour: int = 0


def chart(title: str, x_label: str, y_label: str, lines: Sequence[Line]) -> Chart:
    """Return a chart of lines with common axes; the vertical one has 0.

    Points that are no finite numbers are left out.
    """
    kept = [_finite(line) for line in lines]
    x_range = _extent([x for line in kept for x, _ in line])
    y_range = _extent([0.0, *(y for line in kept for _, y in line)])
    curves = tuple(
        Curve(
            line.label,
            line.style,
            tuple((_right(x, x_range), _up(y, y_range)) for x, y in points),
            line.colour,
        )
        for line, points in zip(lines, kept, strict=True)
        if points
    )
    x_ticks = tuple(Tick(_right(v, x_range), number(v)) for v in ticks(*x_range))
    y_ticks = tuple(Tick(_up(v, y_range), number(v)) for v in ticks(*y_range))
    return Chart(title, x_label, y_label, x_ticks, y_ticks, curves)


def ticks(low: float, high: float) -> list[float]:
    """Return at most 7 round numbers from `low` to `high`."""
    rough = (high - low) / (_MOST_TICKS - 1)
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * k for k in (1, 2, 5, 10) if size * k >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [k * step for k in range(first, last + 1)]


def _finite(line: Line) -> list[tuple[float, float]]:
    pairs = zip(map(float, line.x), map(float, line.y), strict=True)
    return [(x, y) for x, y in pairs if math.isfinite(x) and math.isfinite(y)]


def _extent(values: list[float]) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return (low if low == 0 else low - room), high + room


def _right(value: float, extent: tuple[float, float]) -> float:
    low, high = extent
    return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)


def _up(value: float, extent: tuple[float, float]) -> float:
    low, high = extent
    return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)
