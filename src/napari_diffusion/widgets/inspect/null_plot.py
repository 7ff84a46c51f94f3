"""The values of a map beside those of its null, with a line at the value that was clicked."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.widgets.plots.plot import Column, Plot, short
from napari_diffusion.widgets.plots.plot_theme import PALETTE, colour_axes, quiet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.forensics import TraceMap

_BINS = 100

# Of more values those at even distances are counted.
_MOST = 1 << 18

_GREY, _LINE = "#808790", PALETTE[0]


class NullPlot(Plot):
    """Shares over the value: the null as a grey ground, the map as a line above it."""

    def __init__(self) -> None:
        super().__init__()
        import pyqtgraph

        self._map: TraceMap | None = None
        self._null: NDArray[Any] = np.zeros(0)
        self._edges: NDArray[Any] = np.zeros(1)
        self._shares: dict[str, NDArray[Any]] = {}
        self.clicked_value: float | None = None
        self.mark = quiet(pyqtgraph.InfiniteLine(angle=90), 2)

    def show_map(self, shown: TraceMap) -> None:
        """Draw a map and its null; the line goes."""
        import pyqtgraph

        values, self._map = _flat(shown.values), shown
        self._null = np.zeros(0) if shown.null is None else _flat(shown.null)
        self.clicked_value = None
        low, high = shown.limits
        self._edges = np.linspace(low, high if high > low else low + 1.0, _BINS + 1)
        named = {"null": self._null, "map": values}
        self._shares = {name: _shares(each, self._edges) for name, each in named.items()}
        self._item.clear()
        for name, shares in self._shares.items():
            if not shares.any():
                continue
            is_null = name == "null"
            fill = {"fillLevel": 0, "brush": f"{_GREY}70"} if is_null else {}
            pen = pyqtgraph.mkPen(_GREY if is_null else _LINE, width=1 if is_null else 2)
            self._item.plot(self._edges, shares, stepMode="center", pen=pen, **fill)
        self._item.setLabel("bottom", shown.unit or "value")
        self._item.setLabel("left", "share in %")
        self._item.addItem(self.mark)
        self.mark.setVisible(False)
        colour_axes(self._view)
        self._item.autoRange()
        self._show_legend()

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
        lines.append(self._value_words())
        self.legend.setText("<br>".join(lines))

    def _value_words(self) -> str:
        value = self.clicked_value
        if value is None:
            return "Click in the image to see the value there."
        unit = f" {html.escape(self._map.unit)}" if self._map and self._map.unit else ""
        words = f"where you clicked <b>{short(value)}</b>{unit}"
        if self._null.size:
            above = 100 * float((self._null < value).mean())
            words += f": above {above:.3g} % of the null. This is a rank."
        return words


def _flat(values: NDArray[Any]) -> NDArray[np.float64]:
    flat = np.asarray(values).reshape(-1)
    every = -(-flat.size // _MOST)
    found = flat[:: max(every | 1, 1)].astype(np.float64)
    return np.asarray(found[np.isfinite(found)])


def _shares(values: NDArray[Any], edges: NDArray[Any]) -> NDArray[np.float64]:
    """Return the shares in bins in %; what lies beyond the ends is counted in the outer bins."""
    inside = np.clip(values, edges[0], edges[-1])
    return 100 * np.histogram(inside, edges)[0] / max(values.size, 1)
