"""The measurements behind the parameters of a recipe, by method; collapsed at first."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QGridLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_diffusion.analysis.parameter_sweep import parameter_names, with_values
from napari_diffusion.engine.threads import Stopped
from napari_diffusion.widgets.forms.form_rows import GREY, MessageLabel
from napari_diffusion.widgets.plots.noise_plot import NoisePlot, plot_view
from napari_diffusion.widgets.plots.schedule_plot import COLOURS
from napari_diffusion.widgets.run.read_layer import as_run_error, read_image, read_mask, with_mask
from napari_diffusion.widgets.run.run_request import EvidenceReady, Message, Resolved, RunError

if TYPE_CHECKING:
    from napari_diffusion.estimate import Evidence
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import Work, Worker

# The parts of the evidence, and the field of the form that a click on a number of it fills.
PARTS = {
    "noise_scale": ("Noise σ, intensity", "sigmas"),
    "contrast": ("Contrast, intensity / world", "contrasts"),
    "time": ("Time of all steps, world²", "times"),
}

_DIGITS = 3


class EvidencePanel(QWidget):
    """Numbers by way, to be clicked, with the histogram and the curve that they were read from."""

    #: A field of the form, and the number that was clicked.
    taken = Signal(str, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fold = QToolButton()
        self.gradients = GradientPlot()
        self.noise = NoisePlot()
        self.about = MessageLabel(GREY)
        self.warning = MessageLabel()
        self.buttons: dict[tuple[str, str], QPushButton] = {}
        self._body = QWidget()
        self._tables = {name: QGridLayout() for name in PARTS}
        self._lay_out()
        self.fold.toggled.connect(self._folded)
        self.show_evidence(None)

    def _lay_out(self) -> None:
        self.fold.setText("Evidence")
        self.fold.setCheckable(True)
        self.fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.fold.setToolTip("The measurements behind the estimates. Click a value to use it.")
        body = QVBoxLayout(self._body)
        body.setContentsMargins(8, 0, 4, 4)
        body.setSpacing(3)
        for name, table in self._tables.items():
            table.setHorizontalSpacing(4)
            table.setVerticalSpacing(2)
            title = QLabel(f"<b>{PARTS[name][0]}</b>")
            body.addWidget(title)
            body.addLayout(table)
            if name == "noise_scale":
                for widget in (self.noise, self.about, self.warning):
                    body.addWidget(widget)
            elif name == "contrast":
                body.addWidget(self.gradients)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        layout.setSpacing(2)
        layout.addWidget(self.fold)
        layout.addWidget(self._body)

    def _folded(self, open_: bool) -> None:
        self._body.setVisible(open_)
        self.fold.setArrowType(Qt.ArrowType.DownArrow if open_ else Qt.ArrowType.RightArrow)

    def show_evidence(self, evidence: Evidence | None) -> None:
        """Show what was found; None takes no room."""
        self.setVisible(evidence is not None)
        self.fold.setChecked(evidence is not None)
        self._folded(evidence is not None)
        self._empty()
        self.noise.show_model(None if evidence is None else evidence.model)
        self.gradients.show_evidence(evidence)
        words = ""
        if evidence is None:
            self.warning.say("")
        else:
            for name, (_, attribute) in PARTS.items():
                self._fill(name, getattr(evidence, attribute))
            words = "" if evidence.whole else "From the middle of the image. "
            model = evidence.model
            self.warning.say("" if model is None else " ".join(model.warnings))
            words += "" if model is None else f"{_KINDS[model.kind]}: {model.in_words()}"
        self.about.say(words)

    def _fill(self, name: str, numbers: dict[str, float]) -> None:
        """Show a number and its way per cell, two in a row."""
        table = self._tables[name]
        for place, (way, number) in enumerate(numbers.items()):
            short = float(f"{number:.{_DIGITS}g}")
            button = QPushButton(f"{short:g}")
            button.setToolTip(f"Use {short} in the form.")
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _=False, s=short: self.taken.emit(name, s))
            # Nothing to take: no diffusion at all is best, or the time would be endless.
            button.setEnabled(np.isfinite(number) and number > 0)
            row, column = divmod(place, 2)
            label = QLabel(way)
            label.setStyleSheet(f"color: {GREY}; font-size: 11px;")
            label.setWordWrap(True)
            table.addWidget(label, row, 2 * column)
            table.addWidget(button, row, 2 * column + 1)
            self.buttons[name, way] = button
        for column in range(4):
            table.setColumnStretch(column, 3 if column % 2 else 4)

    def _empty(self) -> None:
        self.buttons.clear()
        for table in self._tables.values():
            while (item := table.takeAt(0)) is not None:
                if (widget := item.widget()) is not None:
                    widget.setParent(None)
                    widget.deleteLater()


_KINDS = {
    "none": "No noise",
    "gaussian": "Gaussian noise",
    "poisson": "Poisson noise",
    "poisson-gaussian": "Poisson–Gaussian noise",
    "correlated": "Correlated noise",
    "processed": "Already processed",
}


class GradientPlot(QWidget):
    """The histogram of the gradients, with a mark at the contrast of each way."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: Any = None
        self._caption = MessageLabel(GREY)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._caption)

    def marks(self) -> list[Any]:
        """Return the lines at the contrasts."""
        import pyqtgraph

        items = [] if self._view is None else self._view.getPlotItem().items
        return [each for each in items if isinstance(each, pyqtgraph.InfiniteLine)]

    def show_evidence(self, evidence: Evidence | None) -> None:
        """Draw a histogram and its marks; None takes no room."""
        self.setVisible(evidence is not None)
        if evidence is None:
            return
        import pyqtgraph

        if self._view is None:
            self._view = plot_view(110)
            self.layout().insertWidget(0, self._view)  # type: ignore[union-attr]
        item = self._view.getPlotItem()
        item.clear()
        edges, counts = evidence.gradient_edges, evidence.gradient_counts
        share = counts / max(counts.sum(), 1)
        bars = pyqtgraph.mkBrush((*pyqtgraph.mkColor(COLOURS[0]).getRgb()[:3], 110))
        item.plot(edges, share, stepMode="center", fillLevel=0, brush=bars, pen=COLOURS[0])
        right = float(edges[-1])
        for place, (way, number) in enumerate(evidence.contrasts.items()):
            right = max(right, number)
            colour = COLOURS[(place + 1) % len(COLOURS)]
            # One under the other, so that names of marks close by can be read.
            options = {"position": 0.9 - 0.22 * place, "color": colour, "movable": False}
            pen = pyqtgraph.mkPen(colour, width=2)
            line = pyqtgraph.InfiniteLine(number, 90, pen, label=way, labelOpts=options)
            item.addItem(line)
        item.getAxis("left").setStyle(showValues=False)
        item.setXRange(0.0, right, padding=0.04)
        item.setYRange(0.0, float(share.max()) or 1.0, padding=0.04)
        words = f" after smoothing by {evidence.smoothing:g}" if evidence.smoothing else ""
        self._caption.say(f"Distribution of gradient magnitudes{words}")


def evidence_work(job: Job) -> Work:
    """Return the work that estimates every "auto" of a recipe, and alternatives to them.

    It posts `Resolved` and `EvidenceReady`.
    """

    def work(worker: Worker) -> None:
        from napari_diffusion.estimate import evidence

        source = read_image(job, with_mask(job, read_mask(job)), worker)
        worker.post(Message("Measuring the image …"))
        with contextlib.suppress(Stopped), as_run_error("recipe"):
            worker.post(Resolved(job.recipe.resolved_on(source)))
            smoothing = getattr(job.recipe.filters[0], "smoothing", 0.0)
            worker.post(EvidenceReady(evidence(source, smoothing, stop=worker.stop)))

    return work


def with_evidence(recipe: Recipe, name: str, number: float) -> Recipe:
    """Return a recipe with a number of the evidence; `RunError` says why it has no use for it.

    A time is shared among the steps.
    """
    if name == "noise_scale":
        if recipe.noise is None:
            raise RunError("run", "The recipe has no noise: choose one to fill in a noise scale.")
        return recipe.replaced(starting_noise_scale=number)
    if name not in parameter_names(recipe):
        kind = recipe.filters[0].display_name
        raise RunError("run", f"{kind} has no {name} to fill in: choose a filter that has one.")
    shared = float(f"{number / recipe.num_steps:.{_DIGITS}g}") if name == "time" else number
    return with_values(recipe, {name: shared})
