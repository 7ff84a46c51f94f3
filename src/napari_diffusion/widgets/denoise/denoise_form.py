"""The button *Denoise*: one layer, and what was found of the noise; no parameters needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_diffusion.core.parameter import Parameter
from napari_diffusion.denoising.denoise import denoiser
from napari_diffusion.denoising.report_text import found_text, warning_texts
from napari_diffusion.widgets.denoise.denoise_run import (
    NoiseFound,
    StageReady,
    denoising_work,
    result_name,
)
from napari_diffusion.widgets.forms.fields import Automatic, LineField
from napari_diffusion.widgets.forms.form_rows import GREY, MessageLabel
from napari_diffusion.widgets.layers.step_layers import Place, image_layer
from napari_diffusion.widgets.results.layer_sink import layer_sink_for, related_layers
from napari_diffusion.widgets.run import memory
from napari_diffusion.widgets.run.memory_check import check_memory
from napari_diffusion.widgets.run.run_controls import PRIMARY
from napari_diffusion.widgets.run.run_request import RunError, StepReady

if TYPE_CHECKING:
    from napari_diffusion.widgets.docks.dock import Dock
    from napari_diffusion.widgets.forms.number_text import Value
    from napari_diffusion.widgets.layers.layer_style import LayerStyle

# Neither an error nor to be overlooked.
_AMBER = "#d9a441"

_SIGMA = Parameter(
    "noise_sigma",
    "float",
    "auto",
    unit="intensity",
    tooltip=(
        "Standard deviation of the noise. auto measures it and detects photon (Poisson) "
        "noise. Type a larger value to denoise more strongly, as for images that were "
        "compressed or smoothed before; one per channel: 3, 4, 4."
    ),
    auto=True,
    many=True,
)


class DenoiseWidget(QWidget):
    """Denoises the source of a dock at a click.

    Parameters
    ----------
    dock : Dock
        Whose source is denoised, and whose controls show the progress.
    """

    def __init__(self, dock: Dock) -> None:
        super().__init__()
        self._dock = dock
        self.button = QPushButton("Denoise")
        self.fast = QCheckBox("fast")
        self.stages = QCheckBox("stages")
        self.sigma = LineField(_SIGMA, _checked, Automatic())
        self.found = MessageLabel(GREY)
        self.warning = MessageLabel(_AMBER)
        self._made = "nothing"
        self._place: Place | None = None
        self._style: LayerStyle | None = None
        self._lay_out()
        self.button.clicked.connect(self.run)
        self.sigma.changed.connect(self._forget)
        dock.source.changed.connect(self._forget)

    def _lay_out(self) -> None:
        self.button.setStyleSheet(PRIMARY)
        self.button.setToolTip(
            "Measure the noise and remove it. The result is a new layer. Ignores the recipe below."
        )
        self.fast.setToolTip("About three times faster, 0.2 dB lower PSNR.")
        self.stages.setToolTip(
            "Also add each filter's result and its (hidden) weight map. Takes twice as long."
        )
        self.sigma.set_value("auto")
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.button, 1)
        row.addWidget(self.fast)
        row.addWidget(self.stages)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        layout.addLayout(row)
        for widget in (self.sigma, self.found, self.warning):
            layout.addWidget(widget)

    def run(self) -> None:
        """Denoise the source; errors are shown, not raised."""
        dock = self._dock
        with dock.showing_errors():
            run_source = dock.run_source()
            try:
                recipe = denoiser(fast=self.fast.isChecked(), noise_sigma=self.sigma.value())
            except ValueError as error:
                raise RunError("run", str(error)) from None
            job = run_source.job(recipe, 1, memory.free_memory())
            check_memory(job, "layers")
            self._forget()
            dock.source.say(None)
            layers, styles = run_source.layers, run_source.styles
            layer_sink = layer_sink_for(dock.viewer, layers, job, styles, "layers", result_name)
            staged = self.stages.isChecked() and len(layers) == 1 and not job.lazy
            self._place = (
                Place(dock.viewer, related_layers(dock.viewer, layers[0])) if staged else None
            )
            self._style = styles[0]
            work = denoising_work(job, layer_sink, staged)
            self._made = "nothing"
            dock.runner.start(work, layer_sink, made=lambda: self._made, title=job.source_name)
            assert dock.runner.worker is not None
            dock.runner.worker.posted.connect(self._posted)

    def _posted(self, news: Any) -> None:
        match news:
            case StepReady():
                self._made = "the denoised layer"
            case NoiseFound(None):
                self.found.say("Noise: assumed white, with the standard deviation typed.")
            case NoiseFound(report) if report is not None:
                self.found.say(found_text(report))
                self.warning.say(" ".join(warning_texts(report)))
                self.sigma.set_resolved(report.sigma)
            case StageReady() if self._place is not None and self._style is not None:
                # Above the source and so beneath the result, which is there already.
                chosen = self._dock.viewer.layers.selection
                result = chosen.active
                with self._dock.source.holding():
                    for name, image, record, style in news.layers(self._style):
                        self._place.insert(image_layer(image, name, style, record))
                chosen.active = result

    def _forget(self) -> None:
        self.found.say("")
        self.warning.say("")
        self.sigma.set_resolved(None)


def _checked(value: Value) -> Value:
    """Return a noise as the filters take it, or raise their own sentence."""
    from napari_diffusion.filters import HaarDiffusion

    return HaarDiffusion(noise_sigma=value).noise_sigma
