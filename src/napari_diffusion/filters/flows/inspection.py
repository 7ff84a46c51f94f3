"""What a filter sees in an image: its edges, how much it lets through, and what flows."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_diffusion.core.grid import CANONICAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_diffusion.core.component import Component
    from napari_diffusion.core.grid import Grid
    from napari_diffusion.engine.block import Block


class Edges(NamedTuple):
    """What a filter measures at every pixel to find edges.

    Attributes
    ----------
    values : ndarray
        0 or more, in the image's axes; without c where channels are joint.
    name : str
        What it is, such as ``"gradient"``.
    unit : str
        Its unit, such as ``"intensity/world"``; empty for a ratio.
    parameter : str
        The parameter that it is compared with, such as ``"contrast"``.
    threshold : float or tuple of float
        The value of that parameter; one per channel where channels are not joint.
    """

    values: NDArray[Any]
    name: str
    unit: str
    parameter: str
    threshold: float | tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Inspection(abc.ABC):
    """What a filter makes of an image in one explicit sub-step; see `Filter.inspect`.

    ``image + tau · change()`` is the image after that sub-step. Arrays are in the axes of the
    image, without alpha; those that joint channels share are without the axis c.

    Attributes
    ----------
    filter : Filter
        The filter, without ``"auto"``.
    axes : str
        The axes of the image.
    along : str
        The axes the filter acts along, in the order t, z, y, x.
    spacing : tuple of float
        Pixel size along each of them, in world units.
    tau : float
        Length of the sub-step, in the unit of the filter's `time`. With another solver than
        "explicit" it is the explicit sub-step of the same equation.
    edges : Edges or None
        What the filter measures to find edges; None where it looks for none.
    conductance : ndarray or None
        0 … 1 at every pixel, relative to the largest: how strongly a pixel exchanges with the
        neighbour that it exchanges with the least. 0 outside the mask. None where a tensor or
        nothing of the kind takes its place.
    """

    filter: Component
    axes: str
    along: str
    spacing: tuple[float, ...]
    tau: float
    edges: Edges | None
    conductance: NDArray[Any] | None

    @property
    def edge_map(self) -> NDArray[Any] | None:
        """What the filter measures to find edges; its name and unit stand in `edges`."""
        return None if self.edges is None else self.edges.values

    @abc.abstractmethod
    def change(self) -> NDArray[Any]:
        """Return ∂u/∂t at every pixel, in intensity per unit of time; the shape of the image."""


@dataclass(frozen=True, eq=False)
class FluxInspection(Inspection):
    """A filter ``∂u/∂t = div(D ∇u)`` as it sees an image: what flows between which pixels.

    The flux is ``D ∇u``, as in the equation: it points to higher intensities, and intensity moves
    against it.
    """

    @abc.abstractmethod
    def divergence(self) -> NDArray[Any]:
        """Return the divergence of the flux at every pixel, from the fluxes alone."""

    @abc.abstractmethod
    def flux_vectors(self) -> NDArray[Any]:
        """Return the flux at every pixel, to be drawn: its components along `along` come last.

        The fluxes that enter and leave a pixel are averaged; `divergence` uses each of them.
        """

    def change(self) -> NDArray[Any]:
        """Return the divergence of the flux."""
        return self.divergence()


@dataclass(frozen=True, eq=False)
class FaceInspection(FluxInspection):
    """A filter with a conductance at the faces between neighbours, and what flows through them.

    Attributes
    ----------
    face_conductance : dict of str to ndarray
        For each axis of `along` the conductance, 0 … 1, of the face below each pixel: between it
        and the one before. 0 at the border and across that of the mask.
    face_flux : dict of str to ndarray
        Likewise the flux through the face, ``largest · conductance · (u_i − u_(i−1)) / spacing``.
    largest : float
        The conductance that counts as 1; other than 1 for `TotalVariationFlow`, 1 / epsilon.
    """

    face_conductance: dict[str, NDArray[Any]]
    face_flux: dict[str, NDArray[Any]]
    largest: float

    def divergence(self) -> NDArray[Any]:
        """Return Σ (flux above − flux below) / spacing over the axes."""
        parts = [
            (self._above(axis) - self.face_flux[axis]) / length
            for axis, length in zip(self.along, self.spacing, strict=True)
        ]
        return np.asarray(sum(parts))

    def flux_vectors(self) -> NDArray[Any]:
        """Return the mean of the fluxes through both faces along each axis."""
        means = [0.5 * (self.face_flux[axis] + self._above(axis)) for axis in self.along]
        return np.stack(means, axis=-1)

    def _above(self, axis: str) -> NDArray[Any]:
        # Through the first face, which comes round at the end, nothing flows.
        return np.roll(self.face_flux[axis], -1, self.axes.index(axis))


@dataclass(frozen=True, eq=False)
class SpeedInspection(Inspection):
    """A filter that moves level lines, ``∂u/∂t = F``: no flux, but a speed.

    Attributes
    ----------
    speed : ndarray
        The speed F of the update at every pixel, in intensity per unit of time, as limited to the
        range of the neighbours.
    """

    speed: NDArray[Any]

    def change(self) -> NDArray[Any]:
        """Return the speed."""
        return self.speed


def shared_fields(
    equation: Component,
    block: Block,
    tau: float,
    edges: Edges | None,
    conductance: NDArray[Any] | None,
) -> dict[str, Any]:
    """Return the fields that every inspection has, from canonical arrays of a whole image."""
    grid = block.grid
    return {
        "filter": equation,
        "axes": grid.axes,
        "along": "".join(CANONICAL[axis] for axis in grid.along_axes),
        "spacing": tuple(grid.length(axis) for axis in grid.along_axes),
        "tau": tau,
        "edges": edges and edges._replace(values=in_image_axes(inside(edges.values, block), grid)),
        "conductance": (
            None if conductance is None else in_image_axes(inside(conductance, block), grid)
        ),
    }


def inside(array: NDArray[Any], block: Block) -> NDArray[Any]:
    """Return an array with 0 outside the mask of a block."""
    if block.mask is None:
        return array
    mask = block.mask if array.shape[1] == block.shape[1] else block.mask.any(1, keepdims=True)
    mask = mask.reshape(*mask.shape, *(1,) * (array.ndim - 5))
    return np.where(mask, array, array.dtype.type(0))


def in_image_axes(array: NDArray[Any], grid: Grid) -> NDArray[Any]:
    """Return an array that begins with the canonical axes in those of the image.

    Without the axis c where it has one channel for several of the image.
    """
    shared = array.shape[1] != grid.shape[1]
    axes = grid.axes.replace("c", "") if shared else grid.axes
    present = [axis for axis in CANONICAL if axis in axes]
    index = tuple(slice(None) if axis in axes else 0 for axis in CANONICAL)
    order = [present.index(axis) for axis in axes]
    chosen = array[index]
    return np.ascontiguousarray(chosen.transpose(order + list(range(len(order), chosen.ndim))))


def in_contrasts(
    squared: NDArray[Any], contrasts: Sequence[float], joint: bool
) -> tuple[NDArray[Any], float | tuple[float, ...]]:
    """Return the root of (s / contrast)² in the unit of s, and the contrast that it compares with.

    Of joint channels with contrasts of their own it is that of the largest.
    """
    unit = np.full(len(contrasts), max(contrasts)) if joint else np.array(contrasts)
    scale = unit[: squared.shape[1]].astype(squared.dtype).reshape(1, -1, 1, 1, 1)
    equal = joint or len(set(contrasts)) == 1
    threshold = float(unit[0]) if equal else tuple(float(each) for each in unit)
    return np.sqrt(squared) * scale, threshold
