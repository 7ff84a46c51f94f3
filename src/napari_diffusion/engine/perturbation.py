"""Copies of an image with a change in them, to see how a recipe answers to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image

# Size of the perturbation over the noise: small enough for a derivative, and large enough to reach
# over the jumps that a flux which falls again makes.
PERTURBATION = 0.1

# Every so many pixels along each axis one is hidden.
LATTICE = 4


def perturbed(
    image: Image, sigmas: NDArray[Any], turn: int = 0
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the source plus or minus a small number at every pixel, and that change.

    Parameters
    ----------
    image : Image
        The source.
    sigmas : ndarray
        Standard deviation of the noise: one number, one for each channel, or a canonical map of one
        for each pixel, in proportion to which each pixel is changed.
    turn : int
        Other signs for each.
    """
    from napari_diffusion.engine.probe_kernel import add_probe

    data, place = image.data, np.array([0, 0, 0, turn << 32, 0])
    if sigmas.ndim == 5:
        signs, ones = np.empty_like(data), np.ones(data.shape[1], data.dtype)
        add_probe(np.zeros_like(data), place, np.ones(5, np.int64), ones, signs)
        out = data + signs * (PERTURBATION * sigmas).astype(data.dtype)
        return out, out - data
    sizes = PERTURBATION * np.broadcast_to(sigmas, data.shape[1:2])
    for c in np.flatnonzero(sizes == 0):
        sizes[c] = float(np.ptp(data[:, c])) * 1e-3
    out = np.empty_like(data)
    add_probe(data, place, np.ones(5, np.int64), sizes.astype(data.dtype), out)
    return out, out - data


def masked(image: Image) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the source with some pixels replaced by their neighbours' mean, and which ones."""
    data, axes = image.data, image.grid.along_axes
    lines = [np.arange(size) for size in data.shape]
    for turn, axis in enumerate(axes):
        if data.shape[axis] > 1:
            lines[axis] = lines[axis][(turn + 1) % LATTICE :: LATTICE]
    chosen = np.ix_(*lines)
    total, count = np.zeros([len(line) for line in lines]), np.zeros([len(line) for line in lines])
    for axis in axes:
        for shift in (-1, 1):
            at = chosen[axis] + shift
            known = (at >= 0) & (at < data.shape[axis])
            beside = np.clip(at, 0, data.shape[axis] - 1)
            near = (*chosen[:axis], beside, *chosen[axis + 1 :])
            if image.mask is not None:
                known = known & image.mask[near]
            total += np.where(known, data[near], 0.0)
            count += known
    predicted = count > 0 if image.mask is None else (count > 0) & image.mask[chosen]
    hidden, out = np.zeros(data.shape, bool), data.copy()
    hidden[chosen] = predicted
    out[chosen] = np.where(predicted, total / np.maximum(count, 1), data[chosen])
    return out, hidden
