"""Conductances of the faces between pixels, kept in arrays: for solvers that use them often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.engine.block import Block
    from napari_diffusion.filters.flows.equation import C, Equation

    # By canonical axis: of the face below each pixel, 0 at the border.
    Faces = dict[int, NDArray[Any]]


def empty(u: NDArray[Any], axes: tuple[int, ...], joint: bool) -> Faces:
    """Return arrays to write to, of one channel where channels share a conductance."""
    t, c, z, y, x = u.shape
    return {axis: np.empty((t, 1 if joint else c, z, y, x), u.dtype) for axis in axes}


def written(equation: Equation[C], block: Block, faces: Faces) -> Faces:
    """Write the conductances of a state; return them with 0 where its mask lets nothing flow."""
    coefficients, mask, threads = equation.prepare(block), block.mask, block.threads
    t, c, z, y, x = next(iter(faces.values())).shape
    threads.each(
        lambda a, b: equation.write_faces(coefficients, faces, (a, b)),
        threads.bands(t * z * y, c * x),
    )
    if mask is None:
        return faces
    return {
        axis: np.where(mask & np.roll(mask, 1, axis), array, array.dtype.type(0))
        for axis, array in faces.items()
    }
