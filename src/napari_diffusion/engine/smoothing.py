"""The exact solution of linear diffusion on the grid: convolution with the discrete Gaussian."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.threads import TILE_VOXELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.engine.threads import Threads

# What the kernel's tails leave out, as a fraction of the whole.
TAIL = 1e-8

# Standard deviation in pixels of the widest kernel that is convolved with.
WIDEST = 1000

# Pixels that a tile's width is a multiple of, and memory that the rows of a tile may take.
NARROWEST, WINDOW_BYTES = 64, 1 << 17


@functools.lru_cache(maxsize=256)
def discrete_gaussian(variance: float) -> tuple[float, ...]:
    """Return the weights at distance 1, 2, … of the kernel that solves diffusion on the grid.

    ``weights[n − 1] = exp(−variance) · I_n(variance)``, with variance = 2 time / spacing², in
    samples², and I_n the modified Bessel function. The weight at distance 0 is what is left to a
    sum of 1. Kernels of variances a and b convolve to that of a + b exactly.

    Raises
    ------
    ValueError
        For a kernel so wide that convolution is no way to compute with it.

    References
    ----------
    Lindeberg (1990), Scale-space for discrete signals, section IV.
    """
    from scipy.special import ive

    if not variance <= WIDEST**2:
        raise ValueError(
            f"A smoothing of {math.sqrt(variance):g} pixels is more than {WIDEST}: use a smaller "
            "value, or correct the spacing."
        )
    # Beyond 6 standard deviations and a few pixels nothing above TAIL is left.
    orders = np.arange(1, 12 + int(6.5 * np.sqrt(variance)))
    weights = ive(orders, variance)
    tails = 2 * np.cumsum(weights[::-1])[::-1]
    return tuple(float(weight) for weight in weights[tails > TAIL])


def reach(variance: float) -> int:
    """Return how many pixels away the kernel of this variance still has weight."""
    return len(discrete_gaussian(float(variance)))


def smoothed(block: NDArray[Any], variances: dict[int, float], threads: Threads) -> NDArray[Any]:
    """Return a block diffused linearly and exactly, with mirrored borders.

    Every pixel becomes ``v + Σ_n weights[n] · ((v₋ₙ + v₊ₙ) − 2 v)``: differences keep a constant
    exactly constant and no value leaves the range.

    Parameters
    ----------
    block : ndarray
        Canonical (t, c, z, y, x); not written.
    variances : dict of int to float
        Variance in pixels² for each canonical axis that diffuses.
    threads : Threads
        Shares tiles among threads.
    """
    from napari_diffusion.engine.convolution import convolve

    taps = {
        axis: _fours(discrete_gaussian(float(variance)), block.dtype)
        for axis, variance in variances.items()
        if variance > 0
    }
    none = _fours((), block.dtype)
    source, spare = block, None
    for across, along in ((0, None), (2, None), (3, 4)):
        weights = [none if axis is None else taps.get(axis, none) for axis in (across, along)]
        if not any(each.size for each in weights):
            continue
        target = np.empty_like(block) if spare is None else spare
        # The axes before `across` are planes, and those after it one row.
        t, c, z, y, x = block.shape
        shape = {0: (1, t, c * z * y * x), 2: (t * c, z, y * x), 3: (t * c * z, y, x)}[across]
        image, out = source.reshape(shape), target.reshape(shape)

        def work(*tile: int, image: Any = image, out: Any = out, weights: Any = weights) -> None:
            convolve(image, out, *weights, *tile)

        threads.each(work, _tiles(shape, weights[0].size, block.itemsize))
        spare = None if source is block else source
        source = target
    return block.copy() if source is block else source


def _fours(weights: tuple[float, ...], dtype: Any) -> NDArray[Any]:
    """Return weights as an array, filled up with zeros to a multiple of four."""
    return np.array([*weights, *(-len(weights) % 4) * [0.0]], dtype)


def _tiles(shape: tuple[int, ...], reach: int, itemsize: int) -> list[tuple[int, ...]]:
    """Return (plane, first row, last row + 1, first column, width) of tiles that a cache holds."""
    planes, rows, columns = shape
    widest = max(WINDOW_BYTES // (itemsize * (2 * reach + 32)) // NARROWEST, 1) * NARROWEST
    edges = range(0, columns, min(widest, 4 * NARROWEST))
    # A band takes the rows within its reach a second time.
    band = max(4 * reach, TILE_VOXELS // NARROWEST)
    return [
        (
            plane,
            y,
            min(y + band, rows),
            x,
            min(-(-(columns - x) // NARROWEST) * NARROWEST, edges.step),
        )
        for plane in range(planes)
        for y in range(0, rows, band)
        for x in edges
    ]


def smoothed_inside(
    block: NDArray[Any],
    mask: NDArray[np.bool_] | None,
    variances: dict[int, float],
    threads: Threads,
) -> NDArray[Any]:
    """Return a block smoothed as `smoothed` does, from the pixels inside a mask alone."""
    if mask is None:
        return smoothed(block, variances, threads)
    inside = mask.astype(block.dtype)
    weight = smoothed(inside, variances, threads)
    total = smoothed(block * inside, variances, threads)
    return np.divide(total, weight, out=block.copy(), where=mask)
