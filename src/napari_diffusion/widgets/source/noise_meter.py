"""How the noise of the source is measured: of all of it, of a region, or from frames."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from magicgui.widgets import PushButton
from psygnal import Signal

from napari_diffusion.core.parameter import Parameter
from napari_diffusion.widgets.forms.box import Box, labelled
from napari_diffusion.widgets.forms.editors import Choice
from napari_diffusion.widgets.forms.field import Field
from napari_diffusion.widgets.forms.form_row import problem_of
from napari_diffusion.widgets.plots.noise_plot import NoisePlot
from napari_diffusion.widgets.run.run_request import RunError
from napari_diffusion.widgets.source.mask_choice import MaskChoice
from napari_diffusion.widgets.source.noise_measurement import MeasuringOptions

if TYPE_CHECKING:
    import napari

    from napari_diffusion.estimate import NoiseModel
    from napari_diffusion.widgets.source.source_form import SourceForm

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
_FROM_CHECKED = partial(_FROM.checked, owner="Measure noise")
_FRAMES_TOOLTIP = "The axis along which the same scene was recorded several times."
_NO_AXIS = "none"
_OFFSET = Parameter(
    "offset",
    "float",
    None,
    unit="intensity",
    tooltip="Intensity without light, if known: separates the read noise from the offset.",
    optional=True,
)


class NoiseMeter(Box):
    """A view of how the noise is measured, with a plot of what was found.

    It measures nothing itself: `clicked` asks its dock to.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers are offered as background region.
    source : SourceForm
        What is measured.
    """

    #: The noise is to be measured.
    clicked = Signal()

    def __init__(self, viewer: napari.Viewer, source: SourceForm) -> None:
        self._source = source
        self.way = Field(_FROM, _FROM_CHECKED)
        self.region = MaskChoice(viewer, "region", "A region of pure background.")
        self.axis = Choice({_NO_AXIS: ""})
        self.frames = labelled("frames along", self.axis, tooltip=_FRAMES_TOOLTIP)
        checked = partial(_OFFSET.checked, owner="Measure noise")
        self.offset = Field(_OFFSET, checked, "known offset")
        self.offset.value = None
        self.button = PushButton(
            text="Measure noise", tooltip="Measure the noise of the image and fill it in here."
        )
        self.plot = NoisePlot()
        super().__init__(self.way, self.region, self.frames, self.offset, self.button)
        self.add_native(self.plot)
        for row in (self.way, self.region, self.offset):
            row.changed.connect(self._edited)
        self.axis.changed.connect(self._edited)
        self.button.changed.connect(lambda: self.clicked.emit())
        source.changed.connect(self._source_changed)
        self._source_changed()

    @property
    def value(self) -> MeasuringOptions:
        """How to measure; ValueError says what is missing."""
        if self.way.value == REGION:
            region = self.region.mask()
            if region is None:
                raise ValueError(
                    "Choose the region: draw it on pure background, in a Shapes or Labels layer."
                )
            return MeasuringOptions(region=region)
        if self.way.value == WHOLE:
            return MeasuringOptions(offset=self.offset.value)
        if not self.axis.value:
            raise ValueError("The image has no axis of repeated frames: t, z or c.")
        return MeasuringOptions(repeats=str(self.axis.value), offset=self.offset.value)

    @property
    def problem(self) -> str | None:
        """What is missing, None where nothing is."""
        return problem_of(self)

    def measuring_options(self) -> MeasuringOptions:
        """Return how to measure; `RunError` says what is missing."""
        try:
            return self.value
        except ValueError as error:
            raise RunError("meter", str(error)) from None

    def show_model(self, model: NoiseModel | None) -> None:
        """Draw what was found; None forgets it."""
        self.plot.show_model(model)

    def set_possible(self, on: bool) -> None:
        """Say whether there is an image to measure, and no run in progress."""
        self.button.enabled = on

    def _source_changed(self) -> None:
        layer, axes = self._source.layer(), self._source.axes
        letters = "" if layer is None or axes.axes.problem else str(axes.axes.value)
        self.region.set_source(layer if letters else None, letters)
        several = "c" * (len(self._source.layers()) > 1)
        rgb = layer is not None and layer.rgb
        self._offer_axes(
            [axis for axis in "tzc" if axis in letters + several and not (rgb and axis == "c")]
        )
        self._edited()

    def _offer_axes(self, letters: list[str]) -> None:
        offered = {letter: letter for letter in letters} or {_NO_AXIS: ""}
        chosen = self.axis.value
        with self.axis.changed.blocked():
            for name in list(self.axis.options_named):
                if name not in offered:
                    self.axis.withdraw(name)
            for name, letter in offered.items():
                if name not in self.axis.options_named:
                    self.axis.offer(name, letter)
            self.axis.value = chosen if chosen in offered else next(iter(offered.values()))

    def _edited(self) -> None:
        way = self.way.value
        self.region.visible = way == REGION
        self.frames.visible = way == FRAMES
        self.offset.visible = way != REGION
        self.show_model(None)
        self.changed.emit(self)
