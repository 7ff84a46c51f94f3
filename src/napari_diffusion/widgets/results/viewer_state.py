"""What is seen in a viewer, and from where, to be restored later."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_diffusion.widgets.layers.layer_locks import hide, unlocked

if TYPE_CHECKING:
    from typing import Self

    import napari
    from napari.layers import Layer


@dataclass(frozen=True, eq=False)
class ViewerState:
    """The visible and the selected layers, the camera and the sliders of a viewer.

    Attributes
    ----------
    viewer : napari.Viewer
        Whose.
    visible, selected : list of weak references
        Layers, which are not kept from being deleted.
    active : weak reference or None
        The active layer.
    camera : tuple
        Its center, zoom and angles.
    point : tuple of float
        Where the sliders stand.
    ndisplay : int
        How many axes are displayed.
    """

    viewer: napari.Viewer
    visible: list[weakref.ref[Layer]]
    selected: list[weakref.ref[Layer]]
    active: weakref.ref[Layer] | None
    camera: tuple[tuple[float, ...], float, tuple[float, ...]]
    point: tuple[float, ...]
    ndisplay: int

    @classmethod
    def of(cls, viewer: napari.Viewer) -> Self:
        """Read a viewer."""
        camera, selection = viewer.scene.camera, viewer.layers.selection
        return cls(
            viewer=viewer,
            visible=[weakref.ref(layer) for layer in viewer.layers if layer.visible],
            selected=[weakref.ref(layer) for layer in selection],
            active=None if selection.active is None else weakref.ref(selection.active),
            camera=(tuple(camera.center), float(camera.zoom), tuple(camera.angles)),
            point=tuple(viewer.dims.point),
            ndisplay=int(viewer.dims.ndisplay),
        )

    def hide_all(self) -> None:
        """Hide all layers but the locked ones."""
        hide(list(self.viewer.layers))

    def restore(self) -> None:
        """Show what was shown, from where it was seen; layers that are gone are left out."""
        layers, dims = self.viewer.layers, self.viewer.dims
        there = [layer for ref in self.visible if (layer := ref()) is not None and layer in layers]
        for layer in unlocked(there):
            layer.visible = True
        dims.ndisplay = self.ndisplay
        if len(self.point) == dims.ndim:
            dims.set_point(range(dims.ndim), self.point)
        camera = self.viewer.scene.camera
        camera.center, camera.zoom, camera.angles = self.camera
        chosen = (ref() for ref in self.selected)
        layers.selection = {each for each in chosen if each is not None and each in layers}
        active = None if self.active is None else self.active()
        if active is not None and active in layers:
            layers.selection.active = active
