"""What is chosen for a study: objects, a background, a repeat, a measure, and which part."""

from __future__ import annotations

import math
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import ComboBox

from napari_diffusion.metrics import CustomMetric, Objects, RegionStatistic
from napari_diffusion.widgets.forms.box import Box, labelled, leave_wheel, may_be_narrow
from napari_diffusion.widgets.forms.layer_choice import LayerChoice
from napari_diffusion.widgets.layers.layer_values import values
from napari_diffusion.widgets.layers.mask import mask_of
from napari_diffusion.widgets.layers.shape_masks import drawn
from napari_diffusion.widgets.layers.source_layers import is_image
from napari_diffusion.widgets.layers.step_records import records_of
from napari_diffusion.widgets.results.step_source import on_source_grid, source_layers
from napari_diffusion.widgets.source.shown_region import region_of_layer

if TYPE_CHECKING:
    import napari
    from napari.layers import Image, Layer
    from numpy.typing import NDArray

    from napari_diffusion.analysis.studies import StudyOptions
    from napari_diffusion.widgets.analysis.study_dock import StudyDock
    from napari_diffusion.widgets.analysis.study_layers import ReadOptions, Region
    from napari_diffusion.widgets.forms.layer_choice import Offered
    from napari_diffusion.widgets.results.step_run import StepRun
    from napari_diffusion.widgets.run.run_request import Job

_WHOLE, _VISIBLE = "all of the image", "visible part"
_PART = (
    "What is studied. The visible part is at most 512 × 512 pixels of a plane, or 128³ of a volume."
)

# An image with more pixels is studied in part, unless the user says otherwise.
_LARGE = 1 << 20

RECTANGLE = "drawn rectangle"
_KINDS: dict[str, StudyOptions] = {
    "bright spots": {"kinds": ("spot",)},
    "dark spots": {"kinds": ("spot",), "dark": True},
    "bright lines": {"kinds": ("line",)},
    "dark lines": {"kinds": ("line",), "dark": True},
    "edges": {"kinds": ("edge",)},
    RECTANGLE: {"kinds": ("patch",)},
}
_KIND = (
    "What is put into the image to see how much of it is left. A drawn rectangle: an object of the "
    "image itself, in a rectangle of a Shapes layer."
)

_ESTIMATED = "auto"
_BACKGROUND = (
    "The background, where the image holds no objects: a Labels or Shapes layer; auto estimates it."
)

_NOISE_FREE, FRAMES = "noise-free", "even/odd frames"
_REPEAT = (
    "What the interval is for: the noise-free value, or the value of a repeat acquisition, from a "
    "layer with an independent one or from the odd and even frames."
)

_ANSWERS = (Objects, RegionStatistic, CustomMetric)
_MEASURE = "Your measurement, with the parameters that it has in the tab Curves."


class _Named(ComboBox):
    """Some names, the same ones for every run."""

    def __init__(self, names: list[str], tooltip: str) -> None:
        super().__init__(choices=names, tooltip=tooltip)
        may_be_narrow(self.native)
        leave_wheel(self.native)

    def follow(self, run: StepRun | None) -> None:
        """Offer the same names."""
        del run


class KindChoice(_Named):
    """Which objects are tried."""

    #: The options that it gives; a study has the choices that give one of its own.
    gives = frozenset({"kinds", "dark", "patch"})

    def __init__(self) -> None:
        super().__init__(list(_KINDS), _KIND)

    def reader(self, job: Job, run: StepRun, dock: StudyDock) -> ReadOptions:
        """Return what reads the kind, and of a drawn rectangle where it lies."""
        options: StudyOptions = {**_KINDS[str(self.value)]}
        if self.value == RECTANGLE:
            options["patch"] = job.fold.region(_rectangle(job, run, dock.viewer))
        return lambda: options


class BackgroundChoice(LayerChoice):
    """Where there are no objects."""

    gives = frozenset({"background"})

    def __init__(self) -> None:
        from napari.layers import Layer

        super().__init__("", _BACKGROUND, Layer, _is_drawn, _ESTIMATED)
        self[0].visible = False

    def reader(self, job: Job, run: StepRun, dock: StudyDock) -> ReadOptions:
        """Return what reads the layer."""
        layer, fold, rgb = self.value, job.fold, bool(job.options.get("rgb"))
        if layer is None:
            return lambda: {}
        mask = mask_of(layer, source_layers(run.step, dock.viewer)[0], run.letters)
        return lambda: {"background": mask.folded(fold, rgb)}

    def follow(self, run: StepRun | None) -> None:
        """Offer the same layers."""
        del run


class RepeatChoice(LayerChoice):
    """What an interval is for."""

    gives = frozenset({"second", "halves", "of"})

    def __init__(self) -> None:
        from napari.layers import Image

        self._run: StepRun | None = None
        super().__init__("", _REPEAT, Image, self._fits, _NOISE_FREE)
        self[0].visible = False

    def reader(self, job: Job, run: StepRun, dock: StudyDock) -> ReadOptions:
        """Return what reads the layer, or that frames are taken."""
        layer = self.value
        if layer is None:
            return lambda: {"of": "noise-free"}
        if layer == FRAMES:
            return lambda: {"halves": "frames", "of": "repeat"}
        data, name = values(layer), layer.name
        return lambda: {"second": on_source_grid(job, data, name), "of": "repeat"}

    def follow(self, run: StepRun | None) -> None:
        """Offer what fits another run."""
        self._run = run
        self.reset_choices()

    def _fits(self, layer: Layer) -> bool:
        source = None if self._run is None else self._run.source
        return is_image(layer) and not records_of(layer) and layer is not source

    def _offered(self, combo: Any) -> Offered:
        frames = self._run is not None and "t" in self._run.letters
        return [*([(FRAMES, FRAMES)] if frames else []), *super()._offered(combo)]


class MeasureChoice(_Named):
    """Which measurement is followed."""

    gives = frozenset({"measure"})

    def __init__(self) -> None:
        super().__init__([cls.display_name for cls in _ANSWERS], _MEASURE)

    def reader(self, job: Job, run: StepRun, dock: StudyDock) -> ReadOptions:
        """Return what reads the measure."""
        metric = dock.measure_named(str(self.value))
        return lambda: {"measure": metric}


StudyChoice = KindChoice | BackgroundChoice | RepeatChoice | MeasureChoice


class PartChoice(Box):
    """Which part of the image is studied."""

    def __init__(self) -> None:
        self.combo = ComboBox(choices=[_WHOLE, _VISIBLE], tooltip=_PART)
        may_be_narrow(self.combo.native)
        leave_wheel(self.combo.native)
        self._source: weakref.ref[Image] | None = None
        super().__init__(labelled("part", self.combo, tooltip=_PART))
        self[0].native.layout().setStretch(1, 1)

    def follow(self, run: StepRun | None) -> None:
        """Choose the visible part of a large image, once for each source."""
        source = None if run is None else run.source
        if source is None or (self._source is not None and self._source() is source):
            return
        self._source = weakref.ref(source)
        large = math.prod(np.shape(values(source))) > _LARGE
        self.combo.value = _VISIBLE if large else _WHOLE

    def region(self, job: Job, run: StepRun, viewer: napari.Viewer) -> Region | None:
        """Return the part in the axes of a job, None for all; ValueError says why there is none."""
        if self.combo.value == _WHOLE:
            return job.region
        many, layer = "channel" in run.record, source_layers(run.step, viewer)[0]
        letters, shape = job.fold.letters[many:], job.fold.shape[many:]
        shown = region_of_layer(viewer, layer, letters, shape)
        shown = (slice(0, job.fold.shape[0]),) * many + shown
        if job.region is None:
            return shown
        both = tuple(
            slice(max(one.start, other.start), min(one.stop, other.stop))
            for one, other in zip(shown, job.region, strict=True)
        )
        if any(part.start >= part.stop for part in both):
            raise ValueError("No part of the run is visible on the canvas: move there first.")
        return both


def _is_drawn(layer: Layer) -> bool:
    from napari.layers import Labels, Shapes

    return isinstance(layer, Labels | Shapes)


def _rectangle(job: Job, run: StepRun, viewer: napari.Viewer) -> Region:
    """Return the box of the area drawn last, in the axes of the job: one plane, all channels."""
    source = source_layers(run.step, viewer)[0]
    corners = _areas(viewer, source)[-1]
    low, high = np.floor(corners.min(0) + 0.5), np.ceil(corners.max(0) - 0.5)
    here = np.round(source.world_to_data(viewer.dims.point[-source.ndim :]))
    many = "channel" in run.record
    part = [slice(0, size) for size in job.fold.shape]
    for axis in range(source.ndim):
        letter, size = job.fold.letters[axis + many], job.fold.shape[axis + many]
        if letter == "c":
            continue
        flat = letter not in "yx" and high[axis] - low[axis] < 1
        first, last = (here[axis], here[axis]) if flat else (low[axis], high[axis])
        start = int(np.clip(first, 0, size - 1))
        part[axis + many] = slice(start, int(np.clip(last, start, size - 1)) + 1)
    return tuple(part)


def _areas(viewer: napari.Viewer, source: Image) -> tuple[NDArray[Any], ...]:
    from napari.layers import Shapes

    for layer in reversed(viewer.layers):
        if isinstance(layer, Shapes) and (areas := drawn(layer, source).corners):
            return areas
    raise ValueError(
        "No rectangle is drawn: add a Shapes layer and draw a rectangle around an object."
    )
