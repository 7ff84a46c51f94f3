"""How much the neighbours of a pixel vary, over their mean: what tells speckle from edges.

Arrays and rows are those of `_kernels`. Nothing is fused, so that mirrored images give mirrored
bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.jit import exact_allocating_kernel
from napari_diffusion.filters.flows.curvature_kernels import _moved, _neighbours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.engine.block import Block

# Squares of these fit into float32, and no image tells them from 0 and from infinity.
SMALLEST, LARGEST = 1e-15, 1e9


@exact_allocating_kernel
def _squared_rows(u, inside, masked, along, count, out, start, stop):
    """Write q² = variance / mean² of the neighbours, the mean over joint channels; −1 for none.

    In units of the largest neighbour nothing overflows.
    """
    nz, ny, nx = u.shape[2:]
    one, zero = u.dtype.type(1), u.dtype.type(0)
    near, there = np.empty((10, nx), u.dtype), np.empty(nx, np.bool_)
    share = one / u.dtype.type(2 * np.count_nonzero(along))
    part = one / u.dtype.type(count)
    for c in range(u.shape[1]):
        for site in range(start, stop):
            here = (site // (ny * nz), site // ny % nz, site % ny)
            for axis in range(5):
                if along[axis]:
                    for side in range(2):
                        by, row = 2 * side - 1, near[2 * axis + side]
                        at, shift = (here, by) if axis == 4 else (_moved(here, axis, by), 0)
                        _neighbours(u, inside, masked, c, here, at, shift, row, there)
            q = out[here[0], c // count, here[1], here[2]]
            for x in range(nx):
                largest, mean, variance = zero, zero, zero
                for axis in range(5):
                    if along[axis]:
                        low, high = near[2 * axis, x], near[2 * axis + 1, x]
                        largest = max(largest, abs(low), abs(high))
                unit = largest if largest > 0 else one
                for axis in range(5):
                    if along[axis]:
                        mean += near[2 * axis, x] / unit + near[2 * axis + 1, x] / unit
                mean *= share
                for axis in range(5):
                    if along[axis]:
                        low = near[2 * axis, x] / unit - mean
                        high = near[2 * axis + 1, x] / unit - mean
                        variance += low * low + high * high
                ratio = share * variance / (mean * mean) if variance > 0 else zero
                q[x] = part * ratio + (q[x] if c % count > 0 else zero)


def squared_variation(block: Block) -> NDArray[Any]:
    """Return q² = variance / mean² of each pixel's neighbours along the axes that diffuse.

    A neighbour that does not exist or lies outside the mask counts as the pixel itself. Joint
    channels give one number, the mean of theirs.
    """
    t, c, z, y, x = block.shape
    count = c if block.grid.joint_channels else 1
    out = np.empty((t, c // count, z, y, x), block.dtype)
    along = np.isfinite(block.grid.lengths)
    inside = np.zeros((1,) * 5, bool) if block.mask is None else block.mask
    fixed = (block.values, inside, block.mask is not None, along, count, out)
    block.threads.each(
        lambda a, b: _squared_rows(*fixed, a, b),
        block.threads.bands(t * z * y, c * x),
    )
    return out


def coefficient(squared: NDArray[Any], q0: float) -> NDArray[Any]:
    """Replace q² by ``min(1, 1 / (1 + (q² − q0²) / (q0² (1 + q0²))))``, and return it."""
    square = min(max(q0, SMALLEST), LARGEST) ** 2
    # The same with one division, which neither a q0 of 0 nor a q of infinity can spoil.
    dtype = squared.dtype.type
    with np.errstate(over="ignore"):
        squared /= dtype(square)
    squared += dtype(square)
    np.divide(dtype(1 + square), squared, out=squared)
    return np.minimum(squared, dtype(1), out=squared)
