"""The dock *Denoise*: an image, a button, and what was found of the noise."""

from __future__ import annotations

import weakref
from functools import partial
from typing import TYPE_CHECKING

from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.core.parameter import Parameter
from napari_diffusion.denoising.denoise import denoiser, denoiser_options
from napari_diffusion.widgets.denoise.denoise_run import (
    NoiseFound,
    StageReady,
    denoising_work,
    result_name,
)
from napari_diffusion.widgets.denoise.result_buttons import ResultButtons
from napari_diffusion.widgets.docks.layer_dock import LayerDock
from napari_diffusion.widgets.forms.field import Field
from napari_diffusion.widgets.layers.step_layers import Place, image_layer
from napari_diffusion.widgets.layers.step_records import records_of
from napari_diffusion.widgets.results.folder_result import FolderStart
from napari_diffusion.widgets.results.layer_sink import related_layers, single_result
from napari_diffusion.widgets.run import memory
from napari_diffusion.widgets.run.found_message import caution_of, found_message
from napari_diffusion.widgets.run.run_controls import RunControls, written_seconds
from napari_diffusion.widgets.run.run_request import RunError, SeedDone, StepReady

if TYPE_CHECKING:
    import napari
    from napari.layers import Image
    from napari.utils.events import Event

    from napari_diffusion.denoising.noise_report import NoiseReport
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.widgets.forms.number_text import Value
    from napari_diffusion.widgets.layers.layer_style import LayerStyle
    from napari_diffusion.widgets.layers.step_layers import LayerSink
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import News
    from napari_diffusion.widgets.source.run_source import RunSource

_ABOUT = "Measure the noise and remove it. The result is a new layer; the source stays unchanged."

_STRENGTH = Parameter(
    "strength",
    "float",
    1.0,
    above=0.0,
    tooltip=(
        "Factor on the standard deviation of the noise that is removed. 1: the noise as measured; "
        "more smooths more, less keeps more texture and noise."
    ),
)
_FAST = Parameter(
    "fast", "bool", False, tooltip="About seven times faster in planes, 0.3 dB lower PSNR."
)
_SIGMA = Parameter(
    "noise_sigma",
    "float",
    "auto",
    unit="intensity",
    tooltip=(
        "Standard deviation of the noise. auto measures it and detects photon (Poisson) noise; "
        "one per channel: 3, 4, 4; one per pixel: the name of a .npy or .tif file, or of a layer "
        "that shows one, such as a noise map."
    ),
    auto=True,
    many=True,
    mapped=True,
)
_STAGES = Parameter(
    "stages",
    "bool",
    False,
    tooltip="Also add each filter's result and its (hidden) weight map. Takes twice as long.",
)


class Denoise(LayerDock):
    """Denoises an image layer; the result is a new layer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer that the dock belongs to.
    """

    takes_masks = False

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        self._results: weakref.WeakSet[Image] = weakref.WeakSet()
        super().__init__(napari_viewer, RunControls("Denoise", _ABOUT), single=True)
        self.strength = Field(_STRENGTH, partial(_STRENGTH.checked, owner="Denoise"))
        self.fast = Field(_FAST, partial(_FAST.checked, owner="Denoise"))
        self.sigma = Field(_SIGMA, _checked_sigma, "noise σ")
        self.stages = Field(_STAGES, partial(_STAGES.checked, owner="Denoise"))
        self.strength.value, self.sigma.value = 1.0, "auto"
        self.results = ResultButtons(self.viewer, self.controls.message, self._results)
        self._place: Place | None = None
        self._style: LayerStyle | None = None
        self._report: NoiseReport | None = None
        self.advanced.body.insert(0, self.sigma)
        self.advanced.body.insert(1, self.stages)
        form = [self.source, self.strength, self.fast]
        self.lay_out([*form, self.controls, self.results, self.advanced], [])
        for field in (self.strength, self.fast, self.sigma, self.stages):
            field.changed.connect(self._edited)
        self.controls.run_clicked.connect(self.run)
        self.controls.running.connect(self.results.set_busy)
        self.viewer.layers.events.inserted.connect(self._inserted)
        self._source_changed()

    @property
    def value(self) -> Recipe:
        """The recipe; ValueError says what is wrong with the form."""
        return denoiser(
            fast=self.fast.value, noise_sigma=self.sigma.value, strength=self.strength.value
        )

    @value.setter
    def value(self, recipe: Recipe) -> None:
        options = denoiser_options(recipe)
        self.fast.value, self.strength.value = options["fast"], options["strength"]
        self.sigma.value = options["noise_sigma"]

    def shown_recipe(self) -> Recipe:
        """Return the recipe; its kernels are compiled before it is run."""
        return self.value

    def form_problem(self) -> str | None:
        """Return what is wrong with the form, None where nothing is."""
        return self.strength.problem or self.sigma.problem

    def source_changed(self) -> None:
        """Forget what was measured on another source."""
        self.sigma.set_resolved(None)
        self.sigma.set_units(self.units())

    def passes_over(self, layer: Image) -> bool:
        """Say whether a layer was made or opened here, which is looked at when it is active."""
        return layer in self._results

    def run(self) -> None:
        """Denoise the source; errors are shown, not raised."""
        with self.showing_errors():
            run_source = self.run_source()
            try:
                recipe = self.value
            except ValueError as error:
                raise RunError("form", str(error)) from None
            if self._took(run_source, recipe):
                return
            job, layer_sink = single_result(self.viewer, run_source, recipe, result_name)
            self._start(job, layer_sink, run_source)

    def let_go(self, closed: bool) -> None:
        """Stop computing and writing: the dock is closed, or else the whole window."""
        super().let_go(closed)
        self.results.let_go(closed)
        if closed:
            self.viewer.layers.events.inserted.disconnect(self._inserted)

    def _took(self, run_source: RunSource, recipe: Recipe) -> bool:
        """Denoise into a folder where memory has no room; see `FolderStart.took`."""
        if self.stages.value:
            return False
        job = run_source.job(recipe, 1, memory.free_memory())
        start = FolderStart(
            self.viewer, self.runner, result_name, lambda run: NoiseFound(run.report)
        )
        if not start.took(run_source, job, "layers", job.source_name):
            return False
        if self.runner.worker is not None and self.runner.is_running:
            self._listen(None, run_source.styles[0])
        return True

    def _listen(self, place: Place | None, style: LayerStyle) -> None:
        """Follow what the run that has begun finds and makes."""
        assert self.runner.worker is not None
        self._place, self._style, self._report = place, style, None
        self.sigma.set_resolved(None)
        self.runner.worker.posted.connect(self._posted)

    def _start(self, job: Job, layer_sink: LayerSink, run_source: RunSource) -> None:
        layers, styles = run_source.layers, run_source.styles
        staged = self.stages.value and len(layers) == 1 and not job.lazy
        place = Place(self.viewer, related_layers(self.viewer, layers[0])) if staged else None
        work = denoising_work(job, layer_sink, staged)
        self.runner.start(work, layer_sink, title=job.source_name)
        self._listen(place, styles[0])

    def _posted(self, news: News) -> None:
        match news:
            case NoiseFound(report):
                self._report = report
                if report is not None:
                    self.sigma.set_resolved(report.sigma)
            case StepReady() | SeedDone():
                self._conclude()
            case StageReady() if self._place is not None and self._style is not None:
                # Above the source and so beneath the result, which is there already.
                chosen = self.viewer.layers.selection
                result = chosen.active
                with self.source.holding():
                    for name, image, record, style in news.layers(self._style):
                        self._place.insert(image_layer(image, name, style, record))
                chosen.active = result

    def _conclude(self) -> None:
        """Say what was found once the run has ended; with stages that is later than now."""
        sentence, role, details = found_message(self._report)
        took = written_seconds(self.controls.seconds)
        words = f"{sentence}; 1 layer in {took}. {caution_of(self._report)}".strip()
        self.controls.conclude(words, role, details=details)

    def _inserted(self, event: Event) -> None:
        layer = event.value
        if self.runner.is_running and self.source.is_held and records_of(layer):
            self._results.add(layer)
            self.results.show_made(layer)

    def _edited(self) -> None:
        self.show_possible()
        self.changed.emit(self)


def _checked_sigma(value: Value) -> Value:
    """Return a noise as the filters take it, or raise their own sentence."""
    from napari_diffusion.filters import HaarDiffusion

    sigma = HaarDiffusion(noise_sigma=value).noise_sigma
    if isinstance(sigma, ArrayParameter) and not sigma.is_written:
        raise ValueError(
            "This noise map has no file that the record could name: save its layer as .tif or .npy "
            "and choose that file."
        )
    return sigma
