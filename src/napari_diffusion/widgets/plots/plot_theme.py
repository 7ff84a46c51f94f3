"""The colours of axes and legends, which follow napari's theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.widgets.forms.theme import colours_of

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

_SIDES = ("left", "bottom", "right", "top")


def show_theme(widget: QWidget, theme: str) -> None:
    """Draw the axes of all plots within a widget in the colour of the theme's help text."""
    from pyqtgraph import InfiniteLine, PlotWidget

    colour = colours_of(theme).help
    for view in widget.findChildren(PlotWidget):
        item = view.getPlotItem()
        for axis in (item.getAxis(side) for side in _SIDES):
            axis.setPen(colour)
            axis.setTextPen(colour)
        for line in (each for each in item.items if isinstance(each, InfiniteLine)):
            label = getattr(line, "label", None)
            if label is not None:
                label.setColor(colour)
