"""The colours of plots: axes follow napari's theme, curves can be seen on all of its themes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_diffusion.widgets.forms.theme import DARK, colours_of

if TYPE_CHECKING:
    from pyqtgraph import PlotWidget
    from qtpy.QtWidgets import QWidget

#: Colours of curves, with a contrast of at least 3:1 on the dark and on the light background;
#: beyond them curves are dashed.
PALETTE = (
    "#3a86d0", "#c96a28", "#3a9450", "#a866c8", "#9c7d1c", "#288f8f", "#d0558f", "#9a7350",
)  # fmt: skip

#: What is recommended.
MARK = "#df4b48"

_SIDES = ("left", "bottom", "right", "top")

# Plots are made when there is something to draw, which may be long after the theme was shown.
_shown = {"axes": DARK.help}


def axes_colour() -> str:
    """Return the colour of axes and of what belongs to them, in the theme that was shown last."""
    return _shown["axes"]


def quiet(item: Any, width: float, style: Any = None) -> Any:
    """Draw a line in the colour of the axes, also when the theme changes; return it."""
    item.of_axes = (width, style)
    _draw(item)
    return item


def show_theme(widget: QWidget, theme: str) -> None:
    """Draw the axes of all plots within a widget in the colour of the theme's help text."""
    from pyqtgraph import PlotWidget

    _shown["axes"] = colours_of(theme).help
    for view in widget.findChildren(PlotWidget):
        colour_axes(view)
        # Qt keeps what it has drawn of the background.
        view.resetCachedContent()


def colour_axes(view: PlotWidget) -> None:
    """Draw the axes of a plot, and what belongs to them, in the colour of the theme."""
    item, colour = view.getPlotItem(), axes_colour()
    bars = [bar.axis for bar in getattr(view, "colour_bars", ())]
    for axis in (*(item.getAxis(side) for side in _SIDES), *bars):
        axis.setPen(colour)
        axis.setTextPen(colour)
    for each in item.items:
        if hasattr(each, "of_axes"):
            _draw(each)
        label = getattr(each, "label", None)
        if label is not None:
            label.setColor(colour)


def _draw(item: Any) -> None:
    from pyqtgraph import mkPen
    from qtpy.QtCore import Qt

    width, style = item.of_axes
    item.setPen(mkPen(axes_colour(), width=width, style=style or Qt.PenStyle.SolidLine))
