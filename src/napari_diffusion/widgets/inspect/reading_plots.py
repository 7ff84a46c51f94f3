"""What a trace read, one thing at a time: its places, its maps beside their null, its curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox
from psygnal import Signal

from napari_diffusion.forensics import TraceMap
from napari_diffusion.widgets.forms.box import Box, labelled, leave_wheel, may_be_narrow
from napari_diffusion.widgets.inspect.scrolled_text import ScrolledText
from napari_diffusion.widgets.inspect.trace_words import places_words

if TYPE_CHECKING:
    from napari_diffusion.forensics import Curve, Place, Reading
    from napari_diffusion.widgets.inspect.null_plot import NullPlot
    from napari_diffusion.widgets.inspect.trace_curves import TraceCurves
    from napari_diffusion.widgets.plots.plot import Plot

    Drawn = TraceMap | list[Curve] | tuple[Place, ...]

_ABOUT = (
    "The places on the image, a map with the values that it has and those it is compared with, or "
    "a curve."
)
_PLACES = "places on the image"

# Of many places so many lines are in sight; a plot with its legend is so high at least, in pixels.
_LINES, _PLOT = 6, 180


class ReadingPlots(Box):
    """Places and plots of what a trace read; it takes no room where there are none."""

    #: Something else is shown: a map, the places (a tuple), or curves (a list).
    turned = Signal(object)

    def __init__(self) -> None:
        self.choice = ComboBox(choices=[])
        may_be_narrow(self.choice.native)
        leave_wheel(self.choice.native)
        self._row = labelled("show", self.choice, tooltip=_ABOUT)
        super().__init__(self._row)
        self.places = ScrolledText(_LINES)
        self.add_native(self.places)
        self._offered: dict[str, Drawn] = {}
        self._null: NullPlot | None = None
        self._curves: TraceCurves | None = None
        self.choice.changed.connect(self._draw)
        self.visible = False

    @property
    def drawn(self) -> Drawn | None:
        """What is drawn: places, a map, or curves that share their axes."""
        return self._offered.get(str(self.choice.value))

    @property
    def null(self) -> NullPlot:
        """The plot of a map and its null; made when it is first needed."""
        if self._null is None:
            from napari_diffusion.widgets.inspect.null_plot import NullPlot

            self._null = NullPlot()
            self._add_plot(self._null)
        return self._null

    @property
    def curves(self) -> TraceCurves:
        """The plot of curves; made when it is first needed."""
        if self._curves is None:
            from napari_diffusion.widgets.inspect.trace_curves import TraceCurves

            self._curves = TraceCurves()
            self._add_plot(self._curves)
        return self._curves

    def show_reading(self, reading: Reading | None) -> None:
        """Show the first thing that was read, and offer the others."""
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

    def _add_plot(self, plot: Plot) -> None:
        plot.setMinimumHeight(_PLOT)
        self.add_native(plot, 1)

    def _draw(self) -> None:
        shown = self.drawn
        if shown is None:
            return
        # Two at a time would be higher than a low window, which would grow.
        for plot in (self.places, self._null, self._curves):
            if plot is not None:
                plot.hide()
        if isinstance(shown, tuple):
            self.places.value = places_words(shown)
            self.places.show()
        elif isinstance(shown, TraceMap):
            self.null.show_map(shown)
            self.null.show()
        else:
            self.curves.show_curves(shown)
            self.curves.show()
        self.turned.emit(shown)


def _offered(reading: Reading) -> dict[str, Drawn]:
    """Return what can be shown, by names; curves with the same labels are one plot."""
    found: dict[str, Drawn] = {_PLACES: reading.places} if reading.places else {}
    grouped: dict[str, list[Curve]] = {}
    for curve in reading.curves:
        grouped.setdefault(f"{curve.y_label} over {curve.x_label}", []).append(curve)
    return {**found, **{each.name: each for each in reading.maps}, **grouped}
