"""What a tensor-driven filter sees in an image: tensors, their stencils, and what flows along."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.filters.flows.inspection import FluxInspection, in_image_axes, inside

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.engine.block import Block
    from napari_diffusion.filters.tensors.axis_frame import Frame
    from napari_diffusion.filters.tensors.tensor_steps import Exchange


@dataclass(frozen=True, eq=False)
class TensorInspection(FluxInspection):
    """A filter with a diffusion tensor D at the pixels, as it sees an image.

    The filter splits each tensor into a *stencil*, ``D = Σ w e eᵀ`` with weights ``w ≥ 0`` and
    offsets ``e`` in whole pixels, and lets the pixels x and x ± e exchange in proportion to their
    difference. With k terms a pixel exchanges with 2 k others.

    Attributes
    ----------
    tensor : ndarray
        (…, n, n): the diffusion tensor at every pixel, in world units, its rows and columns in the
        order of `along`. Eigenvalues are 0 … 1.
    offsets : ndarray of int16
        (…, k, n): the offsets e in pixels, in the order of `along`; 0 for a term that is not used.
    weights : ndarray
        (…, k): the weights w of offsets in pixels, per unit of time.
    offset_flux : ndarray
        (…, k, 2): what flows to the pixel from x − e and from x + e, in intensity per unit of time:
        half the weight times the difference, and less where a pixel would receive too much for a
        stable sub-step. 0 across the border and that of the mask. The other pixel loses as much.
    """

    tensor: NDArray[Any]
    offsets: NDArray[np.int16]
    weights: NDArray[Any]
    offset_flux: NDArray[Any]

    def divergence(self) -> NDArray[Any]:
        """Return what each pixel receives minus what it gives, of its own and others' offsets."""
        shape = self.offset_flux.shape[:-2]
        strides = [math.prod(shape[self.axes.index(axis) + 1 :]) for axis in self.along]
        away = self._per_channel(self.offsets.astype(np.int64) @ np.array(strides))
        gain = self.offset_flux.sum((-1, -2), dtype=np.float64).ravel()
        here = np.arange(gain.size).reshape(shape)
        for term in range(away.shape[-1]):
            for side in range(2):
                flux = self.offset_flux[..., term, side]
                flows = flux != 0
                to = (here + (2 * side - 1) * away[..., term])[flows]
                gain -= np.bincount(to, flux[flows], gain.size)
        return gain.reshape(shape).astype(self.offset_flux.dtype)

    def flux_vectors(self) -> NDArray[Any]:
        """Return Σ e (flux from ahead − flux from behind) over the terms: D ∇u at the pixels."""
        forward = self.offset_flux[..., 1] - self.offset_flux[..., 0]
        offsets = self._per_channel(self.offsets) * np.array(self.spacing)
        return np.einsum("...k,...kn->...n", forward, offsets).astype(forward.dtype)

    def _per_channel(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return an array of terms and offsets with the axis c where joint channels share it."""
        shape = self.offset_flux.shape[:-2]
        if self.weights.ndim <= len(shape):
            array = np.expand_dims(array, self.axes.index("c"))
        return np.broadcast_to(array, (*shape, *array.shape[len(shape) :]))


def inspected(
    shared: dict[str, Any], block: Block, exchange: Exchange, tensors: NDArray[Any]
) -> TensorInspection:
    """Return what flows along the stencils of tensors.

    Parameters
    ----------
    shared : dict
        The fields that every inspection has.
    block : Block
        An image as a whole.
    exchange : Exchange
        What has added up a sub-step of its values.
    tensors : ndarray
        (components, G, site rows, X): the diffusion tensors.
    """
    grid, frame, tau = block.grid, exchange.frame, shared["tau"]
    count = len(grid.along_axes)
    # Of the axes z, y, x and t of the frame those that diffuse.
    own = ((2,), (1, 2), (0, 1, 2), (3, 0, 1, 2))[count - 1]
    weights, offsets, fluxes = exchange.fluxes(tensors, tau, block.threads)
    found = np.moveaxis(offsets[:, list(own)], (0, 1), (-2, -1))
    unit = weights.dtype.type(1.0 / tau)
    return TensorInspection(
        **shared,
        tensor=in_image_axes(inside(_whole(tensors, frame, count), block), grid),
        offsets=in_image_axes(_restored(found, frame), grid),
        weights=in_image_axes(2 * unit * _restored(np.moveaxis(weights, 0, -1), frame), grid),
        offset_flux=in_image_axes(
            unit * _restored(np.moveaxis(fluxes, (1, 0), (-2, -1)), frame), grid
        ),
    )


def eigenvalues(structure: NDArray[Any], frame: Frame) -> NDArray[Any]:
    """Return the eigenvalues of structure tensors, canonical and ascending, at least 0."""
    own = np.linalg.eigvalsh(_matrices(structure, frame))
    return np.maximum(_restored(own, frame), own.dtype.type(0))


def _matrices(tensors: NDArray[Any], frame: Frame) -> NDArray[Any]:
    """Return tensors (components, G, site rows, X) as matrices (T, G, Z, Y, X, d, d)."""
    t, _, z, y, x = frame.shape
    first, second = np.triu_indices(frame.dimensions)
    out = np.empty(
        (t, tensors.shape[1], z, y, x, frame.dimensions, frame.dimensions), tensors.dtype
    )
    for component, i, j in zip(tensors, first, second, strict=False):
        laid_out = component.reshape(-1, t, z, y, x).swapaxes(0, 1)
        out[..., i, j] = out[..., j, i] = laid_out
    return out


def _whole(tensors: NDArray[Any], frame: Frame, count: int) -> NDArray[Any]:
    """Return canonical matrices (…, n, n) of all axes that diffuse, in ascending order."""
    matrices = _restored(_matrices(tensors, frame), frame)
    if count == 1:
        return matrices[..., 1:, 1:]
    if count < 4:
        return matrices
    t, _, z, y, x = frame.shape
    out = np.zeros((*matrices.shape[:-2], 4, 4), matrices.dtype)
    out[..., 1:, 1:] = matrices
    out[..., 0, 0] = frame.restored(tensors[6].reshape(-1, t, z, y, x).swapaxes(0, 1))
    return out


def _restored(array: NDArray[Any], frame: Frame) -> NDArray[Any]:
    """Return a canonical array of what is laid out, with further axes at its end."""
    flat = array.reshape(*array.shape[:5], -1)
    parts = [frame.restored(np.ascontiguousarray(flat[..., i])) for i in range(flat.shape[-1])]
    return np.stack(parts, axis=-1).reshape(*parts[0].shape, *array.shape[5:])
