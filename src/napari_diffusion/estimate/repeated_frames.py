"""Variances of pixels that were recorded several times: the photon transfer curve."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.image import Image, is_dask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from napari_diffusion.engine.plane_reading import Plane

# Pixels measured in an image; of a larger one, some rows are left out evenly.
MOST_SAMPLES = 1 << 22

# Pairs of frames whose differences stand for the noise.
MOST_PAIRS = 8

_ROWS_AT_ONCE = 64


@dataclass(frozen=True)
class Transfer:
    """What repeated frames say about each pixel.

    Attributes
    ----------
    levels, variances : ndarray
        Mean over the frames, and variance by the differences of successive ones.
    freedom : float
        Degrees of freedom of each variance.
    ratio : float
        Mean of the variances by that of the ordinary ones: 1 unless frames go with their
        neighbours.
    """

    levels: NDArray[np.float64]
    variances: NDArray[np.float64]
    freedom: float
    ratio: float


def transfer_of(image: Image, axis: int, crowded: tuple[float, ...]) -> Transfer:
    """Return the mean and the variance of the pixels of an image over its frames."""
    frames, inside = _frames_last(image, axis)
    count = frames.shape[-1]
    kept, ordinary = [], []
    rows = math.prod(frames.shape[:-2])
    step = max(1, round(rows * frames.shape[-2] / MOST_SAMPLES))
    for values in _rows(frames, inside, step):
        usable = np.ones(len(values), bool)
        for value in crowded:
            usable &= ~(values == value).any(axis=1)
        values = values[usable]
        changes = np.diff(values, axis=1)
        kept.append(np.stack([values.mean(axis=1), (changes**2).mean(axis=1) / 2]))
        ordinary.append(float(values.var(axis=1, ddof=1).sum()))
    levels, variances = np.concatenate(kept, axis=1) if kept else np.zeros((2, 0))
    pairs = count - 1
    return Transfer(
        levels=levels,
        variances=variances,
        freedom=2 * pairs**2 / (3 * pairs - 1),
        ratio=float(variances.sum()) / (math.fsum(ordinary) or 1.0),
    )


def _frames_last(image: Image, axis: int) -> Plane:
    """Return data and mask with the frames along the last axis, rows of pixels before it."""
    data, mask = image.data, image.mask
    if is_dask(data):
        import dask.array as da

        moved = da.moveaxis(data, axis, -1)
        return moved, None if mask is None else da.moveaxis(da.asarray(mask), axis, -1)
    return np.moveaxis(data, axis, -1), None if mask is None else np.moveaxis(mask, axis, -1)


def _rows(
    frames: NDArray[Any], inside: NDArray[Any] | None, step: int
) -> Iterator[NDArray[np.float64]]:
    """Yield the pixels of some rows at a time, as (pixels, frames)."""
    for index in np.ndindex(*frames.shape[:2]):
        block = frames[index]
        where = None if inside is None else inside[index]
        for first in range(0, block.shape[1], _ROWS_AT_ONCE):
            part = (slice(None), slice(first, first + _ROWS_AT_ONCE, step))
            values = np.asarray(block[part], np.float64)
            if where is None:
                yield values.reshape(-1, values.shape[-1])
            else:
                yield values[np.asarray(where[part]).all(axis=-1)]


def noise_frames(
    image: Image, axis: int, variance_at: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> Image:
    """Return differences of successive frames by their standard deviation: noise of variance 1.

    Parameters
    ----------
    variance_at : callable
        Gives the variance at a level, greater than 0.
    """
    data = image.data
    pairs = data.shape[axis] - 1
    found, masks = [], []
    for k in range(0, pairs, max(1, math.ceil(pairs / MOST_PAIRS))):
        index = [slice(None)] * 5
        index[axis] = slice(k, k + 2)
        pair = np.asarray(data[tuple(index)], np.float64)
        first, second = np.split(pair, 2, axis=axis)
        found.append((second - first) / np.sqrt(2 * variance_at((first + second) / 2)))
        if image.mask is not None:
            masks.append(np.asarray(image.mask[tuple(index)]).all(axis=axis, keepdims=True))
    made = np.concatenate(found, axis=axis)
    grid = dataclasses.replace(image.grid, shape=tuple(made.shape))
    return Image(made, grid, np.concatenate(masks, axis=axis) if masks else None)
