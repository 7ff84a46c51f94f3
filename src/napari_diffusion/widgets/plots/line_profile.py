"""The values of an image layer along a line in the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import napari
    from napari.layers import Image
    from numpy.typing import NDArray

#: No line is sampled more finely: a dock is not wider.
MOST_SAMPLES = 2000


@dataclass(frozen=True, eq=False)
class Line:
    """A straight line in the world.

    Attributes
    ----------
    ends : ndarray
        (2, number of the viewer's axes): where it begins and ends.
    hidden : tuple of int
        The viewer's axes that are not shown, along which it stays in one plane of pixels.
    """

    ends: NDArray[np.float64]
    hidden: tuple[int, ...] = ()

    @property
    def length(self) -> float:
        """World length."""
        return float(np.linalg.norm(self.ends[1] - self.ends[0]))

    def samples(self, layer: Image) -> NDArray[np.float64]:
        """Return places in a layer's pixels along the line, one about every pixel."""
        first, last = (np.array(layer.world_to_data(end), float) for end in self.ends)
        for axis in self.hidden:
            own = axis - self.ends.shape[1] + layer.ndim
            if own >= 0:
                first[own] = last[own] = np.rint(first[own])
        count = int(np.ceil(np.abs(last - first).max())) + 1
        parts = np.linspace(0.0, 1.0, min(max(count, 2), MOST_SAMPLES))
        return np.asarray(first + parts[:, np.newaxis] * (last - first))


def across(viewer: napari.Viewer, layer: Image, upright: bool = False) -> Line:
    """Return the line through the middle of a layer, in the plane that is shown."""
    offset = viewer.dims.ndim - layer.ndim
    across_axis, along_axis = (axis - offset for axis in viewer.dims.displayed[-2:])
    if upright:
        across_axis, along_axis = along_axis, across_axis
    middle = np.array(layer.world_to_data(viewer.dims.point), float)[-layer.ndim :]
    middle[across_axis] = layer.data.shape[across_axis] // 2
    ends = np.array([viewer.dims.point, viewer.dims.point], float)
    for end, place in zip(ends, (0, layer.data.shape[along_axis] - 1), strict=True):
        middle[along_axis] = place
        end[offset:] = layer.data_to_world(middle)
    return Line(ends, tuple(viewer.dims.not_displayed))


def drawn(viewer: napari.Viewer, shapes: Any) -> Line | None:
    """Return the first line of a Shapes layer, the selected one first; None where there is none.

    Of a path or a polygon it is the line from its first to its last corner.
    """
    order = [*sorted(shapes.selected_data), *range(len(shapes.data))]
    for index in order:
        if index < len(shapes.data) and shapes.shape_type[index] in ("line", "path"):
            corners = np.asarray(shapes.data[index], float)
            ends = np.array([viewer.dims.point, viewer.dims.point], float)
            for end, corner in zip(ends, (corners[0], corners[-1]), strict=True):
                world = np.asarray(shapes.data_to_world(corner), float)
                # A layer of fewer axes lies in the last ones.
                end[len(end) - len(world) :] = world
            # Of axes that are not shown the slider says which place.
            for axis in viewer.dims.not_displayed:
                ends[:, axis] = viewer.dims.point[axis]
            return Line(ends, tuple(viewer.dims.not_displayed))
    return None


def along(data: Any, places: NDArray[np.float64], rgb: bool = False) -> NDArray[np.float64]:
    """Return the values at places of an array, between pixels by linear interpolation.

    Parameters
    ----------
    data : array_like
        Of colours the mean of red, green and blue is taken.
    places : ndarray
        (count, number of axes), in pixels; NaN is returned for places outside.
    rgb : bool
        Whether the last axis holds colours.
    """
    from scipy import ndimage

    whole = np.rint(places).astype(int)
    sizes = np.array(np.shape(data)[: places.shape[1]])
    inside = ((places > -0.5 - 1e-9) & (places < sizes - 0.5 + 1e-9)).all(axis=1)
    # Axes along which nothing changes are cut first: of a lazy array only that part is computed.
    fixed = [bool(np.allclose(part, whole[0, axis])) for axis, part in enumerate(places.T)]
    fixed[-1] = fixed[-1] and not all(fixed)
    cut: Any = tuple(
        int(np.clip(whole[0, axis], 0, sizes[axis] - 1)) if is_fixed else slice(None)
        for axis, is_fixed in enumerate(fixed)
    )
    plane = np.asarray(data[cut])
    if rgb:
        plane = plane[..., :3].mean(axis=-1)
    left = [axis for axis, is_fixed in enumerate(fixed) if not is_fixed]
    found = ndimage.map_coordinates(
        plane.astype(np.float64), places[:, left].T, order=1, mode="nearest"
    )
    return np.where(inside, found, np.nan)
