"""Measures the noise of the source: of all of it, of a region, or from repeated frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from napari_diffusion.core.parameter import Parameter
from napari_diffusion.widgets.forms.fields import Automatic, ComboField, LineField, unchecked
from napari_diffusion.widgets.forms.form_rows import GREY, Combo, MessageLabel, RowLabel
from napari_diffusion.widgets.plots.noise_plot import NoisePlot
from napari_diffusion.widgets.run.read_layer import as_run_error, read_layer, read_mask, with_mask
from napari_diffusion.widgets.run.run_request import Measured, Message, RunError
from napari_diffusion.widgets.source.mask_choice import MaskChoice

if TYPE_CHECKING:
    import napari

    from napari_diffusion.estimate import NoiseModel
    from napari_diffusion.noise import Noise
    from napari_diffusion.widgets.forms.number_text import Value
    from napari_diffusion.widgets.layers.mask import Mask
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import Work, Worker
    from napari_diffusion.widgets.source.source_form import SourceWidget

WHOLE, REGION, FRAMES = "the whole image", "a background region", "repeated frames"

_FROM = Parameter(
    "measure_from",
    "choice",
    WHOLE,
    tooltip=(
        "the whole image: its smoothest windows. a background region: a Shapes or Labels "
        "layer on pure noise. repeated frames: several recordings of the same scene (most "
        "accurate)."
    ),
    choices=(WHOLE, REGION, FRAMES),
)
_OFFSET = Parameter(
    "offset",
    "float",
    None,
    unit="intensity",
    tooltip="Intensity without light, if known: separates the read noise from the offset.",
    optional=True,
)


_DIGITS = 4


@dataclass(frozen=True, eq=False)
class MeasuringOptions:
    """How the noise is to be measured.

    Attributes
    ----------
    region : Mask or None
        Where there is nothing but background.
    repeats : str or None
        The axis of the repeated frames.
    offset : float or None
        Intensity without light, where it is known.
    """

    region: Mask | None = None
    repeats: str | None = None
    offset: float | None = None


class NoiseMeter(QWidget):
    """A view of how the noise is measured, and of what was found; folded in until asked for.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers are offered as background region.
    source : SourceWidget
        What is measured.
    """

    #: The noise is to be measured.
    clicked = Signal()

    def __init__(
        self, viewer: napari.Viewer, source: SourceWidget, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._source = source
        self.unfold = QToolButton()
        self.way = ComboField(_FROM, unchecked, _FROM.choices)
        self.region = MaskChoice(viewer, "region", "A region of pure background.")
        self.axis = Combo()
        self.offset = LineField(_OFFSET, _checked_offset, Automatic("unknown", None))
        self.button = QPushButton("Measure noise")
        self.plot = NoisePlot()
        self.found = MessageLabel(GREY)
        self.message = MessageLabel()
        self._lay_out()
        self.unfold.toggled.connect(self.setVisible)
        self.button.clicked.connect(lambda: self.clicked.emit())
        self.way.changed.connect(self._edited)
        self.axis.currentIndexChanged.connect(self._edited)
        source.changed.connect(self._source_changed)
        self._source_changed()
        self.setVisible(False)

    def _lay_out(self) -> None:
        self.unfold.setText("Measure …")
        self.unfold.setCheckable(True)
        self.unfold.setToolTip("Measure the noise of the image, and fill the form with it.")
        self.offset.set_value(None)
        self._frames = QWidget()
        row = QHBoxLayout(self._frames)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(RowLabel("frames along"))
        row.addWidget(self.axis, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 0, 4, 4)
        layout.setSpacing(3)
        rows: tuple[QWidget, ...] = (self.way, self.region, self._frames, self.offset, self.button)
        for widget in (*rows, self.message, self.found, self.plot):
            layout.addWidget(widget)

    def value(self) -> MeasuringOptions:
        """Return how to measure; `RunError` says what is missing."""
        try:
            offset = self.offset.value()
            if self.way.value() == WHOLE:
                return MeasuringOptions(offset=offset)
            if self.way.value() == FRAMES:
                if not self.axis.count():
                    raise ValueError("The image has no axis of repeated frames: t, z or c.")
                return MeasuringOptions(repeats=self.axis.currentText(), offset=offset)
            region = self.region.value()
        except ValueError as error:
            raise RunError("meter", str(error)) from None
        if region is None:
            raise RunError(
                "meter",
                "Choose the region: draw it on pure background, in a Shapes or Labels layer.",
            )
        return MeasuringOptions(region=region)

    def show_model(self, model: NoiseModel | None, note: str = "") -> None:
        """Show what was found, and a sentence beneath it; None forgets it."""
        self.plot.show_model(model)
        self.message.say("" if model is None else " ".join(model.warnings))
        self.found.say("" if model is None else f"{model.in_words()} {note}".strip())

    def say(self, sentence: str) -> None:
        """Show why the noise was not measured."""
        self.show_model(None)
        self.message.say(sentence)

    def _source_changed(self) -> None:
        layer, axes = self._source.layer(), self._source.axes
        letters = "" if axes.axes.problem() else axes.axes.value()
        self.region.set_source(layer if letters else None, letters)
        known = [letter for letter in "tzc" if letter in letters]
        if len(self._source.layers()) > 1:
            known.append("c")
        if layer is not None and layer.rgb:
            known.remove("c")
        chosen = self.axis.currentText()
        self.axis.clear()
        self.axis.addItems(known)
        self.axis.setCurrentIndex(known.index(chosen) if chosen in known else 0)
        self._edited()

    def _edited(self) -> None:
        way = self.way.value()
        self.region.setVisible(way == REGION)
        self._frames.setVisible(way == FRAMES)
        self.offset.setVisible(way != REGION)
        self.show_model(None)


def rounded_noise(model: NoiseModel) -> tuple[Noise, float]:
    """Return the noise that was measured and its scale, with as many digits as they are sure of."""

    def short(component: Noise) -> Noise:
        numbers = {p.name: getattr(component, p.name) for p in component.parameters()}
        changed = {name: _short(n) for name, n in numbers.items() if _short(n) != n}
        return component.replaced(**changed).with_components(short)

    return short(model.noise()), _short(model.noise_scale)


def _short(value: Value) -> Value:
    if isinstance(value, tuple):
        return tuple(_short(each) for each in value)
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def measuring_work(job: Job, way: MeasuringOptions) -> Work:
    """Return the work that measures the noise of an image: it posts `Measured`."""

    def work(worker: Worker) -> None:
        from napari_diffusion.estimate import noise_model

        options = with_mask(job, read_mask(job))
        image = read_layer(job, options, worker)
        worker.post(Message("Measuring the noise …"))
        with as_run_error("meter"):
            region = None
            if way.region is not None:
                region = way.region.folded(job.fold, bool(job.options["rgb"]))
                if not region.any():
                    raise ValueError(f"The region {way.region.name!r} is empty.")
            model = noise_model(
                image, region_mask=region, repeats=way.repeats, offset=way.offset, **options
            )
        worker.post(Measured(model))

    return work


def _checked_offset(value: Value) -> Value:
    return value if value is None else _OFFSET.checked(value, "Measure noise")
