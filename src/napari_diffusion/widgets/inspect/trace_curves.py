"""The curves of a trace that share their axes, as one plot; what is expected is dashed."""

from __future__ import annotations

import html
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt

from napari_diffusion.widgets.inspect.axis_names import name_axis
from napari_diffusion.widgets.plots.plot import Column, Plot
from napari_diffusion.widgets.plots.plot_theme import PALETTE, axes_colour, colour_axes, quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_diffusion.forensics import Curve

# Those of the palette that nobody reads as good or bad.
_COLOURS = (PALETTE[0], PALETTE[1], PALETTE[3], PALETTE[5], PALETTE[4])

# A longer name would not fit beside the plot.
_LONGEST = 20


class TraceCurves(Plot):
    """Curves over their own x, with a legend beneath."""

    def __init__(self) -> None:
        super().__init__()
        self._curves: tuple[Curve, ...] = ()

    def show_curves(self, curves: Sequence[Curve]) -> None:
        """Draw curves that have the same labels."""
        import pyqtgraph

        self._curves = tuple(curves)
        self._item.clear()
        lines, turn = [], 0
        for curve in curves:
            x, y = np.array(curve.x, float), np.array(curve.y, float)
            known = np.isfinite(x) & np.isfinite(y)
            if curve.is_null:
                quiet(self._item.plot(x[known], y[known]), 1.5, Qt.PenStyle.DashLine)
                colour, sign = axes_colour(), "┄"
            else:
                colour, sign, turn = _COLOURS[turn % len(_COLOURS)], "●", turn + 1
                self._item.plot(x[known], y[known], pen=pyqtgraph.mkPen(colour, width=2))
            lines.append(f'<span style="color:{colour}">{sign}</span> {html.escape(curve.name)}')
        if curves:
            name_axis(self._item, "bottom", curves[0].x_label)
            self._label_left(curves[0].y_label, lines)
        colour_axes(self._view)
        self._item.autoRange()
        self.legend.setText(" &nbsp;".join(lines))

    def _label_left(self, label: str, lines: list[str]) -> None:
        """Name the axis, above the legend where the name is longer than the plot is high."""
        fits = len(label) <= _LONGEST
        name_axis(self._item, "left", label if fits else "")
        if not fits:
            lines.insert(0, f"{html.escape(label)}:")

    def table(self) -> tuple[list[str], list[Column]]:
        """Return x and y of every curve, one beside the other."""
        names = [f"{c.name}: {label}" for c in self._curves for label in (c.x_label, c.y_label)]
        columns = [list(each) for c in self._curves for each in (c.x, c.y)]
        rows = zip_longest(*columns, fillvalue="")
        return names, [list(each) for each in zip(*rows, strict=True)]
