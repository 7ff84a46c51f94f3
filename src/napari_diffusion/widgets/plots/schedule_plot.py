"""A small plot of the noise scale over the steps."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from napari_diffusion.widgets.forms.number_text import rounded
from napari_diffusion.widgets.plots.caption import Caption
from napari_diffusion.widgets.plots.plot_theme import PALETTE, colour_axes, quiet

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyqtgraph import PlotWidget

    from napari_diffusion.core.noise_scale import NoiseScale
    from napari_diffusion.schedules import Schedule

# More cannot be distinguished at the width of a dock, and a million would stall it.
_MOST_POINTS = 200
_MOST_DOTS = 40
_LONGEST_TABLE = 10_000


class SchedulePlot(QWidget):
    """The noise scale of each step, and the diffusion so far; nothing of it can be edited."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        import pyqtgraph

        self._view: PlotWidget = pyqtgraph.PlotWidget(background=None)
        self._natural = Caption()
        self._diffusion = Caption()
        self._message = Caption()
        self.curves: list[Any] = []
        self.width: Any = None
        self.top = ""  # what a height of 1 stands for
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._view)
        for caption in (self._message, self._natural, self._diffusion):
            layout.addWidget(caption)
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
        for side in ("left", "bottom", "right"):
            item.getAxis(side).setStyle(tickLength=-4)
        colour_axes(self._view)
        item.getAxis("bottom").setHeight(18)

    def show_schedule(
        self,
        schedule: Schedule,
        start: NoiseScale | None,
        num_steps: int,
        total_steps: int | None = None,
        unit: str = "intensity",
        times: tuple[float, ...] = (),
        world_unit: str = "",
        in_words: Callable[[float], str] | None = None,
    ) -> None:
        """Draw a schedule, and how far the image has diffused by each step.

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
        unit : str
            What noise scales are in: "intensity" or "stabilised".
        times : tuple of float
            Diffusion times of the series of filters in world units²; the last one repeats.
        world_unit : str
            Name of the unit of length; "world" where empty.
        in_words : callable, optional
            Says what a noise scale is in the noise's own terms.
        """
        steps = _drawn_steps(total_steps or num_steps)
        if schedule.starts_itself:
            start = schedule.first_scale(1.0)
        starts = (1.0,) if start is None else start if isinstance(start, tuple) else (start,)
        try:
            curves, highest = _heights(schedule, starts, steps, num_steps)
            caption = _caption(start, bool(curves), unit)
        except (ValueError, ArithmeticError) as error:
            curves, highest, caption = [], 0.0, str(error)
        widths = _widths(times, steps)
        self._draw(steps, curves, rounded(highest) if curves else "")
        self._draw_width(steps, widths)
        words = in_words(max(starts)) if in_words and start is not None else ""
        self._natural.say(words and f"At the start: {words}")
        self._message.say(caption)
        length = f"{rounded(widths[-1])} {world_unit or 'world'}" if widths else ""
        self._diffusion.say(length and f"Dashed: diffusion so far, √(2 · time), to {length}")

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
            for heights, colour in zip(curves, itertools.cycle(PALETTE), strict=False)
        ]
        last = steps[-1]
        item.setXRange(0, max(last, 1), padding=0.04)
        item.setYRange(0, 1, padding=0.08)
        item.getAxis("bottom").setTicks([[(k, str(k)) for k in sorted({0, last // 2, last})]])
        item.getAxis("left").setTicks([[(0, "0"), *([(1, top)] if curves else [])]])

    def _draw_width(self, steps: list[int], widths: list[float]) -> None:
        """Draw the widths of diffusion, the largest as high as the largest noise scale."""
        item = self._view.getPlotItem()
        item.showAxis("right", bool(widths))
        self.width = None
        if not widths:
            return
        largest = widths[-1] or 1.0
        self.width = item.plot(steps, [each / largest for each in widths])
        quiet(self.width, 1.5, Qt.PenStyle.DashLine)
        item.getAxis("right").setTicks([[(0, "0"), (1, rounded(widths[-1]))]])


def _heights(
    schedule: Schedule, starts: tuple[float, ...], steps: list[int], num_steps: int
) -> tuple[list[Any], float]:
    """Return a curve for each start with heights from 0 to 1, and what a height of 1 stands for.

    No number is too large or too small for heights from 0 to 1.
    """
    held = [min(k, num_steps - 1) for k in steps]
    if not (schedule.relative or schedule.starts_itself):
        if num_steps > _LONGEST_TABLE:
            raise ValueError(f"{type(schedule).__name__}: too many steps to draw.")
        tables = [schedule(each, num_steps)[held] for each in starts]
        highest = float(max(table.max() for table in tables))
        return ([table / highest for table in tables], highest) if highest else ([], 0.0)
    fractions = np.array([schedule.fraction(k, num_steps) for k in held])
    highest, largest = float(fractions.max()), max(starts)
    if not (largest > 0 and highest > 0):
        return [], 0.0
    curves = [fractions * (each / largest / highest) for each in starts]
    return curves, largest * highest


def _widths(times: tuple[float, ...], steps: list[int]) -> list[float]:
    """Return the width of the Gaussian that all diffusion up to each step is as strong as."""
    if not times:
        return []
    sums = list(itertools.accumulate(times))
    return [
        math.sqrt(2 * (sums[min(k, len(sums) - 1)] + max(k - len(sums) + 1, 0) * times[-1]))
        for k in steps
    ]


def _drawn_steps(total: int) -> list[int]:
    return sorted({round(k) for k in np.linspace(0, total - 1, min(total, _MOST_POINTS))})


def _caption(start: NoiseScale | None, any_noise: bool, unit: str) -> str:
    if not any_noise:
        return "Noise scale 0: no noise is added."
    return (
        f"Noise scale of each step, {'fraction of the start' if start is None else unit + ' units'}"
    )
