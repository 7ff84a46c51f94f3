"""How often each intensity is found, in the source and in a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import CheckBox
from qtpy.QtCore import QTimer

from napari_diffusion.widgets.plots.plot import PALETTE, Column, Plot, short
from napari_diffusion.widgets.steps.steps_tab import (
    SOURCE_GREY,
    PlotTab,
    buttons,
    short_name,
)

if TYPE_CHECKING:
    import napari
    from numpy.typing import NDArray

    from napari_diffusion.widgets.steps.tasks import Tasks

_BINS = 200

# After the last change it is drawn so soon, in milliseconds.
_SOON = 40

# Of more pixels those at even distances are counted, so that scrubbing does not stall.
_MOST_PIXELS = 1 << 19


class HistogramPlot(Plot):
    """Counts over the intensity: the source as a grey ground, the step as a line above it."""

    def __init__(self) -> None:
        super().__init__()
        self._edges: NDArray[Any] = np.zeros(1)
        self._counts: dict[str, NDArray[Any]] = {}
        self._item.setLabel("bottom", "intensity")

    def show_counts(self, edges: NDArray[Any], counts: dict[str, NDArray[Any]], log: bool) -> None:
        """Draw counts between edges; the last of them is that of the step."""
        import pyqtgraph

        self._edges, self._counts = edges, counts
        self._item.clear()
        ground = len(counts) > 1
        for turn, values in enumerate(counts.values()):
            first = turn == 0 and ground
            colour = SOURCE_GREY if first else PALETTE[0]
            # On a logarithmic axis nothing has no place: below one count there is none.
            heights = np.log10(np.maximum(values, 0.5)) if log else values
            fill = {"fillLevel": np.log10(0.5) if log else 0, "brush": f"{SOURCE_GREY}70"}
            self._item.plot(
                edges, heights, stepMode="center", pen=pyqtgraph.mkPen(colour, width=1 + turn),
                **(fill if first else {}),
            )  # fmt: skip
        axis = self._item.getAxis("left")
        axis.setTicks(_powers(counts) if log else None)
        self._item.setLabel("left", "pixels")
        self._item.autoRange()

    def clear(self) -> None:
        """Draw nothing."""
        self._item.clear()
        self.legend.setText("")

    def table(self) -> tuple[list[str], list[Column]]:
        """Return the ends of the bins and the counts."""
        ends = [[f"{edge:.9g}" for edge in part] for part in (self._edges[:-1], self._edges[1:])]
        counts = [list(each) for each in self._counts.values()]
        return ["from", "to", *self._counts], [*ends, *counts]


class StepHistogram(PlotTab):
    """Histograms of the source and of the step that is shown."""

    plot: HistogramPlot

    def __init__(self, viewer: napari.Viewer, tasks: Tasks) -> None:
        super().__init__(viewer, tasks, HistogramPlot(), "histogram")
        self.log = CheckBox(
            text="logarithmic counts", tooltip="Logarithmic axis: makes rare intensities visible."
        )
        self._known: tuple[int, NDArray[Any]] | None = None
        self.append(buttons(self.log, self.export))
        self.native.layout().insertWidget(0, self.plot, 1)
        self._soon = QTimer(self.native)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON)
        self._soon.timeout.connect(self.draw)
        self.log.changed.connect(self.draw)

    def run_changed(self) -> None:
        """Count another run."""
        self._known = None
        self._soon.start()

    def step_changed(self) -> None:
        """Count another step."""
        self._soon.start()

    def leave(self) -> None:
        """Stop drawing while hidden."""
        self._soon.stop()

    def refresh(self) -> None:
        """Disable the buttons that can do nothing, with the reason as tooltip."""
        super().refresh()
        self.log.enabled = self.run is not None

    def draw(self) -> None:
        """Draw the histograms of the source and of the step."""
        run = self.run
        if run is None:
            self.plot.clear()
            return
        name = short_name(run.record)
        values = {name: _values(run.step.data, run.step.layer.rgb)}
        source = self._source()
        if source is not None:
            values = {"source": source, **values}
        edges = _edges(list(values.values()))
        counts = {each: np.histogram(v, edges)[0] for each, v in values.items()}
        self.plot.show_counts(edges, counts, bool(self.log.value))
        colours = (SOURCE_GREY, PALETTE[0])[-len(values) :]
        self.plot.legend.setText(
            "<br>".join(
                f'<span style="color:{colour}">■</span> {each}: mean <b>{short(v.mean())}</b>, '
                f"standard deviation <b>{short(v.std())}</b>"
                for colour, (each, v) in zip(colours, values.items(), strict=True)
                if v.size
            )
        )

    def _source(self) -> NDArray[Any] | None:
        """Return the values of the source, read once for each run."""
        assert self.run is not None
        data = self.run.source_data()
        if data is None:
            return None
        if self._known is None or self._known[0] != id(self.run.source):
            self._known = id(self.run.source), _values(data, self.run.step.layer.rgb)
        return self._known[1]


def _values(data: NDArray[Any], rgb: bool) -> NDArray[np.float64]:
    """Return finite values of an array, flat; of very many those at even distances."""
    values = data[..., :3] if rgb else data
    every = int(np.ceil(np.prod(np.shape(values)) / _MOST_PIXELS))
    if every > 1:
        # Along one axis, by a number that few images repeat themselves with.
        flat = np.asarray(values).reshape(-1)[:: every | 1]
    else:
        flat = np.asarray(values).reshape(-1)
    found = flat.astype(np.float64)
    return np.asarray(found[np.isfinite(found)])


def _edges(values: list[NDArray[Any]]) -> NDArray[Any]:
    """Return the ends of bins that hold all values; of whole numbers whole ones."""
    known = [each for each in values if each.size]
    low = min((float(each.min()) for each in known), default=0.0)
    high = max((float(each.max()) for each in known), default=1.0)
    if all((each == np.rint(each)).all() for each in known):
        width = max(int(np.ceil((high - low + 1) / _BINS)), 1)
        return np.arange(low - 0.5, high + width + 0.5, width)
    return np.linspace(low, high if high > low else low + 1.0, _BINS + 1)


def _powers(counts: dict[str, NDArray[Any]]) -> list[list[tuple[float, str]]]:
    """Return the ticks of a logarithmic axis."""
    most = max((int(values.max()) for values in counts.values()), default=1)
    last = int(np.ceil(np.log10(max(most, 1))))
    return [[(float(power), f"{10**power:,}") for power in range(last + 1)]]
