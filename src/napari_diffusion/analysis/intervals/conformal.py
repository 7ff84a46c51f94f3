"""Split-conformal calibration on spatial blocks: one half gives the factor, the other measures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Pixels of a block, and how many blocks at least are wanted along an axis.
_BLOCK_PIXELS, _ALONG = 1024, 4

# Fewer pixels than this say too little.
FEWEST = 256

# Draws of the block bootstrap, the share that its interval holds, and its seed.
_DRAWS, _LEVEL, _SEED = 2000, 0.95, 0


@dataclass(frozen=True)
class Calibration:
    """What a repeat showed.

    Attributes
    ----------
    factor : float
        The half width is this times the local scale.
    constant : float
        Half width of the interval that is the same everywhere, calibrated likewise.
    coverage, constant_coverage : float
        Measured on the other blocks.
    coverage_interval : tuple of two float
        Of 95 %, from a bootstrap over those blocks.
    blocks : tuple of two int
        How many calibrate, and how many measure.
    """

    factor: float
    constant: float
    coverage: float
    constant_coverage: float
    coverage_interval: tuple[float, float]
    blocks: tuple[int, int]


def calibration(
    errors: NDArray[Any],
    scale: NDArray[Any],
    inside: NDArray[np.bool_],
    axes: tuple[int, ...],
    coverage: float,
) -> Calibration:
    """Calibrate an interval on a checkerboard of blocks, and measure its coverage on the others.

    The factor is the ``⌈(n + 1) · coverage⌉``-th smallest of the n scores ``|y₂ − u| / s``.

    Parameters
    ----------
    errors : ndarray
        |y₂ − u|, canonical.
    scale : ndarray
        s, of the same shape, above 0.
    inside : ndarray of bool
        Pixels that count.
    axes : tuple of int
        The axes that blocks extend along; across other axes each plane has blocks of its own.
    coverage : float
        The share that the interval is to hold.
    """
    blocks, odd = _blocks(errors.shape, axes)
    first, second = inside & ~odd, inside & odd
    if min(first.sum(), second.sum()) < FEWEST:
        raise ValueError(
            f"The repeat has too few pixels to calibrate with and to measure on: {first.sum()} and "
            f"{second.sum()}, {FEWEST} are needed. Study a larger part of the image."
        )
    scores = errors / scale
    factor, constant = (_quantile(each[first], coverage) for each in (scores, errors))
    measured, interval = measured_coverage(scores <= factor, second, axes)
    return Calibration(
        factor,
        constant,
        measured,
        float((errors[second] <= constant).mean()),
        interval,
        (len(np.unique(blocks[first])), len(np.unique(blocks[second]))),
    )


def measured_coverage(
    held: NDArray[np.bool_], inside: NDArray[np.bool_], axes: tuple[int, ...]
) -> tuple[float, tuple[float, float]]:
    """Return the share of the pixels that an interval holds, and its interval over blocks."""
    blocks, _ = _blocks(held.shape, axes)
    return float(held[inside].mean()), _bootstrapped(held[inside], blocks[inside])


def _blocks(
    shape: tuple[int, ...], axes: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the block of every pixel, the same for all channels, and whether it is odd."""
    extended = [axis for axis in axes if shape[axis] > 1]
    side = max(round(_BLOCK_PIXELS ** (1 / max(len(extended), 1))), 1)
    number, sum_of = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for axis, size in enumerate(shape):
        if axis == 1:
            continue
        length = min(side, max(size // _ALONG, 1)) if axis in extended else 1
        index = np.arange(size) // length
        line = index.reshape([-1 if a == axis else 1 for a in range(len(shape))])
        number = number * (int(index[-1]) + 1) + line
        sum_of = sum_of + line
    return number, sum_of % 2 == 1


def _quantile(scores: NDArray[Any], coverage: float) -> float:
    rank = min(math.ceil((scores.size + 1) * coverage), scores.size)
    return float(np.partition(scores, rank - 1)[rank - 1])


def _bootstrapped(held: NDArray[np.bool_], blocks: NDArray[np.int64]) -> tuple[float, float]:
    """Return the interval of the share of `held` over blocks that are drawn anew."""
    _, which = np.unique(blocks, return_inverse=True)
    counts = np.bincount(which).astype(np.float64)
    sums = np.bincount(which, held)
    drawn = np.random.default_rng(_SEED).integers(len(counts), size=(_DRAWS, len(counts)))
    shares = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(shares, ((1 - _LEVEL) / 2, (1 + _LEVEL) / 2))
    return float(low), float(high)
