"""The dock *Steps*: what every step did, and what to do with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from napari_diffusion.widgets.copy_button import CopyButton
from napari_diffusion.widgets.curve_plot import CurvePlot
from napari_diffusion.widgets.difference import difference_layer
from napari_diffusion.widgets.images import is_image
from napari_diffusion.widgets.layers import Place, is_stack
from napari_diffusion.widgets.rows import GREY, RED, Combo, Message, RowLabel
from napari_diffusion.widgets.step_run import OF_REFERENCE, OF_STEPS, StepRun

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari
    from napari.layers import Layer

    from napari_diffusion.metrics import Metric

NOTHING = "Select a layer that a run has made."


class Steps(QWidget):
    """Curves of all steps of a run, one of them to be shown, kept, compared or written about.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.run: StepRun | None = None
        self._worker: Any = None
        self._dropped: list[tuple[int, Layer]] = []
        self.title = Message(GREY)
        self.measure = Combo()
        self.reference = Combo()
        self.plot = CurvePlot()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.said = Message(GREY)
        self.buttons = {
            name: QPushButton(name)
            for name in ("Recommend a step", "Keep this one", "Bring back", "Less the source",
                         "Less the step before", "Export …")
        }  # fmt: skip
        self.copy = CopyButton()
        self._fill()
        self._lay_out()
        self._connect()
        self.refresh()

    def _fill(self) -> None:
        for cls in (*OF_STEPS, *OF_REFERENCE):
            self.measure.addItem(cls.__name__)
            tip = f"{cls.summary()} {_way(cls)}"
            self.measure.setItemData(self.measure.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        for name in ("Sure", "JInvariance"):
            self.measure.addItem(name)
        tips = {
            "Recommend a step": "Run the recipe again beside small changes of the source, and mark "
            "the step nearest to the truth.",
            "Keep this one": "Remove all other steps of this run; they can be brought back.",
            "Bring back": "Insert the removed steps again.",
            "Less the source": "A layer of what was changed since the source.",
            "Less the step before": "A layer of what this step alone has changed.",
            "Export …": "Write the curve as a table (CSV) or a picture (PNG, SVG).",
        }
        for name, tip in tips.items():
            self.buttons[name].setToolTip(tip)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        layout.addWidget(self.title)
        for label, combo in (("measure", self.measure), ("reference", self.reference)):
            row = QHBoxLayout()
            row.addWidget(RowLabel(label))
            row.addWidget(combo, 1)
            layout.addLayout(row)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.slider)
        layout.addWidget(self.said)
        grid = QGridLayout()
        grid.setSpacing(4)
        for place, button in enumerate([*self.buttons.values(), self.copy]):
            grid.addWidget(button, place // 2, place % 2)
        layout.addLayout(grid)

    def _connect(self) -> None:
        layers = self.viewer.layers
        layers.selection.events.active.connect(self.refresh)
        layers.events.inserted.connect(self.refresh)
        layers.events.removed.connect(self.refresh)
        self.viewer.dims.events.point.connect(self.refresh)
        self.plot.chosen.connect(self.show_step)
        self.slider.valueChanged.connect(self.show_step)
        self.copy.asked.connect(self.copy_text)
        self.measure.currentIndexChanged.connect(self._draw)
        self.reference.currentIndexChanged.connect(self._draw)
        for name, action in {
            "Recommend a step": self.recommend,
            "Keep this one": self.keep_this,
            "Bring back": self.bring_back,
            "Less the source": lambda: self.subtract(before=False),
            "Less the step before": lambda: self.subtract(before=True),
            "Export …": self.export,
        }.items():
            self.buttons[name].clicked.connect(action)

    # --- what is shown ---

    def refresh(self, event: object = None) -> None:
        """Follow the active layer."""
        del event
        before = self.run
        self.run = StepRun.of(self.viewer)
        for name, button in self.buttons.items():
            button.setEnabled(self.run is not None if name != "Bring back" else bool(self._dropped))
        self.copy.setEnabled(self.run is not None)
        self._fill_references()
        if self.run is None:
            self.title.say(NOTHING)
            self.said.say("")
            return
        count = len(self.run.steps)
        self.title.say(f"{count} step{'s' * (count != 1)} of {self.run.record['source']!r}")
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, count - 1)
            self.slider.setValue(self.run.shown)
        same = before is not None and [s.layer for s in before.steps] == [
            s.layer for s in self.run.steps
        ]
        if same and len(before.steps) == count:  # type: ignore[union-attr]
            self._mark()
        else:
            self._draw()

    def _fill_references(self) -> None:
        names = [layer.name for layer in self.viewer.layers if is_image(layer)]
        if names == [self.reference.itemText(i) for i in range(self.reference.count())]:
            return
        with QSignalBlocker(self.reference):
            chosen = self.reference.currentText()
            self.reference.clear()
            self.reference.addItems(names)
            if chosen in names:
                self.reference.setCurrentText(chosen)

    def _draw(self) -> None:
        """Draw the chosen measure; compute it in the background where it is not known."""
        if self.run is None:
            return
        metric = self._metric()
        name = type(metric).__name__
        self.reference.setEnabled(metric.needs_reference)
        values = self.run.values(name)
        self.plot.show_curve(self.run.numbers, values, name, metric.unit)
        self._mark()
        if not np.isfinite(values).all() and not metric.probe:
            self._compute(metric)
        elif metric.probe and not np.isfinite(values).any():
            self.said.say("Recommend a step draws this curve: it needs a second run.", GREY)

    def _metric(self) -> Metric:
        name = self.measure.currentText()
        from napari_diffusion.metrics import METRICS

        return next(cls() for cls in METRICS if cls.__name__ == name)

    def _mark(self) -> None:
        assert self.run is not None
        found = self.run.recommended()
        self.plot.mark(self.run.numbers[self.run.shown], None if found is None else found[0])
        if found is not None:
            self.said.say(found[1], GREY)

    def show_step(self, place: int) -> None:
        """Show one step alone: its layer, or its place in the stack."""
        if self.run is None or not 0 <= place < len(self.run.steps):
            return
        step = self.run.steps[place]
        if is_stack(step.layer):
            axis = self.viewer.dims.ndim - step.layer.ndim
            self.viewer.dims.set_point(axis, step.place)
            return
        for other in self.run.steps:
            if other.layer is not step.layer and other.layer.visible:
                other.layer.visible = False
        step.layer.visible = True
        self.viewer.layers.selection.active = step.layer

    # --- what the buttons do ---

    def _compute(self, metric: Metric) -> None:
        run, name = self.run, type(metric).__name__
        assert run is not None
        reference = None
        if metric.needs_reference:
            reference = self._reference_layer()
            if reference is None:
                self.said.say("Choose a reference layer of the same shape.", RED)
                return
        self._start(
            lambda: run.measured(metric, reference), lambda values: self._keep(run, name, values)
        )

    def _reference_layer(self) -> Any:
        assert self.run is not None
        name = self.reference.currentText()
        if name not in self.viewer.layers:
            return None
        layer = self.viewer.layers[name]
        same = np.shape(layer.data) == np.shape(self.run.steps[0].data)
        return layer if same else None

    def _keep(self, run: StepRun, name: str, values: list[float]) -> None:
        run.keep(name, values)
        self.said.say("")
        if self.run is not None and type(self._metric()).__name__ == name:
            metric = self._metric()
            self.plot.show_curve(self.run.numbers, self.run.values(name), name, metric.unit)
            self._mark()

    def recommend(self) -> None:
        """Find the step nearest to the truth in the background, and mark it."""
        run = self.run
        if run is None:
            return

        def done(best: Any) -> None:
            run.keep_best(best)
            self.said.say(best.reason, GREY)
            self.measure.setCurrentText(best.curves[0].name)
            self._draw()

        self.said.say("Running beside small changes of the source …", GREY)
        self._start(run.best, done)

    def _start(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Work in the background; what is wrong is said and not raised."""
        from napari.qt.threading import create_worker

        def tried() -> tuple[Any, str]:
            try:
                return work(), ""
            except (ValueError, MemoryError) as error:
                return None, str(error) or "There is not enough memory."

        def returned(found: tuple[Any, str]) -> None:
            result, wrong = found
            if wrong:
                self.said.say(wrong, RED)
            else:
                done(result)

        self._worker = create_worker(tried, _start_thread=False)
        self._worker.returned.connect(returned)
        self._worker.start()

    def wait(self, seconds: float) -> None:
        """Wait until the thread has ended, so that the dock may be closed."""
        if self._worker is not None:
            self._worker.await_workers(int(1000 * seconds))

    def keep_this(self) -> None:
        """Remove the other layers of the run; `bring_back` inserts them again."""
        if self.run is None:
            return
        here = self.run.steps[self.run.shown].layer
        others = {id(s.layer): s.layer for s in self.run.steps if s.layer is not here}
        if not others:
            self.said.say("All steps are in this one layer: extract those to keep from it.", GREY)
            return
        places = [(self.viewer.layers.index(layer), layer) for layer in others.values()]
        self._dropped = sorted(places, key=lambda each: each[0])
        with self.viewer.layers.batched_update():
            for _, layer in self._dropped:
                self.viewer.layers.remove(layer)
        here.visible = True
        self.refresh()

    def bring_back(self) -> None:
        """Insert the layers that `keep_this` removed, where they were."""
        dropped, self._dropped = self._dropped, []
        with self.viewer.layers.batched_update():
            for place, layer in dropped:
                layer.visible = False
                self.viewer.layers.insert(min(place, len(self.viewer.layers)), layer)
        self.refresh()

    def subtract(self, before: bool) -> None:
        """Add a layer of the shown step less the source, or less the step before."""
        if self.run is None:
            return
        step = self.run.steps[self.run.shown]
        if before and self.run.shown > 0:
            other, name = self.run.steps[self.run.shown - 1].data, "the step before"
        elif self.run.source is not None:
            other, name = self.run.source.data, "the source"
        else:
            self.said.say("The source is not among the layers any more.", RED)
            return
        layer = difference_layer(step, other, name)
        Place(self.viewer, [step.layer]).insert(layer)
        # The dock goes on with the step, above which the difference is seen.
        self.viewer.layers.selection.active = step.layer

    def copy_text(self, name: str) -> None:
        """Put what was done to the shown step on the clipboard."""
        if self.run is not None:
            self.copy.copy(name, self.run.record)
            self.said.say(f"{name} is on the clipboard.", GREY)

    def export(self) -> None:
        """Ask for a file and write the curve that is shown."""
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Export the curve", "", "Table (*.csv);;Picture (*.png);;Drawing (*.svg)"
        )
        if chosen:
            self.write(Path(chosen))

    def write(self, path: Path) -> None:
        """Write the curve that is shown, as the file's name ends."""
        path = path if path.suffix else path.with_suffix(".csv")
        if path.suffix.lower() == ".csv":
            self.plot.write_table(path)
        else:
            self.plot.write_picture(path)
        self.said.say(f"Written to {path.name}.", GREY)


def _way(cls: type[Metric]) -> str:
    return {"lower": "Lower is better.", "higher": "Higher is better."}.get(cls.better, "")
