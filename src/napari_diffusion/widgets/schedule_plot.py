"""A small plot of the noise scale over the steps."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from napari_diffusion.widgets.exact import rounded
from napari_diffusion.widgets.rows import GREY, Message

if TYPE_CHECKING:
    from napari_diffusion.recipe import NoiseScale
    from napari_diffusion.schedules import Schedule

COLOURS = ("#3d9be9", "#e8965a", "#5fb878", "#c678dd")

# More than these are not told apart at the width of a dock, and a million would stall it.
_MOST_POINTS = 200
_MOST_DOTS = 40


class SchedulePlot(QWidget):
    """The noise scale of each step, read from the schedule; nothing of it can be edited."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        import pyqtgraph

        self._view: Any = pyqtgraph.PlotWidget(background=None)
        self._message = Message(GREY)
        self.curves: list[Any] = []
        self.top = ""  # what a height of 1 stands for
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._view)
        layout.addWidget(self._message)
        self._furnish()

    def _furnish(self) -> None:
        item = self._view.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        item.setMouseEnabled(False, False)
        item.setContentsMargins(0, 4, 4, 0)
        self._view.setFixedHeight(84)
        self._view.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for each in (self._view, self._view.viewport()):
            each.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._view.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setPen(GREY)
            axis.setTextPen(GREY)
            axis.setStyle(tickLength=-4)
        item.getAxis("bottom").setHeight(18)

    def show_schedule(
        self,
        schedule: Schedule,
        start: NoiseScale | None,
        num_steps: int,
        total_steps: int | None = None,
    ) -> None:
        """Draw a schedule.

        Parameters
        ----------
        schedule : Schedule
            What to draw.
        start : float, tuple of float or None
            Noise scale of step 0 in intensity units, one curve per channel if many; None draws
            fractions of it.
        num_steps : int
            How many steps the schedule spans.
        total_steps : int, optional
            How many are made, `num_steps` if not given; later ones keep the last scale.
        """
        steps = _drawn_steps(total_steps or num_steps)
        try:
            fractions = [schedule.fraction(min(k, num_steps - 1), num_steps) for k in steps]
        except (ValueError, ArithmeticError) as error:
            self._draw(steps, [], "")
            self._message.say(str(error))
            return
        starts = (1.0,) if start is None else start if isinstance(start, tuple) else (start,)
        highest, largest = max(fractions), max(starts)
        # Heights run from 0 to 1, for no number is too large or too small for those.
        curves = [
            np.array(fractions) * (each / largest / highest)
            for each in starts
            if largest > 0 and highest > 0
        ]
        self._draw(steps, curves, rounded(largest * highest))
        self._message.say(_caption(start, bool(curves)))

    def _draw(self, steps: list[int], curves: list[Any], top: str) -> None:
        import pyqtgraph

        self.top = top
        item = self._view.getPlotItem()
        item.clear()
        dots = (
            {"symbol": "o", "symbolSize": 4, "symbolPen": None} if len(steps) <= _MOST_DOTS else {}
        )
        self.curves = [
            item.plot(
                steps,
                heights,
                pen=pyqtgraph.mkPen(colour, width=2),
                **(dots and {**dots, "symbolBrush": colour}),
            )
            for heights, colour in zip(curves, itertools.cycle(COLOURS), strict=False)
        ]
        last = steps[-1]
        item.setXRange(0, max(last, 1), padding=0.04)
        item.setYRange(0, 1, padding=0.08)
        item.getAxis("bottom").setTicks([[(k, str(k)) for k in sorted({0, last // 2, last})]])
        item.getAxis("left").setTicks([[(0, "0"), *([(1, top)] if curves else [])]])


def _drawn_steps(total: int) -> list[int]:
    return sorted({round(k) for k in np.linspace(0, total - 1, min(total, _MOST_POINTS))})


def _caption(start: NoiseScale | None, any_noise: bool) -> str:
    if not any_noise:
        return "Noise scale 0: no noise is added."
    unit = "fraction of the start" if start is None else "intensity units"
    return f"Noise scale of each step, {unit}"
