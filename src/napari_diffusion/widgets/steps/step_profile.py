"""The values along a line of all steps, and how often each intensity is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import ComboBox
from qtpy.QtCore import QTimer

from napari_diffusion.widgets.forms.box import labelled, leave_wheel, may_be_narrow
from napari_diffusion.widgets.plots.line_profile import Line, across, along, drawn
from napari_diffusion.widgets.plots.plot import PALETTE, Column, Plot
from napari_diffusion.widgets.steps.steps_tab import (
    NO_RUN,
    SOURCE_GREY,
    PlotTab,
    button,
    buttons,
    enable_unless,
    short_name,
)

if TYPE_CHECKING:
    import napari
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_diffusion.widgets.steps.tasks import Tasks

ROW, COLUMN = "middle row", "middle column"

# At most this many steps are drawn: the shown one and others at even distances.
_MOST_CURVES = 40

# After the last change it is drawn so soon, in milliseconds: a line is dragged more often.
_SOON = 40

_DRAW = "Add a line across the image as a Shapes layer; drag its ends to place it."


class ProfilePlot(Plot):
    """Faint curves of all steps, a strong one of the step that is shown, the source in grey."""

    def __init__(self) -> None:
        super().__init__()
        self._names: list[str] = []
        self._columns: list[NDArray[Any]] = []

    def show_profiles(
        self,
        distance: NDArray[Any],
        steps: dict[str, NDArray[Any]],
        shown: str,
        source: NDArray[Any] | None,
        unit: str,
    ) -> None:
        """Draw the values over the distance."""
        import pyqtgraph

        self._item.clear()
        for name, values in steps.items():
            if name != shown:
                self._item.plot(distance, values, pen=pyqtgraph.mkPen(f"{PALETTE[0]}60", width=1))
        if source is not None:
            self._item.plot(distance, source, pen=pyqtgraph.mkPen(SOURCE_GREY, width=2))
        strong = pyqtgraph.mkPen(PALETTE[1], width=2)
        self._item.plot(distance, steps[shown], pen=strong)
        self._item.setLabel("bottom", f"along the line ({unit})")
        self._item.setLabel("left", "intensity")
        others = {} if source is None else {"source": source}
        self._names = [f"distance ({unit})", *others, *steps]
        self._columns = [distance, *others.values(), *steps.values()]
        entries = [(PALETTE[1], shown), (PALETTE[0], "other steps"), (SOURCE_GREY, "source")]
        entries = entries if source is not None else entries[:2]
        self.legend.setText(
            " &nbsp; ".join(f'<span style="color:{c}">━</span> {name}' for c, name in entries)
        )

    def clear(self) -> None:
        """Draw nothing."""
        self._item.clear()
        self.legend.setText("")

    def table(self) -> tuple[list[str], list[Column]]:
        """Return the distance and the profiles."""
        return self._names, [[f"{value:.9g}" for value in column] for column in self._columns]


class StepProfile(PlotTab):
    """Which line, and the values along it."""

    plot: ProfilePlot

    def __init__(self, viewer: napari.Viewer, tasks: Tasks) -> None:
        super().__init__(viewer, tasks, ProfilePlot(), "profiles")
        self._watched: Layer | None = None
        self._soon = QTimer(self.native)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON)
        self._soon.timeout.connect(self.draw)
        self.which = ComboBox(choices=self._offered, tooltip="Where the values are read.")
        may_be_narrow(self.which.native)
        leave_wheel(self.which.native)
        self.draw_line = button("Draw a line")
        row = labelled("line", self.which)
        row.native.layout().setStretch(1, 1)
        self.extend([row, buttons(self.draw_line, self.export)])
        self.native.layout().insertWidget(1, self.plot, 1)
        self.which.changed.connect(self._chosen)
        self.draw_line.changed.connect(self.add_line)

    # --- which line ---

    def _lines(self) -> dict[str, Any]:
        """Return the Shapes layers that have a line, by their names."""
        from napari.layers import Shapes

        found = [layer for layer in self.viewer.layers if isinstance(layer, Shapes)]
        return {each.name: each for each in found if drawn(self.viewer, each) is not None}

    def _offered(self, combo: object) -> list[str]:
        del combo
        return [ROW, COLUMN, *self._lines()]

    def reset_choices(self, *_: object) -> None:
        """Offer the lines that there are."""
        with self.which.changed.blocked():
            self.which.reset_choices()
        self._watch()

    def _watch(self) -> None:
        """Draw again while the line is dragged."""
        layer = self._lines().get(self.which.value)
        if layer is self._watched:
            return
        if self._watched is not None:
            self._watched.events.set_data.disconnect(self._moved)
        if layer is not None:
            layer.events.set_data.connect(self._moved)
        self._watched = layer
        self._soon.start()

    def _moved(self) -> None:
        self._soon.start()

    def _chosen(self) -> None:
        self._watch()
        self.draw()

    def line(self) -> Line | None:
        """Return the line, None where there is no run to draw it through."""
        if self.run is None:
            return None
        layer = self._lines().get(self.which.value)
        if layer is not None:
            return drawn(self.viewer, layer)
        return across(self.viewer, self.run.step.layer, self.which.value == COLUMN)

    def add_line(self) -> None:
        """Add a Shapes layer with a line, ready to be dragged."""
        if self.run is None:
            return
        own = self.run.step.layer
        line = across(self.viewer, own)
        span = line.ends[1] - line.ends[0]
        # In pixels of the step: another scale would change the steps of napari's sliders.
        ends = np.array([line.ends[0] + 0.1 * span, line.ends[1] - 0.1 * span])[:, -own.ndim :]
        layer = self.viewer.add_shapes(
            [ends / own.scale], shape_type="line", name="profile line", edge_color="yellow",
            edge_width=max(max(own.data.shape[-2:]) / 150, 1.0), scale=own.scale, units=own.units,
        )  # fmt: skip
        layer.mode = "direct"
        self.reset_choices()
        self.which.value = layer.name

    # --- what is drawn ---

    def run_changed(self) -> None:
        """Draw the profiles of another run."""
        self.reset_choices()
        self._soon.start()

    def step_changed(self) -> None:
        """Draw another step strongly."""
        self._soon.start()

    def refresh(self) -> None:
        """Disable the buttons that can do nothing, with the reason as tooltip."""
        none = "" if self.run is not None else NO_RUN
        enable_unless(self.draw_line, none, _DRAW)
        super().refresh()

    def leave(self) -> None:
        """Stop drawing while hidden."""
        self._soon.stop()

    def draw(self) -> None:
        """Draw the values along the line."""
        run, line = self.run, self.line()
        if run is None or line is None:
            self.plot.clear()
            return
        layer = run.step.layer
        places = line.samples(layer)
        own = places[:, 1:] if len(places[0]) > np.ndim(run.step.data) - layer.rgb else places
        steps = {
            short_name(run.steps[k].record): along(run.steps[k].data, own, layer.rgb)
            for k in _drawn(len(run.steps), run.shown)
        }
        data = run.source_data()
        source = None if data is None else along(data, own, layer.rgb)
        unit = f"{self.viewer.layers.extent.units[-1]:~P}" or "pixel"
        distance = np.linspace(0.0, line.length, len(own))
        self.plot.show_profiles(distance, steps, short_name(run.record), source, unit)


def _drawn(count: int, shown: int) -> list[int]:
    """Return which steps are drawn: all, or the shown one and others at even distances."""
    if count <= _MOST_CURVES:
        return list(range(count))
    return sorted({shown, *np.linspace(0, count - 1, _MOST_CURVES).astype(int).tolist()})
