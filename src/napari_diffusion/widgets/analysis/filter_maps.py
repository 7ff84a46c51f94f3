"""What a filter sees as maps and arrows, in the axes of a layer; nothing of napari's yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_diffusion.core.grid import CANONICAL
from napari_diffusion.domains.base import UNIT
from napari_diffusion.filters.flows.inspection import FluxInspection, SpeedInspection
from napari_diffusion.filters.tensors.tensor_inspection import TensorInspection
from napari_diffusion.widgets.analysis.thinned_arrows import Cells, arrows, axes_of_tensors
from napari_diffusion.widgets.forms.units import Units

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_diffusion.filters.flows.inspection import Edges
    from napari_diffusion.loop.recipe_inspection import PartInspection
    from napari_diffusion.widgets.layers.layer_axes import Fold

    Reduce = Callable[..., NDArray[Any]]

# What is shown, in the order of the layers from bottom to top.
CONDUCTANCE, EDGES, SPEED, FLUX, AXES = "conductance", "edge map", "speed", "flux", "tensor axes"


class ViewMap(NamedTuple):
    """A value at every pixel of a layer, and the values at the ends of its colour bar."""

    shows: str
    title: str
    unit: str
    values: NDArray[Any]
    limits: tuple[float, float]


class ViewArrows(NamedTuple):
    """Arrows or lines (n, 2, axes of the layer), each with a value that colours it."""

    shows: str
    title: str
    unit: str
    ends: NDArray[Any]
    values: NDArray[Any]
    limits: tuple[float, float]
    width: float


@dataclass(frozen=True, eq=False)
class LayerFrame:
    """How arrays of an inspection lie in a layer.

    Attributes
    ----------
    fold : Fold
        How the axes of the source become the loop's.
    one_map : bool
        Whether the layer has no axis for the channels: colours, or one layer per channel.
    shown_axes : tuple of int
        The axes of the layer that are on the canvas.
    unit : str
        The unit of length.
    """

    fold: Fold
    one_map: bool
    shown_axes: tuple[int, ...]
    unit: str

    @property
    def letters(self) -> str:
        """One letter per axis of the layer."""
        return self.fold.letters.replace("c", "") if self.one_map else self.fold.letters

    def in_layer(self, part: PartInspection, array: NDArray[Any], reduced: Reduce) -> NDArray[Any]:
        """Return the part of an array of an inspection, one number per pixel, as the layer is.

        Of channels that the layer has no axis for `reduced` makes one number; what joint channels
        share is repeated for each that the layer has.
        """
        axes, fold = part.inspection.axes, self.fold
        if array.ndim < len(axes):
            array = np.expand_dims(array, axes.index("c"))
        cut = array[tuple(part.inner[CANONICAL.index(axis)] for axis in axes)]
        if "c" in axes:
            channel = axes.index("c")
            if self.one_map:
                cut, fold = reduced(cut, axis=channel), fold.without("c")
            else:
                size = fold.shape[fold.letters.index("c")]
                shape = [size if i == channel else n for i, n in enumerate(cut.shape)]
                cut = np.broadcast_to(cut, shape)
        return np.asarray(fold.unfolded(cut))


def filter_maps(part: PartInspection, frame: LayerFrame) -> list[ViewMap | ViewArrows]:
    """Return what is shown of an inspection, from bottom to top."""
    seen, units = part.inspection, Units(frame.unit, 1.0, UNIT if part.stabilised else "intensity")
    found: list[ViewMap | ViewArrows | None] = [
        _conductance(part, frame),
        None if seen.edges is None else _edges(part, seen.edges, frame, units),
        _speed(part, seen, frame, units) if isinstance(seen, SpeedInspection) else None,
        _flux(part, seen, frame, units) if isinstance(seen, FluxInspection) else None,
        _axes(part, seen, frame) if isinstance(seen, TensorInspection) else None,
    ]
    return [each for each in found if each is not None]


def threshold_of(edges: Edges) -> float:
    """Return the value that edges are compared with, the largest of the channels."""
    return float(np.max(edges.threshold))


def _edges(part: PartInspection, edges: Edges, frame: LayerFrame, units: Units) -> ViewMap:
    unit, middle = units.named(edges.unit), threshold_of(edges)
    title = f"edge map, {edges.parameter} {middle:.3g}{f' {unit}' * bool(unit)}"
    values = frame.in_layer(part, edges.values, np.max)
    # What the filter compares with is the middle of the colours.
    return ViewMap(EDGES, title, unit, values, (0.0, 2 * middle))


def _conductance(part: PartInspection, frame: LayerFrame) -> ViewMap | None:
    seen = part.inspection
    if isinstance(seen, TensorInspection):
        values = np.linalg.eigvalsh(seen.tensor)
        along = seen.edges is not None and seen.edges.name == "coherence"
        title = f"conductance {'along lines' if along else 'across edges'}, 0 to 1"
        shown = np.clip(values[..., -1 if along else 0], 0, 1)
    elif seen.conductance is not None:
        title, shown = "conductance, 0 to 1", seen.conductance
    else:
        return None
    return ViewMap(CONDUCTANCE, title, "", frame.in_layer(part, shown, np.min), (0.0, 1.0))


def _speed(part: PartInspection, seen: SpeedInspection, frame: LayerFrame, units: Units) -> ViewMap:
    unit = units.named("intensity/world²")
    values = frame.in_layer(part, seen.speed, np.mean)
    most = float(np.percentile(np.abs(values), 99.5)) or 1.0
    return ViewMap(SPEED, f"speed of the update, {unit}", unit, values, (-most, most))


def _cells(part: PartInspection, frame: LayerFrame, shape: tuple[int, ...]) -> Cells:
    seen = part.inspection
    lengths = dict(zip(seen.along, seen.spacing, strict=True))
    spacing = tuple(lengths.get(letter, 1.0) for letter in frame.letters)
    return Cells.of(shape, spacing, frame.shown_axes)


def _flux(
    part: PartInspection, seen: FluxInspection, frame: LayerFrame, units: Units
) -> ViewArrows:
    vectors = seen.flux_vectors()
    # Intensity moves against the flux D ∇u.
    moved = [frame.in_layer(part, -vectors[..., k], np.mean) for k in range(len(seen.along))]
    cells = _cells(part, frame, moved[0].shape)
    places = [frame.letters.index(axis) for axis in seen.along]
    ends, values, most = arrows(moved, places, cells)
    # The conductance of total variation flow has a unit that the flux is without.
    unit = units.named("intensity/world") if getattr(seen, "largest", 1.0) == 1.0 else ""
    title = f"flux{f', {unit}' * bool(unit)}"
    return ViewArrows(FLUX, title, unit, ends, values, (0.0, most), cells.width)


def _axes(part: PartInspection, seen: TensorInspection, frame: LayerFrame) -> ViewArrows:
    count = len(seen.along)
    matrices = np.empty(0)
    for i in range(count):
        for j in range(count):
            entry = frame.in_layer(part, seen.tensor[..., i, j], np.mean)
            if not matrices.size:
                matrices = np.empty((*entry.shape, count, count), entry.dtype)
            matrices[..., i, j] = entry
    cells = _cells(part, frame, matrices.shape[:-2])
    places = [frame.letters.index(axis) for axis in seen.along]
    ends, values = axes_of_tensors(matrices, places, cells)
    return ViewArrows(AXES, "tensor axes, 0 to 1", "", ends, values, (0.0, 1.0), cells.width)
