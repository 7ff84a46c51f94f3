"""The middle of a source: what is measured and studied where the whole would take too long."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.grid import CANONICAL, Grid
from napari_diffusion.core.image import Image, mask_axes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import GridOptions

#: The most pixels of each channel that are studied.
MOST_PIXELS = 1 << 20


def middle_image(
    source: NDArray[Any], options: GridOptions, most: int = MOST_PIXELS
) -> tuple[Image, tuple[slice, ...]]:
    """Return the middle of a source as an image of its own in memory, and where it is.

    Parameters
    ----------
    source : array
        Of numpy or dask; the middle alone is read.
    options : GridOptions
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.
    most : int
        The most pixels of each channel.

    Raises
    ------
    TypeError, ValueError
        As `Image.of`, for the middle.
    """
    given: Any = dict(options)
    mask, missing = given.pop("mask", None), given.pop("missing", "refuse")
    grid = Grid.of(tuple(source.shape), **given)
    given |= {"axes": grid.axes, "missing": missing}
    part = middle_of(grid, most)
    if mask is not None:
        apart = mask_axes(tuple(mask.shape), grid)
        given["mask"] = np.asarray(mask[tuple(part[axis] for axis in apart)])
    where = tuple(part[axis] for axis in grid.axes)
    return Image.of(np.array(source[where]), **given), where


def middle_of(grid: Grid, most: int = MOST_PIXELS) -> dict[str, slice]:
    """Return the middle of an image by its axes, all channels and at most so many pixels of each.

    Of frames and planes that are filtered one by one the middle one; the longest of the other
    axes are halved until few enough pixels are left.
    """
    sizes = dict(zip(CANONICAL, grid.shape, strict=True))
    kept = {axis: n if axis in grid.along else 1 for axis, n in sizes.items() if axis != "c"}
    while math.prod(kept.values()) > most:
        longest = max(kept, key=lambda axis: kept[axis])
        kept[longest] = -(-kept[longest] // 2)
    found = {axis: _centred(sizes[axis], n) for axis, n in kept.items()}
    return {**found, "c": slice(None)}


def _centred(size: int, kept: int) -> slice:
    # From the corner of an 8 × 8 block on, as JPEG has them.
    start = (size - kept) // 2
    start -= start % 8 if kept > 8 else 0
    return slice(start, start + kept)
