"""What docks that run something on a layer have in common."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from napari_diffusion.widgets.run.kernel_warming import KernelWarming
from napari_diffusion.widgets.run.run_request import RunError
from napari_diffusion.widgets.run.runner import Runner
from napari_diffusion.widgets.source.noise_meter import NoiseMeter, measuring_work
from napari_diffusion.widgets.source.source_form import SourceWidget

if TYPE_CHECKING:
    from collections.abc import Iterator

    import napari
    from qtpy.QtGui import QHideEvent

    from napari_diffusion.widgets.run.run_controls import Controls
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.source.run_source import RunSource


class Dock(QWidget):
    """A source, forms that scroll, and the controls of a run beneath them.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that the dock belongs to.
    controls : Controls
        The buttons.
    single : bool
        Whether each run makes one layer, and steps of other runs are sources like any other.
    """

    def __init__(self, viewer: napari.Viewer, controls: Controls, single: bool = False) -> None:
        super().__init__()
        # napari hands plugins a proxy at times, whose layers are new objects at every look: they
        # are neither the same as each other nor kept by a weak reference.
        self.viewer = getattr(viewer, "__wrapped__", viewer)
        self.source = SourceWidget(self.viewer, follows_steps=single)
        self.controls = controls
        makes = "layer" if single else "step"
        self.runner = Runner(self.controls, self, makes, self.source.holding)
        self.meter = NoiseMeter(self.viewer, self.source)
        self.warming = KernelWarming(self)
        self._area = QScrollArea()
        self.runner.failed.connect(self._show_error)

    def lay_out(self, scrolled: list[QWidget], fixed: list[QWidget]) -> None:
        """Put the source and some widgets into a part that scrolls, and others beneath it."""
        form = QWidget()
        rows = QVBoxLayout(form)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(2)
        for widget in (self.source, self.meter, *scrolled):
            rows.addWidget(widget)
        rows.addStretch(1)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidget(form)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(4)
        layout.addWidget(self._area, 1)
        for widget in fixed:
            layout.addWidget(widget)
        self.setMinimumWidth(330)

    def cancel(self) -> None:
        """Stop the run and keep what was made."""
        self.runner.cancel()

    def run_source(self) -> RunSource:
        """Return the source; `RunError` says what is wrong, or that a run is in progress."""
        self.check_idle()
        self.controls.say("")
        try:
            return self.source.value()
        except ValueError as error:
            raise RunError("source", str(error)) from None

    def check_idle(self) -> None:
        """Raise `RunError` while a run is in progress."""
        if self.runner.is_running:
            raise RunError("run", "A run is in progress: wait for it or cancel it.")

    def start_measuring(self, job: Job) -> None:
        """Measure the noise as the dock's meter says."""
        way = self.meter.value()
        self.source.say(None)
        self.meter.show_model(None)
        self.runner.start(measuring_work(job, way), title=job.source_name)

    def warm(self, job: Job) -> None:
        """Have the kernels of a run that the form shows compiled ahead."""
        if not job.lazy:
            self.warming.follow(job.recipe, dtype=job.data.dtype, **job.options)

    @contextlib.contextmanager
    def showing_errors(self) -> Iterator[None]:
        """Show errors of a run instead of raising them."""
        try:
            yield
        except RunError as refused:
            self._show_error(refused)

    def show_error(self, refused: RunError) -> None:
        """Show an error next to its cause; docks with more parts extend this."""
        if refused.part in ("source", "holes"):
            self.source.say(str(refused), holes=refused.part == "holes")
            self._area.ensureWidgetVisible(self.source)
        elif refused.part == "meter":
            self.meter.say(str(refused))
            self._area.ensureWidgetVisible(self.meter)
        else:
            self.controls.say(str(refused), bad=True)

    def _show_error(self, refused: RunError) -> None:
        self.show_error(refused)
        notify("error", str(refused))

    def let_go(self, closed: bool) -> None:
        """Stop computing: the dock is closed, or else the whole window."""
        del closed
        self.runner.drop()
        self.warming.stop()

    def event(self, event: QEvent | None) -> bool:
        """Stop the run when the dock is closed, which takes it out of the window."""
        if event is not None and event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.let_go(closed=True)
        return bool(super().event(event))

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802
        """Stop the run when the window is closed; a dock that is only hidden goes on."""
        window = self.window()
        if window is None or not window.isVisible():
            self.let_go(closed=False)
        super().hideEvent(event)


def notify(severity: str, sentence: str) -> None:
    """Say something in one of napari's notifications: an "error", a "warning" or an "info"."""
    from napari.utils import notifications

    getattr(notifications, f"show_{severity}")(sentence)
