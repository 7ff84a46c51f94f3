"""The runs of a parameter sweep as layers side by side, and the viewer as it was when they go."""

from __future__ import annotations

import math
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.widgets.layers.layer_locks import hide, say_locked, unlocked
from napari_diffusion.widgets.layers.source_layers import PREVIEW

if TYPE_CHECKING:
    import napari
    from napari.layers import Image
    from napari.utils.events import Event
    from numpy.typing import NDArray

    from napari_diffusion.analysis.parameter_sweep import SweepRun
    from napari_diffusion.widgets.layers.layer_style import LayerStyle

# The gap between two tiles, as a part of a tile.
_GAP = 0.06

_TEXT, _SIZE = "#ffd23f", 8

# Distance of the labels left of a row, in tiles.
_LEFT = 0.75


class SweepTiles:
    """Puts layers side by side, hides the others, and gives the viewer back as it was.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers and camera.
    style : LayerStyle
        Place and looks of the part of the source that is tried.
    columns : int
        How many tiles stand side by side.
    plane : tuple of int
        The axes of a layer that tiles are laid out along: rows along the first.
    """

    def __init__(
        self, viewer: napari.Viewer, style: LayerStyle, columns: int, plane: tuple[int, int]
    ) -> None:
        self._viewer = viewer
        self._style = style
        self.columns = columns
        self._plane = plane
        self._tiles: dict[int, tuple[weakref.ref[Image], SweepRun]] = {}
        self._words: Any = None
        self._size = (1.0, 1.0)
        camera = viewer.scene.camera
        self._before = (camera.center, camera.zoom, camera.angles, viewer.dims.ndisplay)
        self._active = weakref.ref(active) if (active := viewer.layers.selection.active) else None
        visible = [layer for layer in viewer.layers if layer.visible]
        say_locked(len(hide(visible)), "left visible")
        self._hidden = [weakref.ref(layer) for layer in visible if not layer.visible]
        viewer.dims.ndisplay = 2
        viewer.mouse_drag_callbacks.append(self._clicked)

    def add(self, image: NDArray[Any], sweep_run: SweepRun) -> None:
        """Add the tile of the next tile."""
        from napari.layers import Image

        place = len(self._tiles)
        self._size = tuple((1 + _GAP) * image.shape[axis] for axis in self._plane)
        arguments = self._style.arguments()
        arguments["translate"] = arguments["translate"] + self._offset(place)
        name = f"parameter sweep · {sweep_run.in_words()}"
        layer = Image(image, name=name, metadata={PREVIEW: sweep_run},
                      **arguments)  # fmt: skip
        self._tiles[place] = (weakref.ref(layer), sweep_run)
        self._viewer.layers.append(layer)
        if place == 0 or place % self.columns == self.columns - 1:
            self._viewer.reset_view()

    def _offset(self, place: int) -> NDArray[Any]:
        offset = np.zeros(len(self._style.placed["scale"]))
        for axis, number, size in zip(
            self._plane, divmod(place, self.columns), self._size, strict=True
        ):
            offset[axis] = number * size * self._style.placed["scale"][axis]
        return offset

    def label(self, words: list[tuple[float, float, str]]) -> None:
        """Write labels at places given in rows and columns of tiles."""
        from napari.layers import Points

        placed, size = self._style.placed, np.array(self._size)
        shown = list(self._plane)
        corner = np.asarray(placed["translate"])[shown]
        lengths = np.asarray(placed["scale"])[shown]
        self._words = Points(
            np.array([corner + np.array(place) * size * lengths for *place, _ in words]),
            name="parameter sweep · values",
            size=0.01,
            face_color="transparent",
            border_color="transparent",
            text={
                "string": [each for *_, each in words],
                "size": _SIZE,
                "color": _TEXT,
                "anchor": "upper_left",
            },
            units=[placed["units"][axis] for axis in shown],
            axis_labels=[placed["axis_labels"][axis] for axis in shown],
        )
        self._viewer.layers.append(self._words)
        self._viewer.reset_view()

    def select(self, sweep_run: SweepRun) -> None:
        """Select the tile of a run."""
        for ref, each in self._tiles.values():
            if each is sweep_run and (layer := ref()) is not None:
                self._viewer.layers.selection.active = layer

    def _clicked(self, viewer: napari.Viewer, event: Event) -> None:
        """Select the tile that was clicked; whatever else a click does, it does."""
        del viewer
        for ref, sweep_run in self._tiles.values():
            layer = ref()
            if layer is None:
                continue
            place = layer.world_to_data(event.position[-layer.ndim :])
            if all(-0.5 <= place[axis] < layer.data.shape[axis] - 0.5 for axis in self._plane):
                self.select(sweep_run)

    def selected(self) -> SweepRun | None:
        """Return the run whose tile is selected."""
        active = self._viewer.layers.selection.active
        return next((sweep_run for ref, sweep_run in self._tiles.values() if ref() is active), None)

    def close(self) -> None:
        """Remove the tiles; what was shown is shown again, from where it was seen."""
        layers = self._viewer.layers
        if self._clicked in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._clicked)
        shown = [layer for ref, _ in self._tiles.values() if (layer := ref()) is not None]
        for layer in unlocked([*shown, *([self._words] if self._words is not None else [])]):
            if layer in layers:
                layers.remove(layer)
        self._tiles.clear()
        for hidden in (ref() for ref in self._hidden):
            if hidden is not None and hidden in layers:
                hidden.visible = True
        center, zoom, angles, ndisplay = self._before
        self._viewer.dims.ndisplay = ndisplay
        camera = self._viewer.scene.camera
        camera.center, camera.zoom, camera.angles = center, zoom, angles
        active = self._active() if self._active else None
        if active is not None and active in layers:
            layers.selection.active = active


def words_of(
    sweep_runs: list[SweepRun], best: SweepRun | None, columns: int
) -> list[tuple[float, float, str]]:
    """Return places in rows and columns of tiles, and labels: parameters outside, values within."""
    names = list(sweep_runs[0].parameters)
    found = [(0.0, -_LEFT, best.metric.display_name)] if best else []
    for place, sweep_run in enumerate(sweep_runs):
        row, column = divmod(place, columns)
        numbers = [f"{name}\n{number:.3g}" for name, number in sweep_run.parameters.items()]
        if column == 0 and names[1:]:
            found.append((row + 0.7, -_LEFT, numbers[0]))
        if row == 0:
            found.append((0.0, float(column), numbers[-1]))
        if math.isfinite(sweep_run.value) and not sweep_run.why:
            value = (
                f"best\n{sweep_run.value:.3g}" if sweep_run is best else f"{sweep_run.value:.3g}"
            )
            found.append((row + 0.92, float(column), value))
    return found
