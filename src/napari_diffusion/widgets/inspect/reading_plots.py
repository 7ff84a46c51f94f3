"""The plots of a reading, one at a time: its maps beside their null, and its curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox

from napari_diffusion.forensics import TraceMap
from napari_diffusion.widgets.forms.box import Box, labelled, leave_wheel, may_be_narrow

if TYPE_CHECKING:
    from napari_diffusion.forensics import Curve, Reading
    from napari_diffusion.widgets.inspect.null_plot import NullPlot
    from napari_diffusion.widgets.inspect.trace_curves import TraceCurves

_ABOUT = "What the plot shows: how often values are found, or a curve of the trace."


class ReadingPlots(Box):
    """Plots of what a trace read; it takes no room while there is nothing to draw."""

    def __init__(self) -> None:
        self.choice = ComboBox(choices=[])
        may_be_narrow(self.choice.native)
        leave_wheel(self.choice.native)
        self._row = labelled("plot", self.choice, tooltip=_ABOUT)
        super().__init__(self._row)
        self._offered: dict[str, TraceMap | list[Curve]] = {}
        self._null: NullPlot | None = None
        self._curves: TraceCurves | None = None
        self.choice.changed.connect(self._draw)
        self.visible = False

    @property
    def drawn(self) -> TraceMap | list[Curve] | None:
        """What is drawn: a map, or curves that share their axes."""
        return self._offered.get(str(self.choice.value))

    @property
    def null(self) -> NullPlot:
        """The plot of a map and its null; made when it is first needed."""
        if self._null is None:
            from napari_diffusion.widgets.inspect.null_plot import NullPlot

            self._null = NullPlot()
            self.add_native(self._null, 1)
        return self._null

    @property
    def curves(self) -> TraceCurves:
        """The plot of curves; made when it is first needed."""
        if self._curves is None:
            from napari_diffusion.widgets.inspect.trace_curves import TraceCurves

            self._curves = TraceCurves()
            self.add_native(self._curves, 1)
        return self._curves

    def show_reading(self, reading: Reading | None) -> None:
        """Show the first plot of a reading, and offer the others."""
        self._offered = {} if reading is None else _offered(reading)
        self.visible = bool(self._offered)
        if not self._offered:
            return
        with self.choice.changed.blocked():
            self.choice.choices = list(self._offered)
            self.choice.value = next(iter(self._offered))
        self._row.visible = len(self._offered) > 1
        self._draw()

    def show_map(self, shown: TraceMap, value: float | None = None) -> None:
        """Turn to a map, and mark one of its values."""
        for name, each in self._offered.items():
            if each is shown:
                if self.choice.value != name:
                    self.choice.value = name
                self.null.show_value(value)

    def _draw(self) -> None:
        shown = self.drawn
        if shown is None:
            return
        plot = self.null if isinstance(shown, TraceMap) else self.curves
        for each in (self._null, self._curves):
            if each is not None:
                each.setVisible(each is plot)
        if isinstance(shown, TraceMap):
            self.null.show_map(shown)
        else:
            self.curves.show_curves(shown)


def _offered(reading: Reading) -> dict[str, TraceMap | list[Curve]]:
    """Return what can be drawn, by names; curves with the same labels are one plot."""
    found: dict[str, TraceMap | list[Curve]] = {each.name: each for each in reading.maps}
    grouped: dict[str, list[Curve]] = {}
    for curve in reading.curves:
        grouped.setdefault(f"{curve.y_label} over {curve.x_label}", []).append(curve)
    return {**found, **grouped}
