"""Which measures are drawn: any number of them, the parameters of one beneath."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import QSignalBlocker, QSize, Qt
from qtpy.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.metrics import METRICS, Metric
from napari_diffusion.widgets.forms.choice import form_for
from napari_diffusion.widgets.forms.form_rows import MessageLabel
from napari_diffusion.widgets.steps.layer_row import LayerRow, RegionRow
from napari_diffusion.widgets.steps.step_measure import Others

if TYPE_CHECKING:
    from collections.abc import Iterable

    import napari

    from napari_diffusion.widgets.forms.component_form import ParameterForm
    from napari_diffusion.widgets.results.step_run import StepRun

_ARROWS = {"lower": " ↓", "higher": " ↑"}
_WAYS = {"lower": " Lower is better.", "higher": " Higher is better."}

NONE = "choose the ground truth …"
_REFERENCE = "The layer that holds the ground truth."

FRAMES = "odd and even frames"

#: What runs keep of their steps without being asked: unit, and what it means.
_KEPT = {
    "Noise effect": (
        "intensity",
        "Effect of the noise: root mean square of the step minus its noise-free run.",
    )
}

_SECOND = (
    "An independent noisy acquisition of the same scene; or the even and odd frames of the source."
)

# What is drawn of a run of which nothing was measured yet: quick, and plain to understand.
FIRST = "Residual"


class MeasureList(QWidget):
    """A list to tick measures in; one that has parameters shows them when it is selected."""

    changed = Signal()

    def __init__(self, viewer: napari.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = QListWidget()
        self.list.setSizeAdjustPolicy(QListWidget.SizeAdjustPolicy.AdjustIgnored)
        self.list.setMinimumHeight(80)
        self.list.setMaximumHeight(118)
        self.list.setToolTip("Tick the measures to plot. ↓: lower is better, ↑: higher is better.")
        self.reference = LayerRow(viewer, "reference", _REFERENCE, (NONE,), likely="truth")
        self.second = LayerRow(viewer, "second half", _SECOND, (FRAMES,))
        self.region = RegionRow(viewer)
        self._run: StepRun | None = None
        self._message = MessageLabel()
        self._forms: dict[str, ParameterForm] = {}
        self._classes: dict[str, type[Metric]] = {cls.display_name: cls for cls in METRICS}
        self._form_layout = QVBoxLayout()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.list)
        layout.addWidget(self.region)
        layout.addLayout(self._form_layout)
        layout.addWidget(self.reference)
        layout.addWidget(self.second)
        layout.addWidget(self._message)
        for cls in METRICS:
            self._offer(cls.display_name, *_words(cls))
        self.list.itemChanged.connect(self._edited)
        self.list.currentItemChanged.connect(self._selected)
        self.reference.changed.connect(self._edited)
        self.second.changed.connect(self._edited)
        self.region.changed.connect(self._edited)
        self._selected()

    # --- what is ticked ---

    def ticked(self) -> dict[str, Metric | None]:
        """Return what is ticked by its label; None for what can only be drawn as it was kept."""
        found: dict[str, Metric | None] = {}
        wrong = ""
        for name in self._ticked_names():
            if name not in self._classes:
                found[name] = None
                continue
            try:
                metric = self._metric(name)
            except ValueError as error:
                wrong = f"{name}: {error}"
                continue
            found[self.label(metric)] = metric
        self._message.say(wrong)
        return found

    def label(self, metric: Metric) -> str:
        """Return what a curve is called: the measure, its parameters and its reference."""
        other = ""
        if metric.needs_reference:
            other = self.reference.combo.currentText()
        elif metric.needs_halves:
            other = self.second.combo.currentText()
        return label_of(metric, other, self.region.name())

    def tick(self, names: Iterable[str], on: bool = True) -> None:
        """Tick some measures by their labels; labels that nothing here makes are added."""
        with QSignalBlocker(self.list):
            for name in names:
                if self._item(name) is None:
                    unit, tip = _KEPT.get(name, ("", "Measured earlier, with other parameters."))
                    self._offer(name, f"{name} · {unit}" if unit else name, tip)
                self._item(name).setCheckState(
                    Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
                )
        self._edited()

    def show_measured(self, run: StepRun | None) -> None:
        """Tick what was measured before, at first one plain measure; the ticks stay otherwise."""
        self._run = run
        labels = [] if run is None else run.measures()
        made = {self.label(self._metric(name)): name for name in self._valid_names()}
        names = [made.get(label, label) for label in labels]
        with QSignalBlocker(self.list):
            for item in self._items():
                name = item.data(Qt.ItemDataRole.UserRole)
                if name not in self._classes and name not in names:
                    self.list.takeItem(self.list.row(item))
        if names or not self._ticked_names():
            self.tick(names or [FIRST])

    def others(self, metrics: Iterable[Metric | None]) -> Others:
        """Return the layers that some measures compare the steps with."""
        known = [each for each in metrics if each is not None]
        halved = any(each.needs_halves for each in known)
        truth = any(each.needs_reference for each in known)
        return Others(
            self.reference.layer() if truth else None,
            self.second.layer() if halved else None,
            halved and self.second.combo.currentText() == FRAMES,
        )

    def refresh(self) -> None:
        """Offer the layers that there are."""
        self.reference.refresh()
        self.second.refresh()
        self.region.refresh()

    # --- parts ---

    def _offer(self, name: str, text: str, tip: str) -> None:
        item = QListWidgetItem(text)
        item.setData(Qt.ItemDataRole.UserRole, name)
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
        item.setCheckState(Qt.CheckState.Unchecked)
        item.setToolTip(tip)
        item.setSizeHint(QSize(10, 19))
        self.list.addItem(item)

    def _items(self) -> list[Any]:
        return [self.list.item(row) for row in range(self.list.count())]

    def _item(self, name: str) -> Any:
        found = (item for item in self._items() if item.data(Qt.ItemDataRole.UserRole) == name)
        return next(found, None)

    def _ticked_names(self) -> list[str]:
        return [
            item.data(Qt.ItemDataRole.UserRole)
            for item in self._items()
            if item.checkState() == Qt.CheckState.Checked
        ]

    def _valid_names(self) -> list[str]:
        """Return the measures whose parameters are all right as they are."""
        found = []
        for name, cls in self._classes.items():
            form = self._forms.get(name)
            ready = not cls.parameters() or form is not None
            known = not cls.needs_reference or self.reference.layer() is not None
            if ready and known and (form is None or form.problem() is None):
                found.append(name)
        return found

    def _metric(self, name: str) -> Metric:
        cls = self._classes[name]
        if cls.needs_reference and self.reference.layer() is None:
            raise ValueError("choose the layer that holds the ground truth as reference.")
        if not cls.parameters():
            return cls()
        metric: Any = self._form(name).value()
        return metric.replaced(labels=self.region.region(self._run)) if _has_region(cls) else metric

    def _form(self, name: str) -> ParameterForm:
        if name not in self._forms:
            form = self._forms[name] = form_for(self._classes[name], self)
            form.changed.connect(self._edited)
            form.setVisible(False)
            if _has_region(self._classes[name]):
                form.fields["labels"].setVisible(False)
            self._form_layout.addWidget(form)
        return self._forms[name]

    def _selected(self) -> None:
        item = self.list.currentItem()
        name = item.data(Qt.ItemDataRole.UserRole) if item is not None else ""
        cls = self._classes.get(name)
        if cls is not None and cls.parameters():
            self._form(name)
        for each, form in self._forms.items():
            form.setVisible(each == name)
        self.region.setVisible(cls is not None and _has_region(cls))
        self._show_rows()

    def _show_rows(self) -> None:
        """Show the rows that choose layers where a ticked measure needs them."""
        known = [self._classes[n] for n in self._ticked_names() if n in self._classes]
        self.reference.setVisible(any(cls.needs_reference for cls in known))
        self.second.setVisible(any(cls.needs_halves for cls in known))

    def _edited(self) -> None:
        self._show_rows()
        self.changed.emit()


def label_of(metric: Metric, other: str = "", region: str = "") -> str:
    """Return what a curve is called, such as ``PSNR vs truth``."""
    changed = []
    for each in metric.parameters():
        value = getattr(metric, each.name)
        if value != each.default:
            changed.append(f"{each.name}={region if isinstance(value, ArrayParameter) else value}")
    name = metric.display_name + (f"({', '.join(changed)})" if changed else "")
    return f"{name} vs {other}" if other else name


def unit_of(label: str) -> str:
    """Return the unit of a curve by its label."""
    name = label.partition(" vs ")[0].partition("(")[0]
    units = {cls.display_name: cls.unit for cls in METRICS}
    return units.get(name, _KEPT.get(name, ("",))[0])


def _has_region(cls: type[Metric]) -> bool:
    return any(each.name == "labels" and each.mapped for each in cls.parameters())


def _words(cls: type[Metric]) -> tuple[str, str]:
    unit = f" · {cls.unit}" if cls.unit else ""
    text = f"{cls.display_name}{unit}{_ARROWS.get(cls.better, '')}"
    return text, f"{cls.summary()}{_WAYS.get(cls.better, '')}"
