"""The variance of the noise around every pixel, from the calm windows near it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from napari_diffusion.estimate.dct_windows import FINE, SIZE, STRIDE, window_energies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid
    from napari_diffusion.core.image import Image

# A window with so much relative energy above the noise counts half.
_CALM = 0.7

# Texture adds so many times as much to the finest coefficients as to the middle ones.
_TEXTURE = 0.4

# At least this part of the finest energy is noise.
_LEAST = 0.1

# The quarter with the weakest finest energy begins; of noise alone its limit is so far below the
# mean, that of the square of as many normal numbers as there are finest coefficients.
_LOW = 25

_ROUNDS = 3

# In log likelihood per coefficient: half the square of a relative error of the variance of 20 %.
_START = 0.02

# How much the surroundings count, three times as far and all of the plane, where windows are few.
_WIDER, _FAR, _ANYWHERE = 3.0, 0.02, 1e-4


@dataclass(frozen=True, eq=False)
class WindowMap:
    """The energies of the windows of one channel, and the variance of the noise around each.

    Attributes
    ----------
    fine, middle : (batch, planes, rows, columns)
        Mean square of the finest and of the middle coefficients of each window.
    weights : (batch, planes, rows, columns)
        From 0 to 1: how calm each is.
    found : (batch, planes, rows, columns)
        The variance of the noise.
    order : tuple of int
        The canonical axes in the order of batch, planes, rows and columns: batches come first.
    shape : tuple of int
        Extent of the channel in that order.
    """

    fine: NDArray[np.float64]
    middle: NDArray[np.float64]
    weights: NDArray[np.float64]
    found: NDArray[np.float64]
    order: tuple[int, ...]
    shape: tuple[int, ...]

    @classmethod
    def of(cls, channel: Image, tile: int) -> Self | None:
        """Measure a channel in tiles of so many pixels; None where it has no windows that vary."""
        order = _order(channel.grid)
        if min(channel.data.shape[axis] for axis in order[-2:]) < SIZE:
            return None
        values = channel.data.transpose(order)
        mask = None if channel.mask is None else channel.mask.transpose(order)
        fine, middle, whole = _energies(values, mask)
        if not whole.any():
            return None
        solid = len(channel.grid.along_axes) > 2
        # A box of the tile and a Gaussian of this width reach as far.
        wide = tile / math.sqrt(12)
        width = (0.0, wide if solid else 0.0, wide / STRIDE, wide / STRIDE)
        found, weights = _smoothed(fine, middle, whole, width, round(2 * tile / STRIDE))
        return cls(fine, middle, weights, found, order, values.shape)

    def variance(self) -> NDArray[np.float64]:
        """Return the variance at every pixel, canonical."""
        lines = _interpolated(_interpolated(self.found, self.shape[-2], -2), self.shape[-1], -1)
        return np.asarray(lines.reshape(self.shape).transpose(np.argsort(self.order)))

    def is_explained_by(self, variance: NDArray[np.float64]) -> bool:
        """Say whether a variance at every pixel explains the windows about as well as `found`.

        What counts is the likelihood of the finest energies of windows that both call calm. What
        was found on them, texture included, has a start, worth an error of σ of 10 %.
        """
        from scipy.ndimage import uniform_filter

        values = variance.transpose(self.order).reshape(-1, *self.shape[-3:])
        # The mean over the pixels of each window, of which this is the fifth.
        mean = uniform_filter(values, (0, 0, SIZE, SIZE))
        rows, columns = self.found.shape[-2:]
        other = mean[..., SIZE // 2 :: STRIDE, SIZE // 2 :: STRIDE][..., :rows, :columns]
        least = 1e-12 * float(self.found.max())
        own, other = (np.maximum(each, least) for each in (self.found, other))
        weights = self.weights * _calmness(self.middle, other)
        gain = weights * (self.fine / own + np.log(own) - self.fine / other - np.log(other))
        return bool(gain.sum() > -_START * weights.sum())


def _calmness(middle: NDArray[np.float64], variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return from 1 to 0 how little energy above the noise windows have."""
    return np.asarray(1 / (1 + (np.maximum(middle / variance - 1, 0.0) / _CALM) ** 4))


def _order(grid: Grid) -> tuple[int, ...]:
    """Return the axes that are batches, and the last three that diffuse, or as many as there are.

    Where fewer diffuse, batches of the longest kind take their places.
    """
    along = [axis for axis in grid.along_axes if grid.shape[axis] > 1][-3:]
    rest = [axis for axis in range(5) if axis not in along]
    return (*rest, *along)


def _energies(
    values: NDArray[Any], mask: NDArray[np.bool_] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return the finest and the middle energy of every window, and which windows vary."""
    planes = values.reshape(-1, *values.shape[-3:])
    inside = None if mask is None else mask.reshape(planes.shape)
    rows, columns = ((n - SIZE) // STRIDE + 1 for n in planes.shape[-2:])
    found = np.zeros((2, *planes.shape[:2], rows, columns))
    for at in np.ndindex(*planes.shape[:2]):
        each = [np.full(planes.shape[-2:], -1.0) for _ in range(3)]
        here = None if inside is None else np.ascontiguousarray(inside[at])
        window_energies(np.ascontiguousarray(planes[at]), here, 0, 0, *each)
        for energy, roots in zip(found, each[:0:-1], strict=True):
            energy[at] = roots[::STRIDE, ::STRIDE][:rows, :columns]
    whole = found[0] >= 0
    return np.square(found[0]), np.square(found[1]), whole


def _smoothed(
    fine: NDArray[np.float64],
    middle: NDArray[np.float64],
    whole: NDArray[np.bool_],
    width: Sequence[float],
    size: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the variance of the noise around every window, and how calm each window is."""
    from scipy.ndimage import percentile_filter
    from scipy.stats import chi2

    lowest = float(np.percentile(fine[whole], _LOW))
    known = np.where(whole, fine, np.inf)
    # A square of windows at a time, for structure is seldom all of it.
    start = percentile_filter(known, _LOW, size=(1, 1, size, size), mode="nearest")
    variance = np.where(np.isfinite(start), start, lowest) * (FINE / chi2.ppf(_LOW / 100, FINE))
    weights = whole.astype(np.float64)
    for _ in range(_ROUNDS):
        scale = np.maximum(variance, 1e-12 * float(fine.max()))
        weights = whole * _calmness(middle, scale)
        f, m = (_mean_around(each, weights, width) for each in (fine, middle))
        texture = _TEXTURE / (1 - _TEXTURE) * np.maximum(m - f, 0.0)
        variance = np.maximum(f - texture, _LEAST * f)
    return variance, weights


def _mean_around(
    values: NDArray[np.float64], weights: NDArray[np.float64], width: Sequence[float]
) -> NDArray[np.float64]:
    """Return means with Gaussian weights; where there is little, what is further away counts."""
    from scipy.ndimage import gaussian_filter

    anywhere = float((weights * values).sum() / max(float(weights.sum()), 1e-300))
    mean: Any = anywhere
    for reach, share in ((_WIDER, _ANYWHERE), (1.0, _FAR)):
        total, weight = (
            gaussian_filter(each, [reach * w for w in width], mode="constant", truncate=3.0)
            for each in (weights * values, weights)
        )
        mean = (total + share * mean) / (weight + share)
    return np.asarray(mean)


def _interpolated(values: NDArray[np.float64], size: int, axis: int) -> NDArray[np.float64]:
    """Return values at every pixel of an axis, linear between the middles of windows."""
    count = values.shape[axis]
    place = np.clip((np.arange(size) - (SIZE - 1) / 2) / STRIDE, 0, count - 1)
    low = np.minimum(place.astype(int), max(count - 2, 0))
    shape = [1] * values.ndim
    shape[axis] = size
    part = (place - low).reshape(shape)
    high = np.minimum(low + 1, count - 1)
    return np.asarray(np.take(values, low, axis) * (1 - part) + np.take(values, high, axis) * part)
