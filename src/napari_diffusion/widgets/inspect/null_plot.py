"""The values of a map beside those of its null, with a line at the value that was clicked."""

from __future__ import annotations

import html
import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.widgets.inspect.axis_names import name_axis
from napari_diffusion.widgets.layers.map_layers import map_name
from napari_diffusion.widgets.plots.plot import Column, Plot, short
from napari_diffusion.widgets.plots.plot_theme import PALETTE, colour_axes, quiet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.forensics import TraceMap

_BINS = 80

# Of more values those at even distances are counted.
_MOST = 1 << 18

# Values beyond the colour bar are drawn too, but for these shares at both ends.
_FAR = 0.001

_GREY, _LINE = "#808790", PALETTE[0]

# A longer name would not fit beneath the plot; its unit does.
_LONGEST = 44

# Room for a legend of four lines, in pixels.
_LOW = 116

_IN_BRACKETS = re.compile(r"^(.*?) \(([^()]*)\)$")


class NullPlot(Plot):
    """Shares over the value: the null as a grey ground, the map as a line above it.

    The axis of shares is logarithmic: what is telling is rare.
    """

    def __init__(self) -> None:
        super().__init__()
        import pyqtgraph

        self._view.setMinimumHeight(_LOW)
        self._map: TraceMap | None = None
        self._null: NDArray[Any] = np.zeros(0)
        self._edges: NDArray[Any] = np.zeros(1)
        self._shares: dict[str, NDArray[Any]] = {}
        self.clicked_value: float | None = None
        self.mark = quiet(pyqtgraph.InfiniteLine(angle=90), 2)

    def show_map(self, shown: TraceMap) -> None:
        """Draw a map and its null; the line goes."""
        values, self._map = _flat(shown.values), shown
        self._null = np.zeros(0) if shown.null is None else _flat(shown.null)
        self.clicked_value = None
        self._edges = _edges(shown.limits, values, self._null)
        named = {"null": self._null, "map": values}
        self._shares = {name: _shares(each, self._edges) for name, each in named.items()}
        self._draw()
        name = map_name(shown.name, shown.unit)
        unit = name_and_unit(shown)[1]
        name_axis(self._item, "bottom", name if len(name) <= _LONGEST else unit or "value")
        name_axis(self._item, "left", "share in %")
        self._item.addItem(self.mark)
        self.mark.setVisible(False)
        colour_axes(self._view)
        self._item.autoRange()
        self._show_legend()

    def _draw(self) -> None:
        """Draw the shares as their powers of ten, from the rarest one upwards."""
        import pyqtgraph

        self._item.clear()
        there = [each[each > 0] for each in self._shares.values() if each.any()]
        least = min((float(each.min()) for each in there), default=1.0)
        lowest = min(math.floor(math.log10(least)), 0)
        for name, shares in self._shares.items():
            if not shares.any():
                continue
            is_null = name == "null"
            powers = np.log10(np.maximum(shares, 10.0**lowest))
            fill = {"fillLevel": lowest, "brush": f"{_GREY}70"} if is_null else {}
            pen = pyqtgraph.mkPen(_GREY if is_null else _LINE, width=1 if is_null else 2)
            self._item.plot(self._edges, powers, stepMode="center", pen=pen, **fill)
        ticks = [(float(power), f"{10.0**power:g}") for power in range(lowest, 3)]
        self._item.getAxis("left").setTicks([ticks, []])

    def show_value(self, value: float | None) -> None:
        """Mark the value of a pixel that was clicked."""
        known = value is not None and bool(np.isfinite(value))
        self.clicked_value = value if known else None
        self.mark.setVisible(known)
        if known:
            self.mark.setValue(float(np.clip(value, self._edges[0], self._edges[-1])))  # type: ignore[arg-type]
        self._show_legend()

    def table(self) -> tuple[list[str], list[Column]]:
        """Return the ends of the bins and the shares."""
        ends = [[f"{edge:.9g}" for edge in part] for part in (self._edges[:-1], self._edges[1:])]
        return ["from", "to", *self._shares], [*ends, *map(list, self._shares.values())]

    def _show_legend(self) -> None:
        shown = self._map
        if shown is None:
            self.legend.setText("")
            return
        lines = [f'<span style="color:{_LINE}">■</span> this map']
        if self._null.size:
            where = html.escape(shown.null_words or "where the trace is assumed to be absent")
            lines[0] += f' &nbsp;<span style="color:{_GREY}">■</span> null: {where}'
        lines.append(self._value_words(name_and_unit(shown)[1]))
        self.legend.setText("<br>".join(lines))

    def _value_words(self, unit: str) -> str:
        value = self.clicked_value
        if value is None:
            return "Click in the image to see the value there."
        beyond = not self._edges[0] <= value <= self._edges[-1]
        words = f"Where you clicked: <b>{short(value)}</b> {html.escape(unit)}".rstrip()
        words += f"{', beyond the plot' * beyond}."
        if self._null.size:
            above = 100 * float((self._null < value).mean())
            share = "all" if above == 100 else f"{above:.4g} %"
            words += f" Above {share} of the null; this is a rank, no probability."
        return words


def name_and_unit(shown: TraceMap) -> tuple[str, str]:
    """Return the name of a map and its unit, which may stand in brackets after the name."""
    found = _IN_BRACKETS.match(shown.name)
    if shown.unit or found is None:
        return shown.name, shown.unit
    return found[1], found[2]


def _flat(values: NDArray[Any]) -> NDArray[np.float64]:
    flat = np.asarray(values).reshape(-1)
    every = -(-flat.size // _MOST)
    found = flat[:: max(every | 1, 1)].astype(np.float64)
    return np.asarray(found[np.isfinite(found)])


def _edges(limits: tuple[float, float], *samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ends of bins over the colour bar and nearly all values; whole numbers in ones."""
    ends = [np.quantile(each, (_FAR, 1 - _FAR)) for each in samples if each.size]
    low = float(min([limits[0], *(each[0] for each in ends)]))
    high = float(max([limits[1], *(each[1] for each in ends)]))
    if high <= low:
        high = low + 1.0
    if all((each == np.rint(each)).all() for each in samples):
        step = math.ceil((high - low + 1) / _BINS)
        return np.arange(math.floor(low) - 0.5, math.ceil(high) + 0.5 + step, step)
    return np.linspace(low, high, _BINS + 1)


def _shares(values: NDArray[Any], edges: NDArray[Any]) -> NDArray[np.float64]:
    """Return the shares in bins in %; what lies beyond the ends is counted in the outer bins."""
    inside = np.clip(values, edges[0], edges[-1])
    return 100 * np.histogram(inside, edges)[0] / max(values.size, 1)
