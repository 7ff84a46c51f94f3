"""One button for each contrast view: a click adds the view, the next one takes it away."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from magicgui.widgets import PushButton

from napari_diffusion.widgets.forms.box import Box, labelled
from napari_diffusion.widgets.inspect.contrast_views import (
    VIEWS,
    show_view,
    view_layer,
    view_of,
    view_work,
)
from napari_diffusion.widgets.layers.layer_locks import is_locked
from napari_diffusion.widgets.run.background import Background

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari
    import numpy as np
    from numpy.typing import NDArray
    from qtpy.QtCore import QObject

    from napari_diffusion.widgets.inspect.contrast_views import ContrastView
    from napari_diffusion.widgets.inspect.inspected import Inspected
    from napari_diffusion.widgets.source.source_form import SourceForm

_ABOUT = "See more of the image, as a new layer. Traces are read from the image itself."


class ViewButtons(Box):
    """A row of buttons that stay down as long as their view of the source is there.

    Parameters
    ----------
    viewer : napari.Viewer
        Where views go.
    source : SourceForm
        Whose image is seen.
    inspected : callable
        Returns what the form asks for; ValueError says what is wrong.
    say : callable
        ``say(sentence, bad)`` shows what is wrong.
    removed : callable
        Called after a view was taken away, to show again what was seen before.
    parent : QObject
        When it is destroyed, the work stops.
    """

    def __init__(
        self,
        viewer: napari.Viewer,
        source: SourceForm,
        inspected: Callable[[], Inspected],
        say: Callable[[str, bool], None],
        removed: Callable[[], None],
        parent: QObject,
    ) -> None:
        self._viewer, self._source, self._inspected = viewer, source, inspected
        self._say, self._removed = say, removed
        self.work = Background(say, self.show_possible, parent)
        self.buttons = [PushButton(text=each.name, tooltip=each.about) for each in VIEWS]
        super().__init__(labelled("view", *self.buttons, tooltip=_ABOUT))
        for button, view in zip(self.buttons, VIEWS, strict=True):
            button.native.setCheckable(True)
            # Not `changed`, which is emitted too when the button is shown as down.
            button.native.clicked.connect(partial(self._clicked, view))

    def show_possible(self) -> None:
        """Enable what can be seen, and show which views are there."""
        layer = self._source.layer()
        possible = self._source.problem is None and len(self._source.layers()) == 1
        for button, view in zip(self.buttons, VIEWS, strict=True):
            button.enabled = possible and not self.work.is_running
            there = None if layer is None else view_of(self._viewer, layer.name, view)
            button.native.setChecked(there is not None)

    def reset_choices(self, *args: Any) -> None:
        """Follow the list of layers."""
        super().reset_choices(*args)
        self.show_possible()

    def _clicked(self, view: ContrastView, *_: object) -> None:
        """Add a view, or take away the one that is there."""
        layer = self._source.layer()
        there = None if layer is None else view_of(self._viewer, layer.name, view)
        if there is None:
            self._add(view)
        elif is_locked(there):
            self._say(f"{there.name!r} is locked: unlock it in the list of layers first.", True)
        else:
            with self._source.holding():
                self._viewer.layers.remove(there)
                self._viewer.layers.selection.active = layer
            self._removed()
        self.show_possible()

    def _add(self, view: ContrastView) -> None:
        try:
            inspected = self._inspected()
        except ValueError as error:
            self._say(str(error), True)
            return

        def done(values: NDArray[np.uint8]) -> None:
            active = self._viewer.layers.selection.active
            with self._source.holding():
                show_view(self._viewer, inspected, view_layer(inspected, view, values), view)
                if active in self._viewer.layers:
                    self._viewer.layers.selection.active = active

        work = view_work(inspected, view)
        self.work.start(work, lambda _: None, done, f"{view.name} · {inspected.name}")
