"""The exact solution of linear diffusion on the grid: convolution with the discrete Gaussian."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.compiled import kernel
from napari_diffusion.filters._kernels import fill

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.drive import Drive

# What the kernel's tails leave out, as a fraction of the whole.
TAIL = 1e-8

# Standard deviation in samples of the widest kernel that is convolved with.
WIDEST = 1000


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
            f"A smoothing of {math.sqrt(variance):g} samples is more than {WIDEST}: give a smaller "
            "one, or the right spacing if it is not that."
        )
    # Beyond 6 standard deviations and a few samples nothing above TAIL is left.
    orders = np.arange(1, 12 + int(6.5 * np.sqrt(variance)))
    weights = ive(orders, variance)
    tails = 2 * np.cumsum(weights[::-1])[::-1]
    return tuple(float(weight) for weight in weights[tails > TAIL])


def reach(variance: float) -> int:
    """Return how many samples away the kernel of this variance still has weight."""
    return len(discrete_gaussian(float(variance)))


@kernel
def _convolve_x(image, out, weights, start, stop):
    n = image.shape[1]
    r = weights.size
    padded = np.empty(n + 2 * r, image.dtype)
    for row in range(start, stop):
        source, target = image[row], out[row]
        for x in range(n):
            padded[r + x] = source[x]
        # The border mirrors between samples, again and again where the kernel is longer than the
        # row.
        for i in range(r):
            left, right = i % (2 * n), (n + i) % (2 * n)
            padded[r - 1 - i] = source[left if left < n else 2 * n - 1 - left]
            padded[r + n + i] = source[right if right < n else 2 * n - 1 - right]
        fill(target, 0)
        middle = padded[r : r + n]
        for i in range(r):
            low, high = padded[r - 1 - i : r - 1 - i + n], padded[r + 1 + i : r + 1 + i + n]
            weight = weights[i]
            for x in range(n):
                v = middle[x]
                target[x] += weight * ((low[x] - v) + (high[x] - v))
        for x in range(n):
            target[x] = middle[x] + target[x]


@kernel
def _convolve_rows(image, out, weights, size, stride, start, stop):
    """Convolve along an axis of `size` whose neighbouring rows lie `stride` rows apart."""
    n = image.shape[1]
    for row in range(start, stop):
        at = row // stride % size
        base = row - at * stride
        middle, target = image[row], out[row]
        fill(target, 0)
        for i in range(weights.size):
            low, high = (at - 1 - i) % (2 * size), (at + 1 + i) % (2 * size)
            low = low if low < size else 2 * size - 1 - low
            high = high if high < size else 2 * size - 1 - high
            a, b = image[base + low * stride], image[base + high * stride]
            weight = weights[i]
            for x in range(n):
                v = middle[x]
                target[x] += weight * ((a[x] - v) + (b[x] - v))
        for x in range(n):
            target[x] = middle[x] + target[x]


def smoothed(block: NDArray[Any], variances: dict[int, float], drive: Drive) -> NDArray[Any]:
    """Return a block diffused linearly and exactly, with mirrored borders.

    Every sample becomes ``v + Σ_n weights[n] · ((v₋ₙ − v) + (v₊ₙ − v))``: differences keep a
    constant exactly constant and no value leaves the range.

    Parameters
    ----------
    block : ndarray
        Canonical (t, c, z, y, x); not written.
    variances : dict of int to float
        Variance in samples² for each canonical axis that diffuses.
    drive : Drive
        Shares rows among threads.
    """
    axes = sorted(axis for axis, variance in variances.items() if variance > 0)
    source, spare = block, np.empty_like(block)
    for axis in axes:
        weights = np.array(discrete_gaussian(float(variances[axis])), block.dtype)
        rows, out = source.reshape(-1, block.shape[4]), spare.reshape(-1, block.shape[4])
        bands = drive.bands(rows.shape[0], rows.shape[1] * (1 + weights.size // 4))
        if axis == 4:
            drive.each(
                lambda a, b, rows=rows, out=out, weights=weights: _convolve_x(
                    rows, out, weights, a, b
                ),
                bands,
            )
        else:
            size, stride = block.shape[axis], int(np.prod(block.shape[axis + 1 : 4]))
            drive.each(
                lambda a, b, rows=rows, out=out, weights=weights, size=size, stride=stride: (
                    _convolve_rows(rows, out, weights, size, stride, a, b)
                ),
                bands,
            )
        previous, source = source, spare
        spare = np.empty_like(block) if previous is block else previous
    return block.copy() if source is block else source


def smoothed_inside(
    block: NDArray[Any], mask: NDArray[np.bool_] | None, variances: dict[int, float], drive: Drive
) -> NDArray[Any]:
    """Return a block smoothed as `smoothed` does, from the samples inside a mask alone."""
    if mask is None:
        return smoothed(block, variances, drive)
    inside = mask.astype(block.dtype)
    weight = smoothed(inside, variances, drive)
    total = smoothed(block * inside, variances, drive)
    return np.divide(total, weight, out=block.copy(), where=mask)
