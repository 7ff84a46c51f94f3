"""How each layer is to be read, as the user has answered: asked once, known to all docks."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from psygnal import Signal

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_diffusion.widgets.forms.number_text import Value


class LayerReadings:
    """What was typed for layers, for as long as they live."""

    #: The layer that is read in another way now.
    changed = Signal(object)

    def __init__(self) -> None:
        self._typed: weakref.WeakKeyDictionary[Image, dict[str, Value]]
        self._typed = weakref.WeakKeyDictionary()

    def typed(self, layer: Image) -> dict[str, Value]:
        """Return what was typed for a layer, by the names of a reading's fields."""
        return dict(self._typed.get(layer, {}))

    def keep(self, layer: Image, typed: dict[str, Value]) -> None:
        """Keep what was typed for a layer, in place of what was before."""
        if typed != self._typed.get(layer, {}):
            self._typed[layer] = dict(typed)
            self.changed.emit(layer)


#: Of this process: a layer that is in the docks of two viewers is read in one way.
READINGS = LayerReadings()
