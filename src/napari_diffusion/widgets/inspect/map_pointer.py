"""A click in the image, as the value of the map that is looked at."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.widgets.layers.layer_values import values

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import napari

    from napari_diffusion.forensics import TraceMap
    from napari_diffusion.widgets.inspect.reading_layers import ReadingLayers

    Pointed = Callable[[int, TraceMap, float | None], None]


class MapPointer:
    """Hears of clicks in a viewer until it is closed.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the clicks are.
    layers : ReadingLayers
        Knows the maps.
    pointed : callable
        ``pointed(place, map, value)`` gets the place of the trace in the list, its map and the
        value there, None beside the map.
    """

    def __init__(self, viewer: napari.Viewer, layers: ReadingLayers, pointed: Pointed) -> None:
        self._viewer = viewer
        self._layers = layers
        self._pointed = pointed
        self.place = -1
        viewer.mouse_drag_callbacks.append(self._clicked)
        viewer.layers.selection.events.active.connect(self._selected)

    def close(self) -> None:
        """Hear of clicks no more."""
        with contextlib.suppress(ValueError):
            self._viewer.mouse_drag_callbacks.remove(self._clicked)
        self._viewer.layers.selection.events.active.disconnect(self._selected)

    def _clicked(self, viewer: Any, event: Any) -> Generator[None, None, None]:
        """Wait for the button to come up: what is dragged is no click."""
        del viewer
        dragged = False
        yield
        while event.type == "mouse_move":
            dragged = True
            yield
        if not dragged:
            self.point(event.position)

    def point(self, position: tuple[float, ...]) -> None:
        """Hand on the value of the map at a place of the world."""
        shown = self._layers.map_of(self.place)
        layer = None if shown is None else shown.layer()
        if shown is None or layer is None:
            return
        at = np.rint(layer.world_to_data(position)[-layer.ndim :]).astype(int)
        data = values(layer)
        inside = all(0 <= i < n for i, n in zip(at, data.shape, strict=True))
        self._pointed(shown.place, shown.shown, float(data[tuple(at)]) if inside else None)

    def _selected(self, event: object = None) -> None:
        """Turn to the map that was selected in the list of layers."""
        del event
        active = self._viewer.layers.selection.active
        for each in self._layers.maps:
            if active is not None and each.layer() is active:
                self._pointed(each.place, each.shown, None)
