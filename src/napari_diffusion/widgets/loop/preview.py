"""What the form would make of the part on the canvas, in a layer that comes and goes."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_diffusion.engine.threads import Stopped
from napari_diffusion.widgets.layers.layer_values import values
from napari_diffusion.widgets.loop.preview_layers import PreviewLayers
from napari_diffusion.widgets.loop.preview_part import Reader, own_region
from napari_diffusion.widgets.run.read_layer import as_run_error
from napari_diffusion.widgets.run.run_request import RunError
from napari_diffusion.widgets.run.worker import Worker
from napari_diffusion.widgets.source.shown_region import shown_region

if TYPE_CHECKING:
    import napari
    from napari.layers import Image
    from qtpy.QtWidgets import QWidget

    from napari_diffusion.loop.preview import Part
    from napari_diffusion.widgets.recipe.recipe_form import RecipeForm
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import News, Work
    from napari_diffusion.widgets.source.run_source import Region, RunSource
    from napari_diffusion.widgets.source.source_form import SourceForm

# Milliseconds: keys that are typed fast make one request, and a canvas that moves is drawn first.
_EDITED, _MOVED, _SETTLED = 15, 60, 300

_WHOLE = "a measurement restores the image as a whole, so that only Run shows it."

_log = logging.getLogger(__name__)


class _PartReady(NamedTuple):
    part: Part
    region: Region


class PreviewedDock(Protocol):
    """A dock whose form is followed."""

    viewer: napari.Viewer
    source: SourceForm
    recipe: RecipeForm

    @property
    def native(self) -> QWidget:
        """The widget of Qt's."""
        ...

    def check_idle(self) -> None:
        """Raise `RunError` while a run is in progress."""

    def job(self, run_source: RunSource) -> Job:
        """Return the job of a run on a source; `RunError` says what is wrong with the form."""
        ...


class LivePreview:
    """Follows the form, the canvas and the sliders while it is on; leaves the viewer as it was.

    Parameters
    ----------
    dock : PreviewedDock
        The dock whose form is followed.
    """

    #: Whether it is on.
    switched = Signal(bool)
    #: What it is at, and whether that is bad.
    reported = Signal(str, bool)

    def __init__(self, dock: PreviewedDock) -> None:
        self._dock = dock
        self._viewer = dock.viewer
        self._reader = Reader()
        self._worker: Worker | None = None
        self._layers = PreviewLayers(dock.viewer, dock.source.holding)
        self._run_source: RunSource | None = None
        self._asked: tuple[Any, ...] = ()
        self._step: int | None = None
        self.is_on = False
        self._soon, self._later = QTimer(dock.native), QTimer(dock.native)
        for timer in (self._soon, self._later):
            timer.setSingleShot(True)
            timer.timeout.connect(self._request)

    def start(self) -> None:
        """Show what the form would make, and follow it."""
        if self.is_on:
            return
        try:
            self._dock.check_idle()
            self._run_source = self._dock.source.value
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
        self._layers.remove(self._run_source)
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
        """Return the layers of the preview that are there."""
        return self._layers.present()

    # --- following ---

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
        lost = self._layers.are_missing
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
            run_source = self._dock.source.value
            job = self._dock.job(run_source)
            if job.recipe.measurement is not None:
                raise RunError("recipe", _WHOLE)
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
        self._worker = Worker(self._work(job, region), self._dock.native)
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
        self._layers.mark_outdated()
        late = " The image shown is outdated." if self._layers.are_made else ""
        self.reported.emit(f"Preview: {sentence}{late}", True)

    def _show(self, news: News) -> None:
        if self.is_on and self._run_source is not None and isinstance(news, _PartReady):
            self._layers.show(self._run_source, news.part, news.region)
            self.reported.emit("" if news.part.is_last else "Refining the preview …", False)
