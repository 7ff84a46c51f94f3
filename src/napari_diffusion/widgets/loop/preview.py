"""What the form would make of the part on the canvas, in a layer that comes and goes."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_diffusion.engine.threads import Stopped
from napari_diffusion.widgets.layers.channels import values
from napari_diffusion.widgets.layers.layer_locks import unlocked
from napari_diffusion.widgets.layers.layer_names import layer_name
from napari_diffusion.widgets.layers.source_layers import PREVIEW, is_preview
from napari_diffusion.widgets.layers.step_layers import Place
from napari_diffusion.widgets.loop.preview_part import Reader, own_region, shown_region
from napari_diffusion.widgets.results.layer_sink import related_layers
from napari_diffusion.widgets.run.read_layer import as_run_error
from napari_diffusion.widgets.run.run_request import RunError
from napari_diffusion.widgets.run.worker import Worker

if TYPE_CHECKING:
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_diffusion.loop.preview import Part
    from napari_diffusion.widgets.docks.recipe_dock import RecipeDock
    from napari_diffusion.widgets.layers.layer_style import LayerStyle
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import Work
    from napari_diffusion.widgets.source.run_source import Region, RunSource

# Milliseconds: keys that are typed fast make one request, and a canvas that moves is drawn first.
_EDITED, _MOVED, _SETTLED = 15, 60, 300

_log = logging.getLogger(__name__)


class _PartReady(NamedTuple):
    part: Part
    region: Region


class LivePreview:
    """Follows the form, the canvas and the sliders while it is on; leaves the viewer as it was.

    Parameters
    ----------
    dock : RecipeDock
        The dock whose form is followed.
    """

    #: Whether it is on.
    switched = Signal(bool)
    #: What it is at, and whether that is bad.
    reported = Signal(str, bool)

    def __init__(self, dock: RecipeDock) -> None:
        self._dock = dock
        self._viewer = dock.viewer
        self._reader = Reader()
        self._worker: Worker | None = None
        self._layers: list[weakref.ref[Image]] = []
        self._run_source: RunSource | None = None
        self._asked: tuple[Any, ...] = ()
        self._step: int | None = None
        self.is_on = False
        self._soon, self._later = QTimer(dock), QTimer(dock)
        for timer in (self._soon, self._later):
            timer.setSingleShot(True)
            timer.timeout.connect(self._request)

    def start(self) -> None:
        """Show what the form would make, and follow it."""
        if self.is_on:
            return
        try:
            self._dock.check_idle()
            self._run_source = self._dock.source.value()
        except (RunError, ValueError) as error:
            self.switched.emit(False)
            self.reported.emit(str(error), True)
            return
        self.is_on, self._asked = True, ()
        self._connect(True)
        self.switched.emit(True)
        self._ask()

    def stop(self) -> None:
        """Remove the layer, and have the viewer as it was before."""
        if not self.is_on:
            return
        self.is_on = False
        self._connect(False)
        self.drop()
        self._reader.forget()
        self._remove()
        self.reported.emit("", False)
        self.switched.emit(False)

    def drop(self) -> None:
        """Have nothing more computed: the window goes."""
        self._soon.stop()
        self._later.stop()
        if self._worker is not None:
            self._worker.drop()

    def show_step(self, step: int | None) -> None:
        """Choose the step that is shown; None is the last one."""
        self._step = step
        self._ask()

    @property
    def worker(self) -> Worker | None:
        """The thread of the last request."""
        return self._worker

    def layers(self) -> list[Image]:
        """Return the layers of the preview: one, or one for each channel, unless locked."""
        there = unlocked(layer for ref in self._layers if (layer := ref()) is not None)
        return [layer for layer in there if layer in self._viewer.layers]

    # --- what it follows ---

    def _connect(self, on: bool) -> None:
        viewer, dock = self._viewer, self._dock
        edited = [dock.recipe.changed, dock.recipe.problem_changed, dock.source.changed]
        camera = viewer.scene.camera
        moved = [getattr(camera.events, name) for name in ("center", "zoom", "angles")]
        moved += [getattr(viewer.dims.events, name) for name in ("point", "ndisplay", "order")]
        data = [] if self._run_source is None else [e.events.data for e in self._run_source.layers]
        followed = [(edited, self._ask), (moved, self._moved), (data, self._reloaded)]
        followed.append(([viewer.layers.events.removed], self._removed))
        for events, slot in followed:
            for event in events:
                if on:
                    event.connect(slot)
                else:
                    with contextlib.suppress(ValueError, TypeError):
                        event.disconnect(slot)

    def _ask(self) -> None:
        if self.is_on:
            self._soon.start(_EDITED)

    def _moved(self) -> None:
        """Look now and again when the canvas has settled: corners are set when a layer is drawn."""
        self._soon.start(_MOVED)
        self._later.start(_SETTLED)

    def _reloaded(self) -> None:
        self._reader.forget()
        self._asked = ()
        self._ask()

    def _removed(self) -> None:
        """Switch off where the user has deleted the layer, or the source."""
        lost = len(self.layers()) < len(self._layers)
        source = [] if self._run_source is None else list(self._run_source.layers)
        if self.is_on and (lost or any(each not in self._viewer.layers for each in source)):
            self.stop()

    # --- a request ---

    def _request(self) -> None:
        """Request a preview of the form as it is now, and stop the request before."""
        before = self._run_source
        if not self.is_on or before is None:
            return
        if self._dock.source.layers() != before.layers:
            self.stop()
            return
        try:
            run_source = self._dock.source.value()
            job = self._dock.job(run_source)
            region = shown_region(run_source, self._viewer)
        except (RunError, ValueError) as error:
            self._fail(str(error))
            return
        asked = (job.recipe, job.options, job.masks, region, self._step)
        if not job.masks and self._same(asked):
            return
        if self._worker is not None:
            self._worker.drop()
        self._run_source, self._asked = run_source, asked
        if not self._reader.is_ready:
            self.reported.emit("Preparing the preview …", False)
        self._worker = Worker(self._work(job, region), self._dock)
        self._worker.posted.connect(self._show)
        self._worker.ended.connect(self._ended)
        self._worker.start()

    def _same(self, asked: tuple[Any, ...]) -> bool:
        return bool(self._asked) and asked == self._asked

    def _work(self, job: Job, region: Region) -> Work:
        reader, step = self._reader, self._step
        layers = () if self._run_source is None else self._run_source.layers

        def work(worker: Worker) -> None:
            with contextlib.suppress(Stopped):
                preview = reader.preview(job, tuple(map(values, layers)), worker)
                with as_run_error("recipe"):
                    folded = job.fold.region(region)
                    for part in preview.parts(job.recipe, folded, step, worker.stop):
                        worker.post(_PartReady(part, own_region(part, region, job)))

        return work

    def _ended(self, error: BaseException | None) -> None:
        if error is None:
            self.reported.emit("", False)
            return
        if not isinstance(error, RunError):
            _log.error("A preview failed", exc_info=error)
        self._fail(str(error) or type(error).__name__)

    def _fail(self, sentence: str) -> None:
        """Say what is wrong; the last image stays, and says that it is of another form."""
        if self._worker is not None:
            self._worker.drop()
        self._asked = ()
        for layer in self.layers():
            layer.name = "preview · outdated"
        late = " The image shown is outdated." if self._layers else ""
        self.reported.emit(f"Preview: {sentence}{late}", True)

    # --- the layer ---

    def _show(self, news: Any) -> None:
        run_source = self._run_source
        if not self.is_on or run_source is None or not isinstance(news, _PartReady):
            return
        part, region = news
        image: NDArray[Any] = run_source.fold.unfolded(part.step.image)
        if run_source.cast is not None:
            image = run_source.cast(image)
        styles = dataclasses.replace(run_source, region=region).styles
        images = [image] if len(styles) == 1 else list(image)
        names = [_name(source, part) for source in run_source.layers]
        if len(self.layers()) != len(styles):
            self._insert(images, styles, names)
        for layer, data, style, name in zip(self.layers(), images, styles, names, strict=True):
            if layer.data is not data:
                layer.data = data
            if not np.array_equal(layer.translate, style.placed["translate"]):
                layer.translate = style.placed["translate"]
            if layer.name != name:
                layer.name = name
        self.reported.emit("" if part.is_last else "Refining the preview …", False)

    def _insert(
        self, images: list[NDArray[Any]], styles: list[LayerStyle], names: list[str]
    ) -> None:
        from napari.layers import Image

        assert self._run_source is not None
        viewer = self._viewer
        chosen, self._layers = set(viewer.layers.selection), []
        made = zip(self._run_source.layers, images, styles, names, strict=True)
        for source, data, style, name in made:
            place = Place(viewer, related_layers(viewer, source))
            if style.mixes:
                place.cover()
            layer = Image(data, name=name, metadata={PREVIEW: True}, **style.arguments())
            with self._dock.source.holding():
                place.insert(layer)
                viewer.layers.selection = chosen
            self._layers.append(weakref.ref(layer))

    def _remove(self) -> None:
        layers, self._layers = self.layers(), []
        chosen = {each for each in self._viewer.layers.selection if not is_preview(each)}
        if self._run_source is not None:
            chosen = chosen or {
                each for each in self._run_source.layers if each in self._viewer.layers
            }
        with self._dock.source.holding():
            for layer in layers:
                self._viewer.layers.remove(layer)
            self._viewer.layers.selection = chosen


def _name(source: Image, part: Part) -> str:
    which = "final" if part.step.is_final else f"{part.step.index:02}"
    title = f"preview · {which}" + " · approximate" * part.approximate
    return layer_name(title, source.name)
