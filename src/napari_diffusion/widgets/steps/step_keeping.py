"""Keeps one step of a run and removes the others, until the next run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.widgets.layers.layer_locks import say_locked, show_alone, unlocked
from napari_diffusion.widgets.layers.step_records import records_of
from napari_diffusion.widgets.layers.thumbnails import draw_thumbnails

if TYPE_CHECKING:
    import napari
    from napari.layers import Layer
    from napari.utils.events import Event

    from napari_diffusion.widgets.results.step_run import StepRun


class StepKeeper:
    """Removes layers of steps, and inserts them again where they were.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        self._dropped: list[tuple[int, Layer]] = []
        self._busy = False
        viewer.layers.events.inserted.connect(self._inserted)

    def close(self) -> None:
        """Let the removed layers go."""
        self._viewer.layers.events.inserted.disconnect(self._inserted)
        self._dropped = []

    def can_undo(self) -> bool:
        """Say whether anything can be brought back."""
        return bool(self._dropped)

    def keep(self, run: StepRun) -> bool:
        """Remove all layers of a run but the one that is shown, and those that are locked.

        Returns whether there were any to remove.
        """
        here = run.step.layer
        there = [layer for layer in run.layers() if layer is not here]
        others = unlocked(there)
        say_locked(len(there) - len(others))
        if not others:
            return False
        places = [(self._viewer.layers.index(layer), layer) for layer in others]
        self._dropped = sorted(places, key=lambda each: each[0])
        with self._viewer.layers.batched_update():
            for _, layer in self._dropped:
                self._viewer.layers.remove(layer)
        show_alone(here, [])
        self._viewer.layers.selection.active = here
        return True

    def bring_back(self) -> None:
        """Insert what `keep` removed."""
        dropped, self._dropped = self._dropped, []
        self._busy = True
        try:
            with self._viewer.layers.batched_update():
                for place, layer in dropped:
                    layer.visible = False
                    self._viewer.layers.insert(min(place, len(self._viewer.layers)), layer)
            draw_thumbnails([layer for _, layer in dropped], self._viewer.dims)
        finally:
            self._busy = False

    def _inserted(self, event: Event) -> None:
        """Let the removed layers go when the next run begins: they take memory."""
        if not self._busy and records_of(getattr(event, "value", None)):
            self._dropped = []
