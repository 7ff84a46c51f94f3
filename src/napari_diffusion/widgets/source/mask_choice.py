"""Which layer is the mask."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from napari_diffusion.widgets.forms.layer_choice import LayerChoice
from napari_diffusion.widgets.layers.mask import can_be_mask, mask_of, misfit

if TYPE_CHECKING:
    import napari
    from napari.layers import Image, Layer

    from napari_diffusion.widgets.layers.mask import Mask

_ABOUT = (
    "Where the image may change: nothing flows across the border, and pixels outside "
    "stay unchanged. Where something was measured of the image: the pixels to be restored."
)
_KINDS = (
    "A Labels layer (all but 0), a Shapes layer (its areas apply to all planes and "
    "frames) or a binary image."
)


class MaskChoice(LayerChoice):
    """A view of the mask of a source: none, or one of the layers that fit it.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers are offered.
    label : str
        What the row is called.
    about : str
        What the layer is taken for.
    """

    def __init__(self, viewer: napari.Viewer, label: str = "mask", about: str = _ABOUT) -> None:
        from napari.layers import Layer

        self._viewer = viewer
        self._source: weakref.ref[Image] | None = None
        self._letters = ""
        self._chosen: weakref.WeakKeyDictionary[Image, weakref.ref[Layer]]
        self._chosen = weakref.WeakKeyDictionary()
        super().__init__(label, f"{about} {_KINDS}", Layer, self.offers, "none", viewer)
        self.changed.connect(self._keep)

    def set_source(self, source: Image | None, letters: str) -> None:
        """Offer what fits a source; the mask that was chosen for it before comes back."""
        self._source = None if source is None else weakref.ref(source)
        self._letters = letters
        known = None if source is None else self._chosen.get(source)
        layer = None if known is None else known()
        with self.changed.blocked():
            self.reset_choices()
            self.combo.value = layer if layer in self.combo.choices else None

    def set_named(self, name: str) -> bool:
        """Choose the layer of a name where it fits the source, and say whether it does."""
        for layer in self._viewer.layers:
            if layer.name == name and self.offers(layer):
                self.value = layer
                return True
        return False

    def offers(self, layer: Layer) -> bool:
        """Say whether a layer can be the mask of the source."""
        source = None if self._source is None else self._source()
        if source is None or not can_be_mask(layer, source):
            return False
        return not misfit(layer, source, self._letters)

    def mask(self) -> Mask | None:
        """Return the mask as it is now; ValueError says why the layer cannot be one."""
        source = None if self._source is None else self._source()
        layer = self.value
        return None if source is None or layer is None else mask_of(layer, source, self._letters)

    def _keep(self) -> None:
        source = None if self._source is None else self._source()
        if source is None:
            return
        self._chosen.pop(source, None)
        if self.value is not None:
            self._chosen[source] = weakref.ref(self.value)
