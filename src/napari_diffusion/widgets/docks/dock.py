"""What all docks have in common: their place, their looks, one message, and an end."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from napari_diffusion.core.function_parameter import CodeRefused
from napari_diffusion.widgets.docks.dock_events import DockEvents
from napari_diffusion.widgets.docks.dock_tabs import join_tabs
from napari_diffusion.widgets.forms.box import Box
from napari_diffusion.widgets.forms.theme import style_sheet
from napari_diffusion.widgets.layers.unwrapped import unwrapped
from napari_diffusion.widgets.plots.plot_theme import show_theme
from napari_diffusion.widgets.run.run_request import RunError
from napari_diffusion.widgets.run.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    import napari
    from magicgui.widgets.bases import Widget
    from napari.utils.events import EventEmitter
    from qtpy.QtWidgets import QScrollArea

    from napari_diffusion.widgets.run.run_controls import RunControls

# The narrowest that a dock can be dragged to, in pixels.
_NARROWEST = 330


class Dock(Box):
    """A form that scrolls, and the controls of a run beneath it.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that the dock belongs to.
    controls : RunControls
        The buttons, the progress and the message.
    makes : str
        What the layers are called that a run makes.
    around : callable
        Returns a context to add layers in.
    """

    def __init__(
        self,
        viewer: napari.Viewer,
        controls: RunControls,
        makes: str = "step",
        around: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        super().__init__()
        self.viewer = unwrapped(viewer)
        self.controls = controls
        self.runner = Runner(controls, self.native, makes, around)
        self.runner.failed.connect(self._show_failure)
        self.native.setMinimumWidth(_NARROWEST)
        self._events = DockEvents(self.native)
        self._events.docked.connect(lambda: join_tabs(self.native))
        self._events.left.connect(self.let_go)
        self.viewer.events.theme.connect(self.show_theme)
        for event in self._lists():
            event.connect(self._relist)
        self.show_theme()

    def lay_out(self, scrolled: list[Widget], fixed: list[Widget]) -> QScrollArea:
        """Put some widgets into a part that scrolls, and others beneath it."""
        self._form = Box(*scrolled)
        self._form.add_stretch()
        self.margins = (6, 4, 6, 4)
        self.extend(fixed)
        area = self.add_scrolled(self._form)
        self.show_theme()
        return area

    def show_theme(self) -> None:
        """Follow the theme of the viewer."""
        self.native.setStyleSheet(style_sheet(self.viewer.theme))
        show_theme(self.native, self.viewer.theme)

    def reset_choices(self, *_: object) -> None:
        """Have layers listed anew."""
        super().reset_choices()
        if hasattr(self, "_form"):
            self._form.reset_choices()

    def _lists(self) -> list[EventEmitter]:
        layers = self.viewer.layers.events
        return [layers.inserted, layers.removed, layers.reordered, layers.renamed]

    def _relist(self) -> None:
        """Have layers listed anew where napari, which does so for docks, does not know this one."""
        if self.native.parent() is None:
            self.reset_choices()

    def cancel(self) -> None:
        """Stop the run and keep what was made."""
        self.runner.cancel()

    def check_idle(self) -> None:
        """Raise `RunError` while a run is in progress."""
        if self.runner.is_running:
            raise RunError("run", "A run is in progress: wait for it or cancel it.")

    @contextlib.contextmanager
    def showing_errors(self) -> Iterator[None]:
        """Show errors of a run instead of raising them."""
        try:
            yield
        except RunError as error:
            self._show_failure(error)
        except CodeRefused as error:
            self._show_failure(RunError("recipe", str(error)))

    def show_error(self, error: RunError) -> None:
        """Show an error; docks extend this where they can mark its cause or offer a cure."""
        self.controls.say(str(error), bad=True)

    def _show_failure(self, error: RunError) -> None:
        self.show_error(error)
        notify("error", str(error))

    def let_go(self, closed: bool) -> None:
        """Stop computing: the dock is closed, or else the whole window."""
        self.runner.drop()
        if closed:
            self.viewer.events.theme.disconnect(self.show_theme)
            for event in self._lists():
                event.disconnect(self._relist)


def notify(severity: str, sentence: str) -> None:
    """Say something in one of napari's notifications: an "error", a "warning" or an "info"."""
    from napari.utils import notifications

    getattr(notifications, f"show_{severity}")(sentence)
