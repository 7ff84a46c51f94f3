"""What tools have in common that make one new layer: the noise and the filters on their own."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_diffusion.loop.presets import pixel_size
from napari_diffusion.widgets.docks.dock import Dock
from napari_diffusion.widgets.results.layer_sink import layer_sink_for
from napari_diffusion.widgets.run import memory
from napari_diffusion.widgets.run.memory_check import check_memory
from napari_diffusion.widgets.run.run_controls import Controls
from napari_diffusion.widgets.run.run_request import RunError

if TYPE_CHECKING:
    import napari

    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.loop.recipe import Recipe, Step
    from napari_diffusion.widgets.layers.step_layers import LayerSink
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import Work


class Tool(Dock):
    """Makes one new layer of the source, which stays as it is.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that the dock belongs to.
    button, about : str
        What the button says, and what it does.
    form : list of QWidget
        The form, from top to bottom.
    """

    def __init__(self, viewer: napari.Viewer, button: str, about: str, form: list[QWidget]) -> None:
        super().__init__(viewer, Controls(button, about, many=False), single=True)
        rows = QWidget()
        layout = QVBoxLayout(rows)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        for widget in form:
            layout.addWidget(widget)
        self.lay_out([rows], [self.controls])
        self.controls.run_clicked.connect(self.run)
        self.source.changed.connect(self._source_changed)
        self.runner.resolved.connect(self.set_resolved)
        self._source_changed()

    def recipe(self) -> Recipe:
        """Return what is to be done as a recipe of one step; ValueError says what is wrong."""
        raise NotImplementedError

    def work(self, job: Job, layer_sink: LayerSink) -> Work:
        """Return what the thread does."""
        raise NotImplementedError

    def title(self, step: Step, record: StepRecord) -> str:
        """Return what the new layer is called, before its source."""
        raise NotImplementedError

    def set_resolved(self, recipe: Recipe | None) -> None:
        """Show the values that every "auto" stands for; None forgets them."""
        raise NotImplementedError

    def set_world(self, unit: str, length: float | None) -> None:
        """Name the unit of length; follow the distance of the pixels where it is known."""
        raise NotImplementedError

    def run(self) -> None:
        """Make the layer; errors are shown, not raised."""
        with self.showing_errors():
            run_source = self.run_source()
            try:
                recipe = self.recipe()
            except (ValueError, TypeError) as error:
                raise RunError("form", str(error)) from None
            job = run_source.job(recipe, 1, memory.free_memory())
            check_memory(job, "layers")
            self.source.say(None)
            layer_sink = layer_sink_for(
                self.viewer, run_source.layers, job, run_source.styles, "layers", self.title
            )
            self.runner.start(self.work(job, layer_sink), layer_sink, title=job.source_name)

    def _source_changed(self) -> None:
        self.set_resolved(None)
        if not self.runner.is_running:
            self.controls.say("")
        with contextlib.suppress(ValueError, TypeError):
            self.warm(self.source.value().job(self.recipe(), 1, memory.free_memory()))
        length = None
        with contextlib.suppress(ValueError):
            length = pixel_size(self.source.value().options["spacing"])
        self.set_world(self.source.axes.unit(), length)
