"""Another image over a step or next to it, in a temporary layer of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.widgets.layers.layer_locks import is_locked, say_locked

if TYPE_CHECKING:
    import napari
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_diffusion.widgets.results.chosen_step import ChosenStep
    from napari_diffusion.widgets.results.step_run import StepRun

KEY = "napari_diffusion_side_by_side"

Angles = tuple[float, float, float]

# Between two images side by side, as a part of their width.
_GAP = 0.04


class SideBySide:
    """Shows another image as the step looks, without changing any other layer.

    Parameters
    ----------
    viewer : napari.Viewer
        Where to.
    left : bool
        Whether it is shown to the left of the step; else over it.
    """

    def __init__(self, viewer: napari.Viewer, left: bool) -> None:
        self._viewer = viewer
        self._left = left
        self.layer: Image | None = None
        self._camera: tuple[Angles, float, Angles] | None = None

    def is_there(self) -> bool:
        """Say whether the layer is there: the user may have removed it."""
        return self.layer is not None and self.layer in self._viewer.layers

    def turn(self) -> bool:
        """Show the layer if it is hidden, hide it if it is shown; say whether it may be."""
        if not self.is_there() or self.layer is None or is_locked(self.layer):
            return False
        self.layer.visible = not self.layer.visible
        return True

    def show(self, run: StepRun, data: NDArray[Any], name: str) -> None:
        """Show an image that is as large as the step of a run that is shown."""
        step = run.step
        layer = self.layer
        if layer is not None and self.is_there() and _fits(layer, step, data):
            if layer.data is data:
                return
            if not is_locked(layer):
                layer.data, layer.name = data, name
                return
        self.close(look_back=False)
        self.layer = _layer(self._viewer, step, data, name, self._left)
        active = self._viewer.layers.selection.active
        # Above all steps, so that it needs not move when another one is shown.
        place = max(self._viewer.layers.index(layer) for layer in run.layers())
        self._viewer.layers.insert(place + 1, self.layer)
        self._viewer.layers.selection.active = active
        if self._left and self._camera is None:
            camera = self._viewer.scene.camera
            self._camera = tuple(camera.center), float(camera.zoom), tuple(camera.angles)
            self._viewer.reset_view()
            camera.angles = self._camera[2]

    def close(self, look_back: bool = True) -> None:
        """Remove the layer, and look where one looked before."""
        layer, self.layer = self.layer, None
        if layer is not None and layer in self._viewer.layers:
            if is_locked(layer):
                say_locked(1)
            else:
                self._viewer.layers.remove(layer)
        if look_back and self._camera is not None:
            camera = self._viewer.scene.camera
            camera.center, camera.zoom, camera.angles = self._camera
            self._camera = None


def _fits(layer: Image, step: ChosenStep, data: NDArray[Any]) -> bool:
    same = layer.data.shape == data.shape and layer.rgb == step.layer.rgb
    return same and np.allclose(layer.scale, step.layer.scale[-layer.ndim :])


def _width(viewer: napari.Viewer, step: ChosenStep) -> float:
    """Return the world length of a step along the axis that runs to the right."""
    axis = viewer.dims.displayed[-1] - viewer.dims.ndim
    low, high = step.layer.extent.world[:, axis]
    pixel = float(np.abs(step.layer.scale[axis]))
    return float(high - low) + pixel


def _layer(
    viewer: napari.Viewer, step: ChosenStep, data: NDArray[Any], name: str, left: bool
) -> Image:
    from napari.layers import Image

    arguments = step.style.arguments()
    # Over what lies beneath, whatever the step itself does.
    arguments |= {"blending": "opaque", "opacity": 1.0}
    if left:
        matrix = np.array(arguments["affine"], float)
        axis = viewer.dims.displayed[-1] - viewer.dims.ndim
        matrix[axis - 1, -1] -= _width(viewer, step) * (1 + _GAP)
        arguments["affine"] = matrix
    return Image(data, name=name, metadata={KEY: True}, **arguments)
