"""Runs a local measurement over a whole picture, in memory or chunk by chunk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.drive import Drive
from napari_diffusion.estimate._histogram import Histogram
from napari_diffusion.picture import Picture, is_dask

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

# Stands where a sample cannot be measured; such samples are not counted.
NOT_MEASURED = -1.0


def measured(
    picture: Picture,
    function: Callable[..., NDArray[Any]],
    halo: Sequence[int],
    *,
    joined: bool = False,
    around: float | None = None,
) -> Histogram:
    """Count what a function measures at every sample of a picture.

    Parameters
    ----------
    picture : Picture
        The whole source.
    function : callable
        ``function(block, mask, grid, drive)`` returns one number per sample: 0 or more, or
        NOT_MEASURED.
    halo : sequence of 5 int
        How far the function reaches.
    joined : bool
        Whether the function returns one number for all channels of a sample together.
    around : float, optional
        Count the distances from this number instead of the numbers.
    """
    if is_dask(picture.data):
        from napari_diffusion.blocks import chunk_histogram

        return chunk_histogram(picture, function, halo, joined, around)
    total = Histogram()
    frames = picture.data.shape[0]
    thick = frames if halo[0] else 1
    for first in range(0, frames, thick):
        part = slice(first, first + thick)
        mask = None if picture.mask is None else picture.mask[part]
        values = function(picture.data[part], mask, picture.grid, Drive())
        count(total, values, mask, around)
    return total


def count(
    histogram: Histogram,
    values: NDArray[Any],
    mask: NDArray[np.bool_] | None,
    around: float | None,
) -> None:
    """Add the values inside a mask, or their distances from a number, to a histogram."""
    if mask is not None:
        values = values[mask if mask.shape == values.shape else mask.any(axis=1, keepdims=True)]
    values = values[values >= 0]
    if around is not None:
        values = np.abs(values - around)
    histogram.add(np.minimum(values, np.finfo(np.float32).max))
