"""Which Labels or Shapes a measure is taken within."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer

from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.widgets.forms.layer_choice import LayerChoice
from napari_diffusion.widgets.layers.mask import mask_of

if TYPE_CHECKING:
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_diffusion.widgets.results.step_run import StepRun

WHOLE = "all of the image"

# After the last stroke of a brush it is measured again, in milliseconds.
_SOON = 400


class RegionChoice(LayerChoice):
    """A row that chooses Labels or Shapes; what is drawn in them later is noticed."""

    def __init__(self) -> None:
        from napari.layers import Layer

        self._known: ArrayParameter | None = None
        self._watched: Layer | None = None
        super().__init__("region", "A Labels or Shapes layer.", Layer, _fits, WHOLE)
        self._soon = QTimer(self.native)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON)
        self._soon.timeout.connect(lambda: self.changed.emit(self))
        self.combo.changed.connect(self._forget, priority=1)

    def drawn_labels(self, run: StepRun | None) -> ArrayParameter | None:
        """Return the region as labels, None for all; ValueError says why it cannot be one."""
        layer = self.value
        if layer is None or run is None:
            return None
        self._watch(layer)
        if self._known is None:
            self._known = ArrayParameter(_labels(layer, run))
        return self._known

    @property
    def name_marked(self) -> str:
        """The name of the region, and a mark of what is drawn in it."""
        mark = "" if self._known is None else f" #{self._known.sha256[:4]}"
        return f"{self.combo.current_choice}{mark}"

    def _watch(self, layer: Layer) -> None:
        if layer is self._watched:
            return
        if self._watched is not None:
            self._watched.events.set_data.disconnect(self._drawn)
        layer.events.set_data.connect(self._drawn)
        self._watched, self._known = layer, None

    def _drawn(self) -> None:
        self._known = None
        self._soon.start()

    def _forget(self) -> None:
        self._known = None


def _fits(layer: Layer) -> bool:
    from napari.layers import Labels, Shapes

    return isinstance(layer, Labels | Shapes)


def _labels(layer: Layer, run: StepRun) -> NDArray[Any]:
    from napari.layers import Labels

    if isinstance(layer, Labels):
        return np.asarray(layer.data)
    if run.source is None:
        raise ValueError("The source layer was removed, and shapes need it: open it again.")
    return mask_of(layer, run.source, run.letters).draw().astype(np.uint8)
