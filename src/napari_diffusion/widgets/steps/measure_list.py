"""Which measures are drawn: any number of them, each with its parameters folded beneath."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magicgui.widgets import CheckBox

from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.metrics import METRICS, Metric
from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.forms.layer_choice import LayerChoice
from napari_diffusion.widgets.layers.source_layers import is_image
from napari_diffusion.widgets.steps.measure_row import MeasureRow
from napari_diffusion.widgets.steps.region_choice import RegionChoice
from napari_diffusion.widgets.steps.step_measure import Others

if TYPE_CHECKING:
    from collections.abc import Iterable

    import napari

    from napari_diffusion.widgets.results.step_run import StepRun

NONE = "choose the ground truth …"
_REFERENCE = "The layer that holds the ground truth."

FRAMES = "odd and even frames"

_SECOND = (
    "An independent noisy acquisition of the same scene; or the even and odd frames of the source."
)

#: What runs keep of their steps without being asked: unit, and what it means.
_KEPT = {
    "Noise effect": (
        "intensity",
        "Effect of the noise: root mean square of the step minus its noise-free run.",
    )
}

# What is drawn of a run of which nothing was measured yet: quick, and plain to understand.
FIRST = "Residual"

_HEIGHT = (96, 132)


class MeasureList(Box):
    """A tick for each measure; one that has parameters shows them on demand.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers the steps can be compared with.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        from napari.layers import Image

        self._viewer = viewer
        self._run: StepRun | None = None
        self.reference = LayerChoice("ground truth", _REFERENCE, Image, is_image, NONE)
        self.second = LayerChoice("second half", _SECOND, Image, is_image, FRAMES)
        self.region = RegionChoice()
        self.rows = {cls.display_name: MeasureRow(cls) for cls in METRICS}
        #: Curves that nothing here measures, by their labels.
        self.kept: dict[str, CheckBox] = {}
        self._ticks = Box(*self.rows.values())
        super().__init__(self.reference, self.second, self.region)
        self._area = self.add_scrolled(self._ticks)
        self._area.setMinimumHeight(_HEIGHT[0])
        self._area.setMaximumHeight(_HEIGHT[1])
        for row in self.rows.values():
            row.changed.connect(self._edited)
        for choice in (self.reference, self.second, self.region):
            choice.changed.connect(self._edited)
        self._show_rows()

    # --- what is ticked ---

    @property
    def value(self) -> dict[str, Metric | None]:
        """What is ticked by its label; None for what can only be drawn as it was kept."""
        found: dict[str, Metric | None] = {}
        for row in self._ticked():
            if self.problem_of(row) is None:
                metric = self._metric(row)
                found[self.curve_name(metric)] = metric
        return found | {name: None for name, box in self.kept.items() if box.value}

    @property
    def problem(self) -> str | None:
        """What is wrong with a measure that is ticked, None where nothing is."""
        wrong = ((row, self.problem_of(row)) for row in self._ticked())
        return next((f"{row.name_shown}: {why}" for row, why in wrong if why), None)

    def problem_of(self, row: MeasureRow) -> str | None:
        """Return what is wrong with a measure, None where nothing is."""
        if row.cls.needs_reference and self.reference.value is None:
            return "choose the layer that holds the ground truth."
        if row.problem is None and row.has_region:
            try:
                self.region.drawn_labels(self._run)
            except ValueError as error:
                return str(error)
        return row.problem

    def metric_named(self, name: str) -> Metric:
        """Return a measure with its parameters; ValueError says what is wrong with them."""
        row = self.rows[name]
        if reason := self.problem_of(row):
            raise ValueError(f"{name}, in the tab Curves: {reason}")
        return self._metric(row)

    def curve_name(self, metric: Metric) -> str:
        """Return what a curve is called: the measure, its parameters and its reference."""
        other = ""
        if metric.needs_reference:
            other = str(self.reference.combo.current_choice)
        elif metric.needs_halves:
            other = str(self.second.combo.current_choice)
        return label_of(metric, other, self.region.name_marked)

    def tick(self, names: Iterable[str], on: bool = True) -> None:
        """Tick some measures by their labels; labels that nothing here makes are added."""
        with self.changed.blocked():
            for name in names:
                if name in self.rows:
                    self.rows[name].ticked = on
                else:
                    self._keep(name, on)
        self._edited()

    def show_measured(self, run: StepRun | None) -> None:
        """Tick what was measured before, at first one plain measure; the ticks stay otherwise."""
        self._run = run
        self._guess_reference()
        labels = [] if run is None else run.measures()
        ready = [row for row in self.rows.values() if self._is_ready(row)]
        made = {self.curve_name(self._metric(row)): row.name_shown for row in ready}
        names = [made.get(label, label) for label in labels]
        for name in [name for name in self.kept if name not in names]:
            self._ticks.remove(self.kept.pop(name))
        if names or not self.value:
            self.tick(names or [FIRST])
        for row in self._ticked()[:1]:
            self._area.ensureWidgetVisible(row.native)

    def others(self, metrics: Iterable[Metric | None]) -> Others:
        """Return the layers that some measures compare the steps with."""
        known = [each for each in metrics if each is not None]
        halved = any(each.needs_halves for each in known)
        truth = any(each.needs_reference for each in known)
        second = self.second.value
        return Others(
            self.reference.value if truth else None,
            second if halved else None,
            halved and second is None,
        )

    def reset_choices(self, *_: object) -> None:
        """Offer the layers that there are."""
        super().reset_choices()
        self._guess_reference()

    # --- parts ---

    def _guess_reference(self) -> None:
        """Choose a layer that is named as the ground truth, where none is chosen."""
        if self.reference.value is None:
            layers = [each for each in self.reference.combo.choices if each is not None]
            named = (each for each in layers if "truth" in each.name.lower())
            self.reference.combo.value = next(named, None)

    def _ticked(self) -> list[MeasureRow]:
        return [row for row in self.rows.values() if row.ticked]

    def _is_ready(self, row: MeasureRow) -> bool:
        made = not row.cls.parameters() or row.form is not None
        return made and self.problem_of(row) is None

    def _metric(self, row: MeasureRow) -> Metric:
        metric = row.value
        return (
            metric.replaced(labels=self.region.drawn_labels(self._run))
            if row.has_region
            else metric
        )

    def _keep(self, name: str, on: bool) -> None:
        if name not in self.kept:
            unit, tip = _KEPT.get(name, ("", "Measured earlier, with other parameters."))
            box = CheckBox(text=f"{name} · {unit}" if unit else name, tooltip=tip)
            box.changed.connect(self._edited)
            self.kept[name] = box
            self._ticks.append(box)
        self.kept[name].value = on

    def _show_rows(self) -> None:
        """Show the rows that choose layers where a ticked measure needs them."""
        known = self._ticked()
        self.reference.visible = any(row.cls.needs_reference for row in known)
        self.second.visible = any(row.cls.needs_halves for row in known)
        self.region.visible = any(row.has_region for row in known)

    def _edited(self) -> None:
        self._show_rows()
        self.changed.emit(self)


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
