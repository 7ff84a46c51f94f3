"""Reads planes of an image one after the other, those in the same chunks together."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.dask_array import is_dask
from napari_diffusion.core.no_data import check_present
from napari_diffusion.engine.slab_reading import slab_pixels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_diffusion.core.image import Array

    Rows = slice | NDArray[np.int64]

#: A plane of an image and its mask.
Plane = tuple["NDArray[Any]", "NDArray[Any] | None"]


def planes(
    data: Array, mask: Array | None, rows: Rows = slice(None), most: int | None = None
) -> Iterator[Plane]:
    """Yield planes with their masks, in order.

    Parameters
    ----------
    data, mask : array
        In memory or dask arrays, with the planes in the last two of 5 axes.
    rows : slice or ndarray of int
        The rows that are wanted, ascending; all by default.
    most : int, optional
        About so many planes at most, evenly over all of them.
    """
    count = math.prod(data.shape[:3])
    wanted = range(0, count, max(1, count // most) if most else 1)
    if is_dask(data):
        yield from _lazy(data, mask, rows, wanted)
        return
    for number in wanted:
        place = np.unravel_index(number, data.shape[:3])
        yield data[place][rows], None if mask is None else np.asarray(mask[place][rows])


def _lazy(data: Any, mask: Array | None, rows: Rows, wanted: range) -> Iterator[Plane]:
    """Yield planes of a dask array by their numbers."""
    ends = np.cumsum(data.chunks[2])
    height = len(range(data.shape[3])[rows] if isinstance(rows, slice) else rows)
    room = max(slab_pixels() // (height * data.shape[4]), 1)

    def chunk(number: int) -> tuple[int, int, int]:
        t, c, z = np.unravel_index(number, data.shape[:3])
        return int(t), int(c), int(np.searchsorted(ends, z, "right"))

    for (t, c, _), group in itertools.groupby(wanted, chunk):
        depths = [number % data.shape[2] for number in group]
        for first in range(0, len(depths), room):
            part = depths[first : first + room]
            stack = (t, c, slice(part[0], part[-1] + 1, wanted.step))
            yield from _loaded(data[stack][:, rows], None if mask is None else mask[stack][:, rows])


def _loaded(data: Array, mask: Array | None) -> Iterator[Plane]:
    import dask.array as da

    values, inside = da.compute(data, mask)
    check_present(values if inside is None else values[inside], "A chunk")
    for number in range(len(values)):
        yield values[number], None if inside is None else inside[number]
