"""The noise of each region of an image."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Unpack

import numpy as np

from napari_diffusion.core.image import Image, canonical_mask
from napari_diffusion.estimate.noise_sigma import Method, measured_sigma

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.core.grid import Grid, GridOptions

    #: Labels, or boxes of slices.
    Regions = ArrayLike | Sequence[tuple[slice, ...]]


def noise_by_region(
    image: ArrayLike,
    regions: Regions,
    method: Method = "windows",
    **options: Unpack[GridOptions],
) -> dict[int, float]:
    """Estimate the standard deviation of white Gaussian noise in each of several regions.

    Parameters
    ----------
    image : array_like
        2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes.
    regions : array_like of int or bool, or sequence of tuple of slice
        Labels of the image's shape, without the axis of colours, 0 for no region; or boxes, each of
        one slice per axis, which may overlap.
    method : str
        As for `noise_sigma`.
    **options
        ``axes, spacing, along, joint_channels, rgb, mask, missing``.

    Returns
    -------
    dict
        The noise of each label, or of each box by its index; NaN where a region is too small,
        about 3 × 3 pixels.
    """
    source = Image.of(image, **options)
    found = {}
    for key, where in _masks(regions, np.shape(image), source.grid).items():
        if source.mask is not None:
            where = where & np.asarray(source.mask)
        sigma = measured_sigma(_part(source, where), method)
        found[key] = math.nan if sigma is None else sigma
    return found


def _masks(regions: Regions, shape: tuple[int, ...], grid: Grid) -> dict[int, NDArray[np.bool_]]:
    """Return where each region is, canonical and of one channel."""
    if isinstance(regions, (list, tuple)) and isinstance(regions[0][0], slice):
        found = {}
        for place, box in enumerate(regions):
            inside = np.zeros(shape, bool)
            inside[tuple(box)] = True
            # Colours are measured together.
            found[place] = inside.any(axis=grid.axes.index("c")) if grid.rgb else inside
    else:
        labels = np.asarray(regions)
        if labels.dtype.kind not in "biu":
            raise TypeError(
                f"regions must be labels of integers or boxes of slices (got {labels.dtype})."
            )
        found = {int(k): labels == k for k in np.unique(labels) if k}
    return {key: canonical_mask(inside, grid) for key, inside in found.items()}


def _part(image: Image, where: NDArray[np.bool_]) -> Image:
    """Return the box around a region, with the region as its mask."""
    inside = np.broadcast_to(where, image.data.shape)
    box = []
    for axis in range(5):
        others = tuple(a for a in range(5) if a != axis)
        along = np.flatnonzero(inside.any(axis=others))
        box.append(slice(int(along[0]), int(along[-1]) + 1) if len(along) else slice(0, 1))
    return dataclasses.replace(image, mask=np.ascontiguousarray(inside)).apart(box)
