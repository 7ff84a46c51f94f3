"""Inspects filters whose conductance stands at the faces between pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.grid import CANONICAL
from napari_diffusion.engine import gradient
from napari_diffusion.filters.flows import face_conductances
from napari_diffusion.filters.flows.inspection import (
    Edges,
    FaceInspection,
    SpeedInspection,
    in_contrasts,
    in_image_axes,
    inside,
    shared_fields,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.engine.block import Block
    from napari_diffusion.filters.flows.equation import C, Equation
    from napari_diffusion.filters.flows.face_conductances import Faces


def inspected(equation: Equation[C], block: Block, tau: float) -> FaceInspection:
    """Return what an equation makes of a block, an image as a whole, in its first sub-step."""
    grid, first = block.grid, equation.at(0, block.grid)
    rooms = face_conductances.empty(block.values, grid.along_axes, grid.joint_channels)
    faces = face_conductances.written(first, block, rooms)
    # The weights hold what the conductance is relative to.
    largest = float(first.weights(1.0, grid, np.float64)[5]) * min(grid.spacing) ** 2
    kind = block.dtype.type
    fluxes = {
        axis: array * differences(block.values, axis) * kind(largest / grid.length(axis))
        for axis, array in faces.items()
    }
    shown = {
        axis: array.max(1, keepdims=True) if grid.joint_channels else array
        for axis, array in faces.items()
    }
    own = first.pixel_conductance(first.prepare(block))
    conductance = over_faces(shown, block, least=True) if own is None else own
    edges = first.edges(block, conductance)
    return FaceInspection(
        **shared_fields(equation, block, tau, edges, conductance),
        face_conductance={CANONICAL[axis]: in_image_axes(shown[axis], grid) for axis in shown},
        face_flux={CANONICAL[axis]: in_image_axes(fluxes[axis], grid) for axis in fluxes},
        largest=largest,
    )


def speed_inspected(equation: Equation[C], block: Block, tau: float) -> SpeedInspection:
    """Return what an equation ``∂u/∂t = F`` makes of a block, an image as a whole."""
    grid, after = block.grid, np.empty_like(block.values)
    coefficients = equation.prepare(block)
    weights = equation.weights(tau, grid, block.dtype)
    equation.advanced(block.values, after, coefficients, weights, block.threads)
    own = equation.pixel_conductance(coefficients)
    edges = None if own is None else equation.edges(block, own)
    speed = (after - block.values) * block.dtype.type(1.0 / tau)
    return SpeedInspection(
        **shared_fields(equation, block, tau, edges, own),
        speed=in_image_axes(inside(speed, block), grid),
    )


def face_edges(block: Block, slopes: NDArray[Any], contrasts: tuple[float, ...]) -> Edges:
    """Return the gradient at the steepest face of each pixel, of joint channels together.

    Parameters
    ----------
    block : Block
        The image whose gradient it is.
    slopes : ndarray
        (c, 5): 1 / (spacing · contrast) per channel and canonical axis.
    contrasts : tuple of float
        One per channel.
    """
    squares, joint = {}, block.grid.joint_channels
    for axis in block.grid.along_axes:
        slope = slopes[:, axis].reshape(1, -1, 1, 1, 1)
        square = np.square(differences(block.values, axis) * slope)
        squares[axis] = square.sum(1, keepdims=True) if joint else square
    return _gradient(over_faces(squares, block, least=False), block, contrasts)


def gradient_edges(block: Block, slopes: NDArray[Any], contrasts: tuple[float, ...]) -> Edges:
    """Return |∇u| at the pixels by central differences; see `face_edges`."""
    joint = block.grid.joint_channels
    return _gradient(gradient.squared(block.values, block.mask, slopes, joint), block, contrasts)


def _gradient(squared: NDArray[Any], block: Block, contrasts: tuple[float, ...]) -> Edges:
    values, threshold = in_contrasts(squared, contrasts, block.grid.joint_channels)
    return Edges(values, "gradient", "intensity/world", "contrast", threshold)


def differences(u: NDArray[Any], axis: int) -> NDArray[Any]:
    """Return u_i − u_(i−1) along a canonical axis, 0 for the first pixel."""
    first = u[tuple(slice(0, 1) if i == axis else slice(None) for i in range(5))]
    return np.diff(u, axis=axis, prepend=first)


def over_faces(faces: Faces, block: Block, least: bool) -> NDArray[Any]:
    """Return the least, or the greatest, of what stands at the faces of each pixel.

    Faces at the border and at that of the mask do not count; a pixel without others has 0.
    """
    found: NDArray[Any] | None = None
    pick, none = (np.minimum, np.inf) if least else (np.maximum, -np.inf)
    for axis, array in faces.items():
        there = np.ones(array.shape, np.bool_)
        there[tuple(slice(0, 1) if i == axis else slice(None) for i in range(5))] = False
        if block.mask is not None:
            both = block.mask & np.roll(block.mask, 1, axis)
            there = there & (both if array.shape[1] > 1 else both.any(1, keepdims=True))
        below = np.where(there, array, array.dtype.type(none))
        # The first face comes round as that above the last pixel.
        own = pick(below, np.roll(below, -1, axis))
        found = own if found is None else pick(found, own)
    assert found is not None
    return np.where(np.isfinite(found), found, found.dtype.type(0))
