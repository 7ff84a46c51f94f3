"""The runs of a parameter sweep as one image, and the viewer as it was when it goes."""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from napari_diffusion.widgets.layers.layer_locks import unlocked
from napari_diffusion.widgets.layers.source_layers import PREVIEW
from napari_diffusion.widgets.results.viewer_state import ViewerState

if TYPE_CHECKING:
    import napari
    from napari.layers import Image, Points
    from napari.utils.events import Event
    from numpy.typing import NDArray

    from napari_diffusion.analysis.parameter_sweep import SweepRun
    from napari_diffusion.widgets.layers.layer_style import LayerStyle

# The gap between two tiles, as a part of the smaller side of a tile, and at least in pixels.
_GAP, _LEAST = 0.06, 6

_TEXT, _SIZE = "#ffd23f", 8

# Distance of the labels left of a row, in tiles.
_LEFT = 0.75


@dataclass(frozen=True)
class Tiling:
    """Where tiles lie in a mosaic.

    Attributes
    ----------
    shape : tuple of int
        Shape of one tile: that of its array.
    rows, columns : int
        How many tiles there are.
    plane : tuple of int
        The axes of the array that tiles are laid out along: rows along the first.
    """

    shape: tuple[int, ...]
    rows: int
    columns: int
    plane: tuple[int, int]

    @property
    def sides(self) -> tuple[int, int]:
        """Height and width of a tile."""
        return self.shape[self.plane[0]], self.shape[self.plane[1]]

    @property
    def gap(self) -> int:
        """Pixels between two tiles, and around all of them."""
        return max(round(_GAP * min(self.sides)), _LEAST)

    @property
    def mosaic_shape(self) -> tuple[int, ...]:
        """Shape of the array that holds all tiles."""
        sizes = list(self.shape)
        for axis, count in zip(self.plane, (self.rows, self.columns), strict=True):
            sizes[axis] = count * (self.shape[axis] + self.gap) + self.gap
        return tuple(sizes)

    def at(self, row: float, column: float) -> tuple[float, float]:
        """Return the place in the mosaic of a place given in tiles."""
        height, width = self.sides
        return self.gap + row * (height + self.gap), self.gap + column * (width + self.gap)

    def corner(self, place: int) -> tuple[int, int]:
        """Return the first row and column of a tile."""
        first, second = self.at(*divmod(place, self.columns))
        return int(first), int(second)

    def place_at(self, first: float, second: float) -> int | None:
        """Return the tile at a place in the mosaic, None between two."""
        for place in range(self.rows * self.columns):
            corner = self.corner(place)
            inside = zip((first, second), corner, self.sides, strict=True)
            if all(begin - 0.5 <= at < begin + side - 0.5 for at, begin, side in inside):
                return place
        return None


class SweepMosaic:
    """Shows tiles side by side in one layer, hides the others, and gives the viewer back.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers and camera.
    style : LayerStyle
        What a tile looks like; the first one lies at `start` of it.
    start : tuple of int
        Where the part that is tried begins, per axis of the layer.
    tiling : Tiling
        Where the tiles lie.
    """

    #: Another tile is selected.
    selected_changed = Signal()

    #: The user has removed the layer.
    removed = Signal()

    def __init__(
        self, viewer: napari.Viewer, style: LayerStyle, start: tuple[int, ...], tiling: Tiling
    ) -> None:
        self._viewer = viewer
        self._style = style
        self._start = start
        self._tiling = tiling
        self._made: list[SweepRun] = []
        self._selected: int | None = None
        self._data: NDArray[Any] | None = None
        self._layer: weakref.ref[Image] | None = None
        self._labels: weakref.ref[Points] | None = None
        self._before = ViewerState.of(viewer)
        self._before.hide_all()
        viewer.dims.ndisplay = 2
        viewer.mouse_drag_callbacks.append(self._clicked)
        viewer.layers.events.removed.connect(self._gone)

    # --- tiles ---

    def add(self, image: NDArray[Any], sweep_run: SweepRun) -> None:
        """Add the next tile."""
        if self._data is None:
            blank = np.nan if image.dtype.kind == "f" else 0
            self._data = np.full(self._tiling.mosaic_shape, blank, image.dtype)
        first, second = self._tiling.corner(len(self._made))
        height, width = self._tiling.sides
        tile = np.moveaxis(image, self._tiling.plane, (-2, -1))
        self._planes[..., first : first + height, second : second + width] = tile
        self._made.append(sweep_run)
        layer = self.layer
        if layer is not None:
            layer.refresh()
        elif self._layer is None:
            self._insert()

    def _insert(self) -> None:
        from napari.layers import Image

        plane = self._tiling.plane
        start = tuple(
            first - self._tiling.gap * (axis in plane) for axis, first in enumerate(self._start)
        )
        layer = Image(
            self._data, name="parameter sweep", metadata={PREVIEW: True},
            **self._style.moved(start).arguments(),
        )  # fmt: skip
        self._layer = weakref.ref(layer)
        self._viewer.layers.append(layer)
        self._viewer.reset_view()

    @property
    def layer(self) -> Image | None:
        """The layer that holds the tiles, None before the first one and after it was removed."""
        layer = None if self._layer is None else self._layer()
        return layer if layer is not None and layer in self._viewer.layers else None

    @property
    def _planes(self) -> NDArray[Any]:
        """The mosaic, its rows and columns last; a view."""
        assert self._data is not None
        return np.moveaxis(self._data, self._tiling.plane, (-2, -1))

    # --- labels ---

    def label(self, best: SweepRun | None) -> None:
        """Write the parameters beside the tiles and what was measured on them."""
        from napari.layers import Points

        layer = self.layer
        if layer is None:
            return
        words = words_of(self._made, best, self._tiling.columns)
        shown, ends = list(self._tiling.plane), np.zeros((len(words), layer.ndim))
        ends[:, shown] = [self._tiling.at(row, column) for row, column, _ in words]
        text = {"string": [each for *_, each in words], "size": _SIZE, "color": _TEXT}
        points = Points(
            np.array([layer.data_to_world(end) for end in ends])[:, shown],
            name="parameter sweep · values",
            size=0.01,
            face_color="transparent",
            border_color="transparent",
            text={**text, "anchor": "upper_left"},
            units=[layer.units[axis] for axis in shown],
            axis_labels=[layer.axis_labels[axis] for axis in shown],
            metadata={PREVIEW: True},
        )
        self._labels = weakref.ref(points)
        self._viewer.layers.append(points)
        self._viewer.reset_view()
        self._viewer.layers.selection.active = layer

    # --- selection ---

    @property
    def selected(self) -> SweepRun | None:
        """The run whose tile is selected."""
        return None if self._selected is None else self._made[self._selected]

    @selected.setter
    def selected(self, sweep_run: SweepRun) -> None:
        self._select(self._made.index(sweep_run))

    def _select(self, place: int) -> None:
        for each, on in ((self._selected, False), (place, True)):
            if each is not None:
                self._frame(each, on)
        self._selected = place
        layer = self.layer
        if layer is not None:
            layer.refresh()
        self.selected_changed.emit()

    def _frame(self, place: int, on: bool) -> None:
        """Draw a dashed frame around a tile, seen on dark and on light; or take it away."""
        wide = max(self._tiling.gap // 3, 2)
        (first, second), (height, width) = self._tiling.corner(place), self._tiling.sides
        part = self._planes[
            ..., first - wide : first + height + wide, second - wide : second + width + wide
        ]
        around = np.ones(part.shape[-2:], bool)
        around[wide:-wide, wide:-wide] = False
        rows, columns = np.nonzero(around)
        kind = part.dtype.kind
        low, high = self._style.shown.get("contrast_limits", (0, 255 if kind == "u" else 1))
        blank = np.nan if kind == "f" else 0
        dashes = np.where((rows + columns) // (3 * wide) % 2, high, low)
        part[..., around] = dashes if on else blank
        if self._style.shown.get("rgb") and part.shape[0] == 4:
            part[3, around] = (255 if kind == "u" else 1) if on else 0

    def _clicked(self, viewer: napari.Viewer, event: Event) -> None:
        """Select the tile that was clicked; whatever else a click does, it does."""
        del viewer
        layer = self.layer
        if layer is None:
            return
        at = layer.world_to_data(event.position[-layer.ndim :])
        place = self._tiling.place_at(*(float(at[axis]) for axis in self._tiling.plane))
        if place is not None and place < len(self._made):
            self._select(place)

    # --- the end ---

    def _gone(self, event: Event) -> None:
        if self._layer is not None and event.value is self._layer():
            self.removed.emit()

    def close(self) -> None:
        """Remove the mosaic; what was shown is shown again, from where it was seen."""
        layers = self._viewer.layers
        layers.events.removed.disconnect(self._gone)
        if self._clicked in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._clicked)
        made = (ref() for ref in (self._labels, self._layer) if ref is not None)
        for layer in unlocked(each for each in made if each is not None):
            if layer in layers:
                layers.remove(layer)
        self._before.restore()


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
